"""Tools that look at processes, profiles and records: on a running tree."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.interface.tools.agent import agent
from tests.interface.tools.conftest import PROFILES, Tools
from tests.interface.tools.terminal import PATIENCE
from tests.interface.tools.tree import SHELL, Tree, learn, running

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]

SSHD = "<kernel> /usr/sbin/sshd"


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@contextmanager
def daemon(tools: Tools, *command: str) -> Iterator[None]:
    """``command``, which goes into the background, is there; in the end it is ended."""
    script = f"{' '.join(command)}; echo started; read line; kill $(pidof {command[0]})"
    process = subprocess.Popen(tools.command("sh", "-c", script), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    try:
        assert b"started\n" == process.stdout.readline()
        yield
    finally:
        process.stdin.close()
        process.wait(PATIENCE)
        process.stdout.close()


def test_pstree_shows_the_tree_with_its_domains_and_profiles(tools: Tools) -> None:
    learn(tools, "/etc/hostname")
    with running(tools):
        line = f"3 .*\\+- sh \\(\\d+\\) {SHELL}$"
        assert any(_fits(line, each) for each in tools.run("tomoyo-pstree").splitlines())
        assert any(_fits(line, each) for each in tools.run("tomoyo-pstree", "-a").splitlines())
        with agent(tools) as address:
            assert any(_fits(line, each) for each in tools.run("tomoyo-pstree", address).splitlines())


def _fits(pattern: str, line: str) -> bool:
    return re.search(pattern, line) is not None


def test_setlevel_shows_and_sets_profiles(tools: Tools) -> None:
    assert f"<<< Access Control Status >>>\n{PROFILES}" == tools.run("tomoyo-setlevel")
    shown = tools.run("tomoyo-setlevel", "2-CONFIG::file::execute={ mode=enforcing }")

    assert "2-CONFIG::file::execute={ mode=enforcing grant_log=yes reject_log=yes }" in shown
    assert "2-CONFIG::file::execute={ mode=enforcing" in tools.file("profile.conf")


def test_setlevel_holds_a_running_tree_at_once(tools: Tools) -> None:
    learn(tools, "/etc/hostname")
    with running(tools) as tree:
        tree.ask("/etc/group")
        assert "refused" == tree.answer()
        tools.run("tomoyo-setlevel", "3-CONFIG={ mode=permissive }")
        tree.ask("/etc/group")
        assert "allowed" == tree.answer()


def test_setprofile_sets_one_domain_or_all_below(tools: Tools) -> None:
    tools.run("tomoyo-setprofile", "2", SSHD)
    assert ["0", "2", "3"] == _profiles(tools)
    tools.run("tomoyo-setprofile", "-r", "1", "<kernel>")
    assert ["1", "1", "1"] == _profiles(tools)
    tools.run("tomoyo-setprofile", "-r", "3", SSHD)
    assert ["1", "3", "3"] == _profiles(tools)


def _profiles(tools: Tools) -> list[str]:
    text = tools.run("tomoyo-savepolicy", "-d")
    return [line.removeprefix("use_profile ") for line in text.splitlines() if line.startswith("use_profile")]


def test_setprofile_holds_a_running_tree_at_once(tools: Tools) -> None:
    learn(tools, "/etc/hostname")
    with running(tools) as tree:
        tools.run("tomoyo-setprofile", "-r", "1", "<kernel>")
        tree.ask("/etc/group")
        assert "allowed" == tree.answer()
        tools.run("tomoyo-setprofile", "-r", "3", SHELL)
        tree.ask("/etc/passwd")
        assert "refused" == tree.answer()
        tree.ask("/etc/group")
        assert "allowed" == tree.answer()


def test_domainmatch_sees_what_a_running_tree_learns(tools: Tools) -> None:
    learn(tools, "/etc/hostname")
    with running(tools, profile=1) as tree:
        tree.ask("/etc/group")
        assert "allowed" == tree.answer()
        assert f"\n{SHELL}\nfile read /etc/group\n" in tools.run("tomoyo-domainmatch", "/etc/group")


def test_auditd_writes_records_where_its_configuration_says(tools: Tools, tmp_path: Path) -> None:
    refused, group = tmp_path / "refused.log", tmp_path / "group.log"
    folder = tools.path / "tomoyo/tools"
    folder.mkdir(parents=True)
    (folder / "auditd.conf").write_text(
        f"acl.contains /etc/group\ndestination {group}\n\n"
        f"header.contains granted=no\ndomain.equals {SHELL}\ndestination {refused}\n\n"
    )
    learn(tools, "/etc/hostname")
    with running(tools) as tree, daemon(tools, "tomoyo-auditd"):
        for path in ("/etc/passwd", "/etc/group"):
            tree.ask(path)
            assert "refused" == tree.answer()
        until(lambda: refused.exists() and "/etc/passwd" in refused.read_text(), "no record")
        until(lambda: group.exists() and "/etc/group" in group.read_text(), "no record")
    header, domain, acl = refused.read_text().splitlines()[:3]

    assert header.startswith("#20")
    assert " profile=3 mode=enforcing granted=no (global-pid=" in header
    assert (SHELL, "file read /etc/passwd") == (domain, acl)
    assert "/etc/group" not in refused.read_text()
    lines = tools.run("/usr/lib/tomoyo/convert-audit-log", text=refused.read_text())
    assert lines.startswith(f"{SHELL}\nfile read /etc/passwd task.pid=")


def test_auditd_from_afar(tools: Tools, tmp_path: Path) -> None:
    log = tmp_path / "log"
    folder = tools.path / "tomoyo/tools"
    folder.mkdir(parents=True)
    (folder / "auditd.conf").write_text(f"destination {log}\n")
    learn(tools, "/etc/hostname")
    with running(tools) as tree, agent(tools) as address, daemon(tools, "tomoyo-auditd", address):
        until(lambda: _logged(tree, log), "no record")
    assert f"\n{SHELL}\nfile read /etc/passwd\n" in log.read_text()


def _logged(tree: Tree, log: Path) -> bool:
    tree.ask("/etc/passwd")
    assert "refused" == tree.answer()
    return log.exists() and "/etc/passwd" in log.read_text()


def test_notifyd_tells_of_a_violation_and_never_answers(tools: Tools, tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = tmp_path / "tell"
    program.write_text(f"#!/bin/sh\ncat > {told}.$$\nmv {told}.$$ {told}\n")
    program.chmod(0o755)
    folder = tools.path / "tomoyo/tools"
    folder.mkdir(parents=True)
    (folder / "notifyd.conf").write_text(f"time_to_wait 0\naction_to_take {program}\nminimal_interval 0\n")
    learn(tools, "/etc/hostname")
    with running(tools) as tree, daemon(tools, "tomoyo-notifyd"):
        until(lambda: _told(tree, told), "nothing was told")

    assert f"\n{SHELL}\nfile read /etc/passwd\n" in told.read_text()


def test_notifyd_gives_somebody_time_to_answer(tools: Tools, tmp_path: Path) -> None:
    folder = tools.path / "tomoyo/tools"
    folder.mkdir(parents=True)
    (folder / "notifyd.conf").write_text("time_to_wait 300\naction_to_take /bin/true\nminimal_interval 0\n")
    (tools.path / "manager.conf").write_text(tools.file("manager.conf") + "/usr/sbin/tomoyo-notifyd\n")
    learn(tools, "/etc/hostname")
    with running(tools) as tree, daemon(tools, "tomoyo-notifyd"):
        until(lambda: _is_held(tree), "nobody waits")
        with tools.terminal("tomoyo-queryd") as terminal:
            terminal.see(r"file read /etc/passwd\nAllow\?")
            terminal.press("Y")
            assert "allowed" == tree.answer()


def _is_held(tree: Tree) -> bool:
    tree.ask("/etc/passwd")
    return tree.is_waiting(0.5) or tree.answer() != "refused"


def _told(tree: Tree, told: Path) -> bool:
    tree.ask("/etc/passwd")
    assert "refused" == tree.answer()
    return told.exists() and told.read_text() != ""  # 2.6.1 tells the first time with its standard input closed
