"""Signals, tracing, namespaces and capabilities under the real engine: learned, allowed, denied, permitted.

What comes of a call where nobody watches is what has to come of it wherever it is allowed.
"""

from __future__ import annotations

import errno
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.engine.supervisor.campaign import NUMBERS, PYTHON
from tests.engine.supervisor.keywords import Row
from tests.engine.supervisor.process_keywords import ROWS, UNASKED
from tests.engine.supervisor.supervised import Supervised, domain

from sekisho.policy.grammar import OPERATIONS

ME = domain(PYTHON[0])
KNOWN = [row for row in (*ROWS, *UNASKED) if all(f"'{name}'" not in row.code or name in NUMBERS for name in NUMBERS)]
ASKING = [row for row in KNOWN if row.lines]
_OURS = ("ipc ", "capability ")
_PLACES = range(max(len(row.lines) for row in ROWS))


def lines(row: Row) -> list[str]:
    """The row's lines, in the order in which they are asked for."""
    return [line.format(me=ME) for line in row.lines]


@dataclass
class Plays:
    """What came of every row, by its name: 0 or an errno."""

    native: dict[str, int] = field(default_factory=dict)
    learned: dict[str, int] = field(default_factory=dict)
    entries: set[str] = field(default_factory=set)
    allowed: dict[str, int] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    """While everything was allowed."""
    permitted: dict[str, int] = field(default_factory=dict)
    permissive: list[str] = field(default_factory=list)
    denied: dict[tuple[str, int], int] = field(default_factory=dict)
    """By the place of the line that is missing."""
    missed: dict[int, list[str]] = field(default_factory=dict)
    said: str = ""


class Stagehand:
    """Runs the asker."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.supervised = Supervised(root / "policy")
        self.said = ""

    def play(self, verb: str, rows: list[Row], mode: str | None = None) -> dict[str, int]:
        """What the rows came to."""
        plan = self.root / "plan.json"
        plan.write_text(
            json.dumps({"numbers": NUMBERS, "steps": [(row.name, row.code, str(self.root), 0, 0) for row in rows]})
        )
        command = [*PYTHON, str(plan)]
        if verb == "native":
            done = self.supervised.native(*command)
        elif verb == "learn":
            done = self.supervised.learn(*command)
        else:
            done = self.supervised.run(*command, mode=mode)
        self.said += f"{verb}: status {done.status}\n{done.err}"
        return {name: int(code) for name, code in (line.split("\t") for line in done.out.splitlines())}


@pytest.fixture(scope="module")
def plays() -> Iterator[Plays]:
    """Everything, played once."""
    with tempfile.TemporaryDirectory(prefix="sekisho-") as root:
        hand, found = Stagehand(Path(root)), Plays()
        found.native = hand.play("native", KNOWN)
        hand.play("learn", [])
        hand.supervised.learn(*PYTHON, str(hand.root / "plan.json"))
        found.learned = hand.play("learn", KNOWN)
        policy = hand.supervised.entries()
        policy.pop("<kernel>")
        found.entries = {line for line in policy[ME] if line.startswith(_OURS)}
        found.allowed = hand.play("run", KNOWN)
        found.rejected = hand.supervised.rejected()
        rest = policy[ME] - found.entries
        hand.supervised.write(policy | {ME: rest})
        hand.supervised.forget_records()
        found.permitted = hand.play("run", KNOWN, "permissive")
        found.permissive = hand.supervised.rejected("permissive")
        for place in _PLACES:
            rows = [row for row in ASKING if len(row.lines) > place]
            missing = {lines(row)[place] for row in rows}
            kept = {line for row in rows for line in lines(row)} - missing
            hand.supervised.write(policy | {ME: rest | kept})
            hand.supervised.forget_records()
            for name, code in hand.play("run", rows).items():
                found.denied[name, place] = code
            found.missed[place] = hand.supervised.rejected()
        found.said = hand.said
        yield found


by_row = pytest.mark.parametrize("row", KNOWN, ids=lambda row: row.name)
by_asking_row = pytest.mark.parametrize("row", ASKING, ids=lambda row: row.name)


def test_exactly_what_was_asked_is_learned(plays: Plays) -> None:
    assert {line for row in ASKING for line in lines(row)} == plays.entries, plays.said


@by_row
def test_learning_lets_it_happen(plays: Plays, row: Row) -> None:
    assert plays.native[row.name] == plays.learned.get(row.name), plays.said


@by_row
def test_what_was_learned_is_allowed(plays: Plays, row: Row) -> None:
    assert plays.native[row.name] == plays.allowed.get(row.name), plays.said


def test_nothing_that_was_learned_is_denied(plays: Plays) -> None:
    assert [] == plays.rejected


@by_row
def test_permissive_mode_lets_it_happen(plays: Plays, row: Row) -> None:
    assert plays.native[row.name] == plays.permitted.get(row.name), plays.said


@by_asking_row
def test_permissive_mode_records_it(plays: Plays, row: Row) -> None:
    assert set(lines(row)) <= set(plays.permissive)


@by_asking_row
def test_without_its_line_it_is_denied(plays: Plays, row: Row) -> None:
    for place in range(len(row.lines)):
        refusal = errno.ENOSYS if "io_uring" in row.name else errno.EPERM

        assert refusal == plays.denied.get((row.name, place)), plays.said


def test_and_nothing_else_is(plays: Plays) -> None:
    for place in _PLACES:
        missing = {lines(row)[place] for row in ASKING if len(row.lines) > place}

        assert missing == set(plays.missed[place])


def test_every_keyword_is_shown() -> None:
    shown = {" ".join(line.split(" ")[:2]) for row in ROWS for line in row.lines}

    assert {keyword for keyword in OPERATIONS if keyword.startswith(_OURS)} == shown
