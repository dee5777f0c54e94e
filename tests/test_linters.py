"""The linters are tests, so that plain ``pytest`` is the whole gate."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_finds_nothing(command: list[str], repository: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *command], cwd=repository, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/test", "scripts/test-dependencies", ".ci/run"])
def test_shell_scripts_parse(script: str, repository: Path) -> None:
    first_line = (repository / script).read_text().splitlines()[0]
    shell = "bash" if "bash" in first_line else "sh"
    result = subprocess.run([shell, "-n", script], cwd=repository, capture_output=True, text=True, check=False)

    assert (0, "") == (result.returncode, result.stderr)
