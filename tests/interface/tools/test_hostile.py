"""A supervised program that sees the interface files (see docs/bypasses.md) isn't thereby a manager."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from tests.interface.tools.conftest import Tools
from tests.interface.tools.tree import SHELL

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]

FILES = "/sys/kernel/security/tomoyo"


def learn(tools: Tools, script: str) -> str:
    """What ``script`` prints as the program of a running tree that is held to nothing, among the files."""
    return tools.run(sys.executable, "-m", "sekisho", "learn", "-P", str(tools.path), "--", "/usr/bin/sh", "-c", script)


def attempt(file: str, line: str) -> str:
    return f"if printf '{line}\\n' > {FILES}/{file}; then echo done; else echo refused; fi; "


def test_it_changes_no_policy(tools: Tools) -> None:
    before = {switch: tools.run("tomoyo-savepolicy", switch) for switch in ("-e", "-p", "-m")}
    script = (
        attempt("domain_policy", f"select {SHELL}")
        + attempt("domain_policy", "<kernel> /made")
        + attempt("exception_policy", "acl_group 0 file write /etc/shadow")
        + attempt("profile", "3-CONFIG={ mode=disabled }")
        + attempt("manager", "/usr/bin/sh")
        + attempt("manager", "manage_by_non_root")
        + attempt("stat", "Memory used by audit log: 1")
    )

    assert ["refused"] * 7 == learn(tools, script).split()
    assert before == {switch: tools.run("tomoyo-savepolicy", switch) for switch in before}
    assert "<kernel> /made" not in tools.run("tomoyo-savepolicy", "-d")


def test_it_answers_no_question(tools: Tools) -> None:
    assert "refused\n" == learn(tools, attempt("query", "A1=1"))


def test_a_copy_of_a_manager_is_none(tools: Tools, tmp_path: Path) -> None:
    copy = tmp_path / "tomoyo-loadpolicy"
    shutil.copy("/usr/sbin/tomoyo-loadpolicy", copy)
    script = "printf '<kernel> /made\\n' | {} -d && echo done || echo refused"

    assert "refused\n" == learn(tools, script.format(copy))
    assert "<kernel> /made\n" not in tools.run("tomoyo-savepolicy", "-d")
    assert "done\n" == learn(tools, script.format("/usr/sbin/tomoyo-loadpolicy"))
    assert "<kernel> /made\n" in tools.run("tomoyo-savepolicy", "-d")
