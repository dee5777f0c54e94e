"""tomoyo-queryd: a program that policy refuses waits until a key is pressed, and goes on as that key says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.interface.tools.agent import agent
from tests.interface.tools.conftest import Tools
from tests.interface.tools.terminal import PATIENCE, Terminal
from tests.interface.tools.tree import SHELL, Tree, learn, running

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]

PROMPT = r"Allow\? \('Y'es/'N'o/'R'etry/'S'how policy/'A'dd to policy and retry\):"


@contextmanager
def asking(tools: Tools, *address: str) -> Iterator[tuple[Tree, Terminal]]:
    """A tree that may read /etc/hostname only, and queryd, which has been asked about /etc/passwd."""
    learn(tools, "/etc/hostname")
    with running(tools) as tree:
        tree.ask("/etc/passwd")
        assert "refused" == tree.answer()
        with tools.terminal("tomoyo-queryd", *address) as terminal:
            terminal.see(r"Monitoring .* Press Ctrl-C to terminate\.")
            tree.ask("/etc/passwd")
            terminal.see(rf"^{SHELL}\nfile read /etc/passwd\n{PROMPT}$")
            assert tree.is_waiting()
            yield tree, terminal


def ask_until_held(tree: Tree, path: str) -> None:
    """The tree is asked again and again, until somebody is there who could answer."""
    end = time.monotonic() + PATIENCE
    tree.ask(path)
    while not tree.is_waiting(0.5):
        assert "refused" == tree.answer()
        assert time.monotonic() < end, "nobody is asked"
        tree.ask(path)


def policy(tools: Tools) -> list[str]:
    return tools.run("tomoyo-selectpolicy", SHELL, text=tools.run("tomoyo-savepolicy", "-d")).splitlines()


def test_yes_allows_it_once(tools: Tools) -> None:
    with asking(tools) as (tree, terminal):
        terminal.press("Y")
        assert "allowed" == tree.answer()
        tree.ask("/etc/passwd")
        terminal.see(rf"{PROMPT}Y\n[^$]*{PROMPT}$")
        terminal.press("N")
        assert "refused" == tree.answer()
    assert "file read /etc/passwd" not in policy(tools)


def test_no_refuses_it(tools: Tools) -> None:
    with asking(tools) as (tree, terminal):
        terminal.press("N")
        assert "refused" == tree.answer()


def test_retry_asks_policy_again_which_may_have_changed(tools: Tools) -> None:
    with asking(tools) as (tree, terminal):
        terminal.press("R")
        terminal.see(rf"{PROMPT}R\n[^$]*{PROMPT}$")
        assert tree.is_waiting()
        tools.run("tomoyo-loadpolicy", "-d", text=f"select {SHELL}\nfile read /etc/passwd\n")
        terminal.press("R")
        assert "allowed" == tree.answer()


def test_add_writes_the_line_into_policy_and_goes_on(tools: Tools) -> None:
    with asking(tools) as (tree, terminal):
        terminal.press("A")
        terminal.see("^Enter new entry> file read /etc/passwd$")
        terminal.press("backspace", "backspace", "\\", "?", "d", "enter")
        terminal.see(r"^Added 'file read /etc/pass\\\?d'\.$")
        assert "allowed" == tree.answer()
        tree.ask("/etc/passwd")
        assert "allowed" == tree.answer()
    assert r"file read /etc/pass\?d" in policy(tools)


def test_show_tells_the_domains_policy(tools: Tools) -> None:
    with asking(tools) as (tree, terminal):
        terminal.press("S")
        terminal.see(rf"^# select Q=\d+\n{SHELL}\nuse_profile 3\n")
        terminal.see(r"^file read /etc/hostname$")
        terminal.press("N")
        assert "refused" == tree.answer()


def test_ctrl_c_ends_it_and_with_it_the_waiting(tools: Tools) -> None:
    with asking(tools) as (tree, terminal):
        terminal.press("\x03")
        terminal.end()
        assert "refused" == tree.answer()
        tree.ask("/etc/passwd")
        assert "refused" == tree.answer()


def test_it_asks_about_a_tree_that_starts_later(tools: Tools) -> None:
    learn(tools, "/etc/hostname")
    tools.run("tomoyo-setprofile", "3", SHELL)
    with tools.terminal("tomoyo-queryd") as terminal:
        terminal.see("Monitoring")
        for number in (1, 2):
            with running(tools) as tree:
                ask_until_held(tree, "/etc/passwd")
                terminal.see(rf"(?s)({PROMPT}.*){{{number}}}\Z")
                terminal.press("Y")
                assert "allowed" == tree.answer()


def test_through_the_agent(tools: Tools) -> None:
    managers = tools.file("manager.conf") + "/usr/lib/tomoyo/tomoyo-editpolicy-agent\n"
    (tools.path / "manager.conf").write_text(managers)
    learn(tools, "/etc/hostname")
    with running(tools) as tree, agent(tools) as address:
        with tools.terminal("tomoyo-queryd", address) as terminal:
            terminal.see("Monitoring")
            tree.ask("/etc/passwd")
            terminal.see(PROMPT)
            terminal.press("Y")
            assert "allowed" == tree.answer()


def test_who_is_no_manager_answers_in_vain(tools: Tools) -> None:
    (tools.path / "manager.conf").write_text("/usr/sbin/tomoyo-loadpolicy\n/usr/sbin/tomoyo-setprofile\n")
    learn(tools, "/etc/hostname")
    with running(tools) as tree, tools.terminal("tomoyo-queryd") as terminal:
        terminal.see("Monitoring")
        tree.ask("/etc/passwd")
        terminal.see(PROMPT)
        terminal.press("Y")
        assert "refused" == tree.answer()
