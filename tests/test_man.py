"""The man pages are those that the command line's help makes."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def man(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("man", repository / "scripts/man.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_current(man: ModuleType) -> None:
    assert [] == man.outdated(), "run: make man"


@pytest.mark.needs("man")
def test_pages_are_well_formed(man: ModuleType, repository: Path) -> None:
    for name in man.pages():
        result = subprocess.run(
            ["man", "--warnings", "-l", str(repository / "man" / name)],
            capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        assert (0, "") == (result.returncode, result.stderr), name
