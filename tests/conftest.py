"""What all tests share: leaving out, and saying so, what this machine or user can't run."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.vm.machine import absent

# How long anything takes is the machine's affair, and no test's.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

REPOSITORY = Path(__file__).resolve().parent.parent
_SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
_INSTALLABLE = set(re.findall(r"^(\S+) \S+$", (REPOSITORY / "scripts/test-dependencies").read_text(), re.MULTILINE))
"""The programs that scripts/test-dependencies installs: a test may need no other."""
_left_out = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--long``: tests that put something under stress go on for a minute."""
    parser.addoption("--long", action="store_true", help="let stress tests go on for a minute")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests whose programs are missing are deselected, never skipped: the summary names them."""
    missing: dict[str, int] = {}
    kept: list[pytest.Item] = []
    out: list[pytest.Item] = []
    for item in items:
        absent = _absent_programs(item)
        for program in absent:
            missing[program] = missing.get(program, 0) + 1
        (out if absent else kept).append(item)
    config.stash[_left_out] = missing
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = kept


def _absent_programs(item: pytest.Item) -> list[str]:
    programs = [program for mark in item.iter_markers("needs") for program in mark.args]
    unknown = set(programs) - _INSTALLABLE
    if unknown:
        raise pytest.UsageError(f"{item.nodeid} needs {unknown}, which scripts/test-dependencies doesn't know")
    machines = [lacking for mark in item.iter_markers("vm") for lacking in absent(mark.args)]
    return [program for program in programs if shutil.which(program, path=_SYSTEM_PATH) is None] + machines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says which programs were missing and how many tests that left out."""
    for program, count in sorted(config.stash.get(_left_out, {}).items()):
        terminalreporter.write_line(f"not tested here: {count} test(s) that need {program}", yellow=True)


@pytest.fixture
def repository() -> Path:
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture
def policy_directory(tmp_path: Path) -> Path:
    """A place for a policy directory that isn't there yet."""
    return tmp_path / "policy"
