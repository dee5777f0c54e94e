"""tomoyo-editpolicy on the interface, on a directory, and through its agent: every screen and key."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.interface.tools.agent import agent
from tests.interface.tools.conftest import DOMAINS, EXCEPTIONS, PROFILES, Tools
from tests.interface.tools.editor import TITLES, Editor

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]

SSHD = "<kernel> /usr/sbin/sshd"
BASH = f"{SSHD} /bin/bash"


@contextmanager
def editor(tools: Tools, *arguments: str | Path) -> Iterator[Editor]:
    with tools.terminal("tomoyo-editpolicy", *arguments) as terminal:
        yield Editor(terminal)


def domain(tools: Tools, name: str) -> list[str]:
    """The lines of a domain as the interface gives them."""
    return tools.run("tomoyo-selectpolicy", name, text=tools.run("tomoyo-savepolicy", "-d")).splitlines()


def go_to_sshd(edit: Editor) -> None:
    """From the first line of the tree to the entries of the only domain below that."""
    edit.press("down", "=> ")
    edit.press("down", r"\* +/usr/sbin/sshd$")
    edit.terminal.press("enter")
    edit.is_at("a")
    edit.see(f"^{SSHD}$")


def test_every_screen_shows_what_is_there(tools: Tools) -> None:
    with editor(tools) as edit:
        edit.is_at("d")
        edit.see(r"^ +0: +0 +<kernel>$")
        edit.see(r"=> <kernel> /usr/sbin/sshd \( -> 1 \)$")
        edit.see(r"^ +1: +1 +\* +/usr/sbin/sshd$")
        edit.see(r"^ +2: +3 +# +/bin/bash$")
        edit.open("a")
        edit.see(r"file execute /usr/sbin/sshd$")
        edit.open("e")
        edit.see(r"initialize_domain +/usr/sbin/sshd from any$")
        edit.see(r"address_group +LAN 10\.0\.0\.0-10\.255\.255\.255$")
        edit.see(r"acl_group 0 +file read /lib/libc\.so$")
        edit.open("p")
        edit.see(r"3-CONFIG=\{ mode=enforcing grant_log=no reject_log=yes \}$")
        edit.open("m")
        edit.see(r"/usr/sbin/tomoyo-queryd$")
        edit.open("n")
        edit.see(r"^ +0: <kernel>$")
        edit.open("s")
        edit.see(r"^Policy violation in enforcing mode: +0$")
        edit.quit()


@pytest.mark.parametrize("key", ["e", "d", "p", "m", "s", "n"])
def test_the_first_screen_can_be_chosen(tools: Tools, key: str) -> None:
    with editor(tools, key) as edit:
        edit.is_at(key)
        edit.terminal.press("?")
        edit.see("Commands available for this screen")
        edit.terminal.press("?")
        edit.is_at(key)
        edit.quit()


def test_marks_of_the_tree(tools: Tools) -> None:
    more = "<kernel> /bin/none /bin/deep\nuse_profile 1\n\n<kernel> /bin/x /usr/sbin/sshd\nuse_profile 1\n\n"
    tools.run("tomoyo-loadpolicy", "-d", text=more)
    with editor(tools) as edit:
        edit.see(r"\( /bin/none \)$")
        edit.see(r"^ +\d: +1 +! +/usr/sbin/sshd \( initialize_domain /usr/sbin/sshd from any \)$")
        edit.at("<kernel>")
        edit.press("down", "=> <kernel> /usr/sbin/sshd")
        edit.press("enter", r"\* +/usr/sbin/sshd$")
        edit.quit()


def test_moving_about(tools: Tools) -> None:
    lines = "".join(f"file read /data/{number:03}\n" for number in range(100))
    tools.run("tomoyo-loadpolicy", "-d", text=f"{SSHD}\n{lines}file append /long/{'x' * 200}\n")
    with editor(tools) as edit:
        go_to_sshd(edit)
        edit.see(re.escape(SSHD))
        edit.press("down", " 1: ")
        edit.press("up", " 0: ")
        edit.press("page-down", r" 3\d: ")
        edit.press("page-down", r" \d\d: ")
        edit.press("page-up", r" 3\d: ")
        edit.press("page-up", r" 0: ")
        edit.terminal.press("right", "right")
        edit.see(r"^ +0: le ")
        edit.terminal.press("left", "left")
        edit.see(r"^ +0: file")
        edit.terminal.press("end")
        edit.miss(r"^ +0: file")
        edit.terminal.press("home")
        edit.see(r"^ +0: file")
        edit.find("/data/05")
        edit.at("/data/050")
        edit.press("n", "/data/051")
        edit.press("n", "/data/052")
        edit.press("p", "/data/051")
        edit.terminal.press("tab")
        edit.is_at("d")
        edit.quit()


def test_domains_are_added_marked_assigned_and_deleted(tools: Tools) -> None:
    with editor(tools) as edit:
        edit.add("<kernel> /usr/sbin/cron")
        edit.see("/usr/sbin/cron$")
        edit.find("/usr/sbin/cron")
        edit.mark()
        edit.set("Enter profile number>", "2")
        edit.see(r"^ +\d: +2 +/usr/sbin/cron$")
        assert ["<kernel> /usr/sbin/cron", "use_profile 2"] == domain(tools, "<kernel> /usr/sbin/cron")[:2]
        edit.mark()
        edit.delete("n")
        edit.see("/usr/sbin/cron")
        edit.find("/usr/sbin/cron")
        edit.mark()
        edit.delete()
        edit.miss("/usr/sbin/cron$")
        edit.quit()
    assert "cron" not in tools.run("tomoyo-savepolicy", "-d")


def test_a_mark_is_copied_to_all_below(tools: Tools) -> None:
    with editor(tools) as edit:
        edit.at("<kernel>")
        edit.mark()
        edit.terminal.press("c")
        edit.see(r"\(3 selected\)")
        edit.press(" ", "^ ")
        edit.terminal.press("c")
        edit.miss("selected")
        edit.quit()


def test_entries_are_added_optimised_away_and_deleted(tools: Tools) -> None:
    with editor(tools) as edit:
        edit.find("/bin/bash")
        edit.terminal.press("enter")
        edit.is_at("a")
        edit.add("file read/write /tmp/new task.uid=0")
        edit.see(r"file write +/tmp/new task\.uid=0$")
        edit.find("/tmp/\\*")
        edit.press("down", r"file read +/tmp/\\\*$")
        edit.terminal.press("o")
        edit.see(r"^& +\d+: file read +/tmp/a$")
        edit.see(r"^& +\d+: file read +/tmp/new task\.uid=0$")
        edit.delete()
        edit.miss("/tmp/a$")
        edit.terminal.press("enter")
        edit.is_at("d")
        edit.quit()

    lines = domain(tools, BASH)
    assert {"file read /tmp/\\*", "file write /tmp/new task.uid=0", "misc env HOME task.uid=0"} <= set(lines)
    assert not {"file read /tmp/a", "file read/write /tmp/new task.uid=0"} & set(lines)


def test_insert_copies_a_line_into_the_history(tools: Tools) -> None:
    with editor(tools) as edit:
        edit.find("/bin/bash")
        edit.terminal.press("enter")
        edit.is_at("a")
        edit.find("/tmp/a")
        edit.terminal.press("insert", "a")
        edit.see("^Enter new entry>")
        edit.terminal.press("up")
        edit.see("^Enter new entry> file read /tmp/a$")
        edit.terminal.press("backspace", "b", "enter")
        edit.see(r"file read +/tmp/b$")
        edit.quit()
    assert {"file read /tmp/a", "file read /tmp/b"} <= set(domain(tools, BASH))


def test_entries_are_sorted_the_other_way(tools: Tools) -> None:
    with editor(tools) as edit:
        go_to_sshd(edit)
        by_keyword = r"^ +1: file ioctl .*\n +2: file read +/dev/null$"
        edit.see(by_keyword)
        edit.terminal.press("@")
        edit.see(r"^ +1: file read +/dev/null\n +2: file write +/dev/null$")
        edit.terminal.press("@")
        edit.see(by_keyword)
        edit.quit()


def test_exceptions_are_added_optimised_and_deleted(tools: Tools) -> None:
    with editor(tools, "e") as edit:
        edit.add("acl_group 0 file read /lib/lib\\*.so")
        edit.see(r"acl_group 0 +file read /lib/lib\\\*\.so$")
        edit.find("lib\\*.so")
        edit.terminal.press("o")
        edit.see(r"^& +\d+: acl_group 0 +file read /lib/libc\.so$")
        edit.delete()
        edit.miss("libc")
        edit.add("aggregator proc:/self/exe /proc/self/exe")
        edit.see("aggregator +proc:/self/exe /proc/self/exe$")
        edit.quit()

    wanted = EXCEPTIONS.replace("libc.so", "lib\\*.so") + "aggregator proc:/self/exe /proc/self/exe\n"
    assert sorted(wanted.splitlines()) == sorted(tools.run("tomoyo-savepolicy", "-e").splitlines())


def test_profiles_are_set_added_and_sorted(tools: Tools) -> None:
    with editor(tools, "p") as edit:
        edit.find("2-CONFIG=")
        edit.set("Enter new value>", " mode=learning")
        edit.see(r"2-CONFIG=\{ mode=permissive grant_log=no reject_log=yes \}|2-CONFIG=\{ mode=learning")
        edit.add("4-CONFIG::file::execute={ mode=enforcing grant_log=yes }")
        edit.see(r"4-CONFIG::file::execute=\{ mode=enforcing grant_log=yes reject_log=yes \}$")
        edit.see(r"^ +1: +0-COMMENT=.*\n +2: +0-CONFIG")
        edit.terminal.press("@")
        edit.see(r"^ +1: +0-COMMENT=.*\n +2: +1-COMMENT")
        edit.quit()

    assert "4-CONFIG::file::execute={ mode=enforcing grant_log=yes reject_log=yes }\n" in tools.file("profile.conf")


def test_managers_are_added_and_deleted(tools: Tools) -> None:
    with editor(tools, "m") as edit:
        edit.add("/usr/local/bin/manage")
        edit.see("/usr/local/bin/manage$")
        edit.find("/usr/sbin/tomoyo-queryd")
        edit.mark()
        edit.delete()
        edit.miss("tomoyo-queryd")
        edit.quit()

    managers = tools.file("manager.conf").split()
    assert "/usr/local/bin/manage" in managers
    assert "/usr/sbin/tomoyo-queryd" not in managers


def test_a_namespace_is_made_and_chosen(tools: Tools) -> None:
    with editor(tools, "p") as edit:
        edit.open("n")
        edit.add("<container>")
        edit.see("<container>$")
        edit.find("<container>")
        edit.terminal.press("enter")
        edit.is_at("p")
        edit.see(r"^<container>$")
        edit.see(r"^ +0: PROFILE_VERSION=20150505$")
        edit.open("e")
        edit.add("keep_domain any from <container> /bin/x")
        edit.see("keep_domain +any from <container> /bin/x$")
        edit.quit()
    assert "<container> keep_domain any from <container> /bin/x\n" in tools.run("tomoyo-savepolicy", "-e")

    with editor(tools, "e", "<container>") as edit:
        edit.see(r"^<container>$")
        edit.see("keep_domain any from <container> /bin/x$")
        edit.quit()


def test_quotas_are_set(tools: Tools) -> None:
    with editor(tools, "s") as edit:
        for _ in range(5):
            edit.terminal.press("down")
        edit.at("Memory used by audit log:")
        edit.set("Enter new value>", "16777216")
        edit.see(r"^.?Memory used by audit log: +\d+ \(Quota: +16777216\)$")
        edit.quit()
    assert re.search(r"audit log: +\d+ \(Quota: +16777216\)", tools.shell("cat /sys/kernel/security/tomoyo/stat"))


def test_processes_are_shown_and_their_domains_opened(tools: Tools) -> None:
    with editor(tools) as edit:
        edit.terminal.press("@")
        edit.see("^<<< Process State Viewer >>>")
        edit.find("tomoyo-editpoli")
        edit.at(r"0 +.*tomoyo-editpoli \(\d+\) <kernel>")
        edit.terminal.press("enter")
        edit.is_at("a")
        edit.see(r"file execute /usr/sbin/sshd$")
        edit.terminal.press("tab")
        edit.see("^<<< Process State Viewer >>>")
        edit.terminal.press("@")
        edit.is_at("d")
        edit.quit()


def test_what_others_change_is_seen_with_a_key_or_by_itself(tools: Tools) -> None:
    with editor(tools, "refresh=1") as edit, editor(tools) as other:
        other.is_at("d")
        edit.is_at("d")
        other.add("<kernel> /usr/sbin/cron")
        edit.see("/usr/sbin/cron$")
        edit.quit()
        other.quit()
    with editor(tools) as edit:
        edit.see("/usr/sbin/cron$")
        tools.run("tomoyo-loadpolicy", "-d", text="delete <kernel> /usr/sbin/cron\n")
        edit.terminal.press("r")
        edit.miss("/usr/sbin/cron$")
        edit.quit()


def test_read_only_changes_nothing(tools: Tools) -> None:
    before = tools.run("tomoyo-savepolicy", "-d")
    with editor(tools, "readonly") as edit:
        edit.is_at("d")
        edit.press("down", "=>")
        edit.terminal.press("a", "d", "s", "?")
        edit.see("Commands available")
        edit.terminal.press("?")
        edit.is_at("d")
        edit.quit()
    assert before == tools.run("tomoyo-savepolicy", "-d")


def test_offline_it_edits_a_directory_and_keeps_what_was_there(tools: Tools, tmp_path: Path) -> None:
    folder = tmp_path / "offline"
    first = folder / "policy" / "26-01-01.00:00:00"
    first.mkdir(parents=True)
    (folder / "policy/current").symlink_to(first.name)
    for name, text in (("domain_policy", DOMAINS), ("exception_policy", EXCEPTIONS), ("profile", PROFILES)):
        (first / f"{name}.conf").write_text(text)
    (first / "manager.conf").write_text("/usr/sbin/tomoyo-loadpolicy\n")
    with editor(tools, folder) as edit:
        edit.add("<kernel> /usr/sbin/cron")
        edit.see("/usr/sbin/cron$")
        edit.terminal.press("w")
        edit.see("Press one of below keys")
        assert "Statistics" not in edit.terminal.text
        for key in "epmnd":
            edit.terminal.press(key)
            edit.is_at(key)
            if key != "d":
                edit.terminal.press("w")
                edit.see("Press one of below keys")
        edit.quit()

    current = folder / "policy/current"
    assert first.name == (folder / "policy/previous").readlink().name
    assert "<kernel> /usr/sbin/cron\n" in (current / "domain_policy.conf").read_text()
    assert PROFILES == (current / "profile.conf").read_text()
    assert "cron" not in tools.run("tomoyo-savepolicy", "-d")


def test_sekisho_reads_what_it_wrote_offline(tools: Tools, tmp_path: Path) -> None:
    """And prints every file byte for byte as it is."""
    current = tools.path / "tomoyo/policy/current"
    tools.run("/usr/lib/tomoyo/init_policy")
    tools.run("tomoyo-savepolicy")
    with editor(tools, "/etc/tomoyo") as edit:
        edit.is_at("d")
        edit.add("<kernel> /usr/sbin/cron")
        edit.see("/usr/sbin/cron$")
        edit.quit()
    other = Tools(tmp_path / "other")
    shutil.copytree(current, other.path)
    other.path.chmod(0o700)

    for name, switch in (("domain_policy", "-d"), ("exception_policy", "-e"), ("profile", "-p"), ("manager", "-m")):
        assert (current / f"{name}.conf").read_text() == other.run("tomoyo-savepolicy", switch)


def test_through_the_agent_it_edits_from_afar(tools: Tools) -> None:
    with agent(tools) as address:
        with editor(tools, address) as edit:
            edit.is_at("d")
            edit.add("<kernel> /usr/sbin/cron")
            edit.see("/usr/sbin/cron$")
            for key in TITLES:
                edit.open(key)
            edit.open("d")
            edit.terminal.press("@")
            edit.see("^<<< Process State Viewer >>>")
            edit.find("tomoyo-editpoli")
            edit.quit()
    assert "use_profile 0" == domain(tools, "<kernel> /usr/sbin/cron")[1]


def test_without_a_running_agent_it_says_so(tools: Tools) -> None:
    result = subprocess.run(
        tools.command("tomoyo-editpolicy", "127.0.0.1:1"), capture_output=True, text=True, timeout=60, check=False
    )
    assert "Can't connect to 127.0.0.1:1" in result.stderr
    assert 0 != result.returncode
