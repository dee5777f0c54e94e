"""What TOMOYO's documentation tells an administrator to do, from nothing to enforcing, with TOMOYO's tools."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.interface.tools.conftest import Tools
from tests.interface.tools.terminal import PATIENCE
from tests.interface.tools.tree import SHELL, learn, running

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]

FILES = {"-e": "exception_policy", "-p": "profile", "-m": "manager", "-d": "domain_policy"}


def test_from_nothing_to_enforcing(tmp_path: Path) -> None:
    """init_policy, load, learn, savepolicy, patternize, loadpolicy, setprofile to enforcing, queryd."""
    for name in ("report.0123", "report.4567", "secret"):
        (tmp_path / name).write_text("text\n")
    tmp_path.chmod(0o755)
    tools = Tools(tmp_path / "policy")

    tools.run("/usr/lib/tomoyo/init_policy")
    assert " ACL entr" in tools.run("/sbin/tomoyo-init")
    for switch, name in FILES.items():
        sort = ["tomoyo-sortpolicy"] if switch == "-d" else ["sort", "-u"]
        given = (tools.path / f"tomoyo/{name}.conf").read_text()
        assert tools.run(*sort, text=given) == tools.run(*sort, text=tools.run("tomoyo-savepolicy", switch)), name

    learn(tools, f"{tmp_path}/report.0123", "/etc/hostname")
    tools.run("tomoyo-savepolicy")
    learned = (tools.path / "tomoyo/policy/current/domain_policy.conf").read_text()
    assert f"file read {tmp_path}/report.0123\n" in learned

    rules = tmp_path / "patternize.conf"
    rules.write_text(f"rewrite path_pattern {tmp_path}/report.\\$\n")
    wanted = tools.run("tomoyo-patternize", rules, text=learned)
    assert f"file read {tmp_path}/report.\\$\n" in wanted
    tools.run("tomoyo-loadpolicy", "-df", text=wanted)
    tools.run("tomoyo-setprofile", "3", SHELL)
    assert f"{SHELL}\nuse_profile 3\n" in tools.run("tomoyo-savepolicy", "-d")

    with running(tools) as tree:
        tree.ask(f"{tmp_path}/report.4567")
        assert "allowed" == tree.answer()
        tree.ask(f"{tmp_path}/secret")
        assert "refused" == tree.answer()
        with tools.terminal("tomoyo-queryd") as terminal:
            terminal.see("Monitoring")
            tree.ask(f"{tmp_path}/secret")
            terminal.see(f"^file read {tmp_path}/secret$")
            terminal.press("A", "enter")
            assert "allowed" == tree.answer()
        tree.ask(f"{tmp_path}/secret")
        assert "allowed" == tree.answer()
    tools.run("tomoyo-savepolicy")
    current = (tools.path / "tomoyo/policy/current/domain_policy.conf").read_text()
    assert f"file read {tmp_path}/secret\n" in current
    assert current == tools.file("domain_policy.conf")


def test_a_supervised_program_among_the_files_is_itself(tools: Tools) -> None:
    """It opens them through the supervisor, which must not wait for them, and is who it is to them."""
    script = (
        "cat /sys/kernel/security/tomoyo/self_domain; echo; cat /sys/kernel/security/tomoyo/version; echo; "
        "ls /sys/kernel/security/tomoyo; (echo $$ > /sys/kernel/security/tomoyo/.process_status) && echo written"
    )
    sekisho = [sys.executable, "-m", "sekisho", "learn", "-P", str(tools.path), "--", "/usr/bin/sh", "-c", script]
    learned = tools.run(*sekisho)
    assert re.search(r"^<kernel> /usr/bin/sh /usr/bin/cat$", learned, re.MULTILINE)
    assert "\n2.6.0\n" in learned
    assert "\nwritten\n" in learned
    enforced = tools.run(*(word.replace("learn", "run") if word == "learn" else word for word in sekisho))

    assert learned == enforced


def test_a_supervised_program_may_move_itself_where_policy_says(tools: Tools) -> None:
    """self_domain is written by the program that runs, not by a tool."""
    script = (
        "echo '<kernel> /elsewhere' > /sys/kernel/security/tomoyo/self_domain && echo moved; read line < /etc/hostname"
    )
    command = ["-P", str(tools.path), "--", "/usr/bin/sh", "-c", script]
    sekisho = [sys.executable, "-m", "sekisho"]
    assert "moved" not in tools.run(*sekisho, "learn", *command, text="")
    added = f"{SHELL}\ntask manual_domain_transition <kernel> /elsewhere\n<kernel> /elsewhere\nuse_profile 1\n"
    tools.run("tomoyo-loadpolicy", "-d", text=added)

    assert "moved\n" == tools.run(*sekisho, "run", "-m", "profile", *command)
    elsewhere = tools.run("tomoyo-selectpolicy", "<kernel> /elsewhere", text=tools.run("tomoyo-savepolicy", "-d"))
    assert "file read /etc/hostname\n" in elsewhere


def as_user(tmp_path: Path, script: str) -> str:
    """What ``script`` prints for user 1234, in his home, with ``sekisho`` and /dev/fuse open to him."""
    import sekisho

    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    packages = [Path(sekisho.__file__).parent.parent, *(path for path in sys.path if path.endswith("site-packages"))]
    (home / "sekisho").write_text('#!/bin/sh\nexec /usr/bin/python3 -m sekisho "$@"\n')
    (home / "script").write_text(script)
    (home / "sekisho").chmod(0o755)
    device = tmp_path / "fuse"
    prepare = (
        f"mknod {device} c 10 229 && chmod 666 {device} && mount --bind {device} /dev/fuse && chown 1234 {home} && "
        f"cd {home} && exec setpriv --reuid 1234 --regid 1234 --clear-groups sh script"
    )
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", prepare],
        env={"PATH": f"{home}:/usr/bin:/bin:/usr/sbin", "PYTHONPATH": ":".join(map(str, packages))},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert 0 == result.returncode, result.stdout + result.stderr
    return result.stdout


def test_anybody_can_use_the_tools_on_a_policy_of_his_own(tmp_path: Path) -> None:
    script = (
        "sekisho tools -P policy -- sh -c \"printf '<kernel> /bin/a\\nfile read /b\\n' | tomoyo-loadpolicy -d; "
        'tomoyo-savepolicy -d; tomoyo-savepolicy; id -u"\n'
    )

    assert as_user(tmp_path, script).endswith("<kernel> /bin/a\nuse_profile 0\n\nfile read /b\n\n1234\n")
    policy = tmp_path / "home/policy"
    assert "<kernel> /bin/a\n" in (policy / "domain_policy.conf").read_text()
    assert (policy / "tomoyo/policy/current/domain_policy.conf").exists()


INSIDE = """\
sekisho learn -P policy -- /usr/bin/sh -c 'read a; read x < /etc/hostname' < /dev/null
mkfifo answer
sekisho run -P policy -- /usr/bin/sh -c 'read a; read x < /etc/passwd && echo allowed || echo refused' < answer &
exec 3> answer
for i in $(seq 200); do tomoyo-pstree | grep -q ' <kernel> /usr/bin/sh$' && break; sleep 0.1; done
printf '<kernel> /made\\n' > /sys/kernel/security/tomoyo/domain_policy && echo made || echo no manager
printf 'select <kernel> /usr/bin/sh\\nfile read /etc/passwd\\n' | tomoyo-loadpolicy -d
echo go >&3
wait
"""


def test_anybody_can_use_them_on_a_tree_of_his_own(tmp_path: Path) -> None:
    script = f"""cat > inside <<'END'\n{INSIDE}END\nsekisho tools -P policy -- sh inside\n"""

    assert "no manager\nallowed\n" == as_user(tmp_path, script)
