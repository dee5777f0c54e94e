"""Programs in all kinds of situations: learned, then enforced, they behave as they do natively."""

from __future__ import annotations

import ast
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from tests.engine.supervisor import tiny
from tests.engine.supervisor.supervised import Supervised

HERE = Path(__file__).parent
Played = dict[str, dict[str, str]]
"""What each situation came to, by way (native, learn, run); what was said meanwhile; what was denied."""
_HELPERS = {"output", "write", "read", "failure", "in_child", "script", "main"}


def situations(program: Path, helpers: set[str]) -> list[str]:
    """The functions of ``program`` that are situations."""
    tree = ast.parse(program.read_text())
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [name for name in names if name not in helpers and not name.startswith("_")]


def play(program: Path, names: list[str]) -> Played:
    """``program`` has played these situations natively, learning and enforcing."""
    root = Path(tempfile.mkdtemp(prefix="sekisho-", suffix=".d"))
    try:
        supervised = Supervised(root / "policy", plainly=False)
        found: Played = {}
        for way, start in (("native", supervised.native), ("learn", supervised.learn), ("run", supervised.run)):
            folder = root / "play"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / "tiny").write_bytes(tiny.program())
            (folder / "tiny").chmod(0o755)
            result = start(sys.executable, "-I", "-S", str(program), *names, cwd=folder)
            found[way] = dict(line.split("\t", 1) for line in result.out.splitlines())
            found[f"{way} said"] = dict.fromkeys(result.err.splitlines(), "")
        found["denied"] = dict.fromkeys(supervised.rejected(), "")
        return found
    finally:
        shutil.rmtree(root, ignore_errors=True)


PROGRAM = HERE / "situations.py"
SITUATIONS = situations(PROGRAM, _HELPERS)


@pytest.fixture(scope="module")
def played() -> Played:
    return play(PROGRAM, SITUATIONS)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_learning_changes_nothing(played: Played, situation: str) -> None:
    assert played["learn"].get(situation) == played["native"][situation]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_enforcing_what_was_learned_changes_nothing(played: Played, situation: str) -> None:
    assert played["run"].get(situation) == played["native"][situation], list(played["denied"])


def test_nothing_of_what_was_learned_is_denied(played: Played) -> None:
    assert list(played["denied"]) == []


def test_nothing_is_complained_of(played: Played) -> None:
    assert list(played["run said"]) == []
