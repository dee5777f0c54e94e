"""Programs in all kinds of situations: learned, then enforced, they behave as they do natively."""

from __future__ import annotations

import ast
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor import tiny
from tests.engine.supervisor.supervised import Supervised

PROGRAM = Path(__file__).with_name("situations.py")
_HELPERS = {"output", "write", "read", "failure", "in_child", "script", "main"}
_TREE = ast.parse(PROGRAM.read_text())
SITUATIONS = [
    node.name
    for node in _TREE.body
    if isinstance(node, ast.FunctionDef) and node.name not in _HELPERS and not node.name.startswith("_")
]
COMMAND = [sys.executable, "-I", "-S", str(PROGRAM), *SITUATIONS]


@pytest.fixture(scope="module")
def played() -> Iterator[dict[str, dict[str, str]]]:
    """What each situation came to, natively, learning and enforcing; what was said and denied meanwhile."""
    root = Path(tempfile.mkdtemp(prefix="sekisho-", suffix=".d"))
    try:
        supervised = Supervised(root / "policy", plainly=False)
        found: dict[str, dict[str, str]] = {}
        for way, start in (("native", supervised.native), ("learn", supervised.learn), ("run", supervised.run)):
            play = root / "play"
            shutil.rmtree(play, ignore_errors=True)
            play.mkdir()
            (play / "tiny").write_bytes(tiny.program())
            (play / "tiny").chmod(0o755)
            result = start(*COMMAND, cwd=play)
            found[way] = dict(line.split("\t", 1) for line in result.out.splitlines())
            found[f"{way} said"] = dict.fromkeys(result.err.splitlines(), "")
        found["denied"] = dict.fromkeys(supervised.rejected(), "")
        yield found
    finally:
        shutil.rmtree(root, ignore_errors=True)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_learning_changes_nothing(played: dict[str, dict[str, str]], situation: str) -> None:
    assert played["learn"].get(situation) == played["native"][situation]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_enforcing_what_was_learned_changes_nothing(played: dict[str, dict[str, str]], situation: str) -> None:
    assert played["run"].get(situation) == played["native"][situation], list(played["denied"])


def test_nothing_of_what_was_learned_is_denied(played: dict[str, dict[str, str]]) -> None:
    assert list(played["denied"]) == []


def test_nothing_is_complained_of(played: dict[str, dict[str, str]]) -> None:
    assert list(played["run said"]) == []
