"""Real programs under what only TOMOYO 1.8 could do to them: they move by themselves, and they sleep."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.engine.supervisor.supervised import Supervised, domain

SCRIPT = """
import sys
settings = open(sys.argv[1]).read()
try:
    print(open(sys.argv[2]).read(), end="")
except PermissionError as error:
    print(error)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Reads its settings, then what it is told to."""
    (tmp_path / "settings").write_text("some\n")
    (tmp_path / "data").write_text("data\n")
    (tmp_path / "program.py").write_text(SCRIPT)
    return tmp_path / "program.py"


@pytest.fixture
def supervised(program: Path, tmp_path: Path) -> Supervised:
    """What the program does is known, and each domain is held in its own profile's mode."""
    made = Supervised(tmp_path / "policy")
    assert "data\n" == made.learn(made.python, program, tmp_path / "settings", tmp_path / "data").out
    return made


def python(supervised: Supervised) -> str:
    return domain(supervised.python)


def run(supervised: Supervised, tmp_path: Path) -> str:
    return supervised.run(
        supervised.python, tmp_path / "program.py", tmp_path / "settings", tmp_path / "data", mode="profile"
    ).out


def test_a_program_gives_up_what_it_needs_no_more(supervised: Supervised, tmp_path: Path) -> None:
    name, entries = python(supervised), supervised.entries()
    lines = entries[name]
    inner = f"{name} /after-its-settings"
    settings = f"file read {tmp_path}/settings"
    entries[inner] = {line for line in lines if not line.startswith(f"file read {tmp_path}/data")}
    entries[name] = lines - {settings} | {f'{settings} auto_domain_transition="/after-its-settings"'}
    supervised.write(entries)
    assert "Operation not permitted" in run(supervised, tmp_path)
    assert [f"file read {tmp_path}/data"] == supervised.rejected()
    assert {inner} == {record["domain"] for record in supervised.records() if record["mode"] == "enforcing"}

    supervised.write({**entries, inner: lines})
    assert "data\n" == run(supervised, tmp_path)


def test_a_condition_moves_it_without_its_doing(supervised: Supervised, tmp_path: Path) -> None:
    name, entries = python(supervised), supervised.entries()
    held = f"{name} /held"
    moves = f"task auto_domain_transition {held} task.pid!=0"
    supervised.write({**entries, name: entries[name] | {moves}, held: entries[name]})
    assert "data\n" == run(supervised, tmp_path)
    allowed = {line for line in entries[name] if not line.endswith("/data")}
    supervised.write({**entries, name: entries[name] | {moves}, held: allowed})
    assert "Operation not permitted" in run(supervised, tmp_path)


@pytest.mark.parametrize("mode", ["learning", "permissive"])
def test_where_it_has_moved_to_it_is_learned_and_permitted(supervised: Supervised, tmp_path: Path, mode: str) -> None:
    name, entries = python(supervised), supervised.entries()
    settings = f"file read {tmp_path}/settings"
    entries[name] = entries[name] - {settings} | {f'{settings} auto_domain_transition="/inner"'}
    supervised.write(entries)
    words = (supervised.python, tmp_path / "program.py", tmp_path / "settings", tmp_path / "data")
    assert "data\n" == supervised.run(*words, mode=mode).out
    line = f"file read {tmp_path}/data"
    if mode == "learning":
        assert line in supervised.entries()[f"{name} /inner"]
    else:
        assert line in supervised.rejected("permissive")


@pytest.mark.slow
def test_a_violator_sleeps(supervised: Supervised, tmp_path: Path) -> None:
    name, entries = python(supervised), supervised.entries()
    supervised.write({**entries, name: {line for line in entries[name] if not line.endswith("/data")}})
    profile = supervised.path / "profile.conf"
    text = profile.read_text().replace("max_learning_entry", "enforcing_penalty=20 max_learning_entry")
    profile.write_text(text)
    begun = time.monotonic()
    assert "Operation not permitted" in run(supervised, tmp_path)
    assert time.monotonic() - begun > 2.0
