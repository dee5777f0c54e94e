"""``make setup``: from a source tree and python3 alone to the command."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from sekisho import __version__


def setup(repository: Path, venv: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(repository / "scripts/setup"), str(venv)],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_setup_makes_the_command_without_network(repository: Path, tmp_path: Path) -> None:
    result = setup(repository, tmp_path / "venv", SEKISHO_PYTHON=sys.executable, PIP_NO_INDEX="1")
    called = subprocess.run(
        [tmp_path / "venv/bin/sekisho", "--version"], cwd="/", capture_output=True, text=True, timeout=60, check=False
    )

    assert (0, "") == (result.returncode, result.stderr)
    assert (0, f"sekisho {__version__}\n", "") == (called.returncode, called.stdout, called.stderr)


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ("exit 1", "no Python 3.11 or newer found"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "has no venv; on Debian: apt install python3-venv"),
    ],
)
def test_setup_says_what_is_missing(repository: Path, tmp_path: Path, checks: str, said: str) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "cat", "sh"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    (tools / "python3").write_text(f"#!/bin/sh\n{checks}\n")
    (tools / "python3").chmod(0o755)
    script = (repository / "scripts/setup").read_text().replace(" /usr/bin/python3 ", " ")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/setup").write_text(script)

    result = setup(tmp_path, tmp_path / "venv", PATH=str(tools), SEKISHO_PYTHON="")

    assert 1 == result.returncode
    assert said in result.stderr
    assert not (tmp_path / "venv").exists()


def test_packages_carry_what_runs_in_the_kernel(repository: Path) -> None:
    """What isn't ignored and stands below a package's directory is in the wheel; so users need no compiler."""
    ignored = (repository / ".gitignore").read_text().split()
    build = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["hatch"]["build"]

    assert (repository / "src/sekisho/engine/lsm/sekisho.bpf.o").is_file()
    assert not any(fnmatch("sekisho.bpf.o", pattern) for pattern in ignored)
    assert {"targets"} == set(build) and {"packages", "shared-data"} == set(build["targets"]["wheel"])
