"""The tools that turn policy from standard input into something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.interface.tools.conftest import DOMAINS, EXCEPTIONS, Tools

pytestmark = [pytest.mark.root, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]

SSHD = "<kernel> /usr/sbin/sshd"
LOG = """\
#2026/01/01 00:00:00# profile=1 mode=learning granted=no (global-pid=4) task={ pid=4 ppid=1 uid=0 gid=0 euid=0 egid=0 \
suid=0 sgid=0 fsuid=0 fsgid=0 } path1={ uid=0 gid=0 ino=5 major=8 minor=1 perm=0644 type=file } \
path1.parent={ uid=0 gid=0 ino=2 perm=0755 }
<kernel> /bin/ls
file read /etc/passwd

"""


def domain(text: str, name: str) -> str:
    """The part of a policy that is the domain ``name``'s."""
    start = text.index(f"{name}\n")
    end = text.find("\n<", start)
    return text[start:] if end < 0 else text[start : end + 1]


def test_selectpolicy(tools: Tools) -> None:
    text = tools.run("tomoyo-savepolicy", "-d")

    assert domain(text, SSHD) == tools.run("tomoyo-selectpolicy", SSHD, text=text)
    assert domain(text, SSHD) + domain(text, f"{SSHD} /bin/bash") == tools.run(
        "tomoyo-selectpolicy", "-r", SSHD, text=text
    )


def test_sortpolicy(tools: Tools) -> None:
    text = tools.run("tomoyo-savepolicy", "-d")
    once = tools.run("tomoyo-sortpolicy", text=text)

    assert once == tools.run("tomoyo-sortpolicy", text=text + text)
    assert once.index("file ioctl /dev/tty 0x5401") < once.index("file read /etc/passwd")


def test_diffpolicy_tells_what_loadpolicy_makes_of_the_old_the_new(tools: Tools, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text(tools.run("tomoyo-savepolicy", "-d"))
    new.write_text(
        tools.run("tomoyo-savepolicy", "-d").replace("/tmp/a", "/tmp/b")
        + "<kernel> /usr/sbin/cron\nuse_profile 2\nuse_group 0\n\nfile read /etc/crontab\n\n"
    )
    script = tools.run("tomoyo-diffpolicy", old, new)
    assert "delete file read /tmp/a\n" in script
    tools.run("tomoyo-loadpolicy", "-d", text=script)

    after = tools.run("tomoyo-savepolicy", "-d")
    assert "" == tools.run("tomoyo-diffpolicy", new, "-", text=after).strip()
    assert "<kernel> /usr/sbin/cron\nuse_profile 2\nuse_group 0\n\nfile read /etc/crontab\n" in after


def test_checkpolicy_agrees_with_what_we_print(tools: Tools) -> None:
    domains = tools.run("tomoyo-savepolicy", "-d")
    exceptions = tools.run("tomoyo-savepolicy", "-e")

    assert " 0 Error   0 Warning" in tools.run("tomoyo-checkpolicy", "d", text=domains)
    assert " 0 Error   0 Warning" in tools.run("tomoyo-checkpolicy", "e", text=exceptions)
    assert "2: ERROR" in tools.run("tomoyo-checkpolicy", "d", text="<kernel>\nfile nonsense /x\n", status=2)


def test_domainmatch_asks_the_interface(tools: Tools) -> None:
    found = tools.run("tomoyo-domainmatch", "/tmp/")

    assert f"\n{SSHD} /bin/bash\n" in found
    assert ["file create /tmp/\\* 0600", "file read /tmp/\\*", "file read /tmp/a"] == sorted(
        line for line in found.splitlines() if line.startswith("file")
    )
    assert "" == tools.run("tomoyo-domainmatch", "/nowhere").strip()


def test_findtemp(tools: Tools, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    text = f"<kernel> /bin/ls\nuse_profile 1\n\nfile read {there}\nfile read {tmp_path}/not\\040there\n"

    assert f"{tmp_path}/not\\040there\n" == tools.run("tomoyo-findtemp", text=text).replace("/bin/ls\n", "")
    assert f"<kernel> /bin/ls\nfile read {tmp_path}/not\\040there" in tools.run(
        "tomoyo-findtemp", "--with-domainname", text=text
    )


def test_patternize(tools: Tools, tmp_path: Path) -> None:
    rules = tmp_path / "patternize.conf"
    rules.write_text(
        "rewrite path_pattern /tmp/a\\?\\?\\?\n"
        "rewrite number_pattern 0x5400-0x54FF\n"
        "acl.starts network\nrewrite address_pattern 10.0.0.0-10.255.255.255 @LAN\n"
    )
    domains = DOMAINS.replace("/tmp/a", "/tmp/a123").replace("bind 0.0.0.0 22", "connect 10.1.2.3 80")
    changed = tools.run("tomoyo-patternize", rules, text=domains)

    assert "file read /tmp/a\\?\\?\\?\n" in changed
    assert "file ioctl /dev/tty 0x5400-0x54FF\n" in changed
    assert "network inet stream connect @LAN 80\n" in changed
    tools.run("tomoyo-loadpolicy", "-df", text=changed)
    after = tools.run("tomoyo-savepolicy", "-d")
    assert tools.run("tomoyo-sortpolicy", text=changed) == tools.run("tomoyo-sortpolicy", text=after)


def test_convert_audit_log(tools: Tools) -> None:
    lines = tools.run("/usr/lib/tomoyo/convert-audit-log", text=LOG)
    assert "file read /etc/passwd task.pid=4 task.ppid=1 task.uid=0 " in lines
    tools.run("tomoyo-loadpolicy", "-d", text=lines)

    assert lines.splitlines()[1] in tools.run("tomoyo-savepolicy", "-d").splitlines()


def test_exceptions_survive_the_filters(tools: Tools) -> None:
    assert sorted(EXCEPTIONS.splitlines()) == sorted(tools.run("tomoyo-savepolicy", "-e").splitlines())
