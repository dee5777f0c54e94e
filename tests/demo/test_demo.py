"""The demonstration itself: what it tells a newcomer must come true."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def performance() -> subprocess.CompletedProcess[str]:
    demo = Path(__file__).resolve().parents[2] / "demo/demo.py"
    return subprocess.run([sys.executable, str(demo)], capture_output=True, text=True, timeout=60, check=False)


def test_everything_goes_as_told(performance: subprocess.CompletedProcess[str]) -> None:
    assert (performance.returncode, performance.stderr) == (0, "")


def test_the_policy_is_shown_as_a_tree(performance: subprocess.CompletedProcess[str]) -> None:
    tree = performance.stdout.split("$ sekisho domains")[1].splitlines()[1:4]

    assert ["<kernel>", "python3", "uname"] == [
        word for line, word in zip(tree, ("<kernel>", "python3", "uname"), strict=True) if word in line
    ]


@pytest.mark.parametrize("line", ["file read /", "file execute /", "network inet stream connect 127.0.0.1 "])
def test_each_denial_is_shown_with_the_line_that_would_allow_it(
    performance: subprocess.CompletedProcess[str], line: str
) -> None:
    assert f"Missing: {line}" in performance.stdout
    assert f"denied {line}" in performance.stdout


def test_each_attack_first_succeeds(performance: subprocess.CompletedProcess[str]) -> None:
    assert performance.stdout.count("alone:         the key of the vault") == 3
    assert performance.stdout.count("under Sekisho: refused") == 3
