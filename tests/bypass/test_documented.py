"""docs/bypasses.md and the attacks that are carried out name the same ways around."""

from __future__ import annotations

import re
from pathlib import Path

from tests.bypass.arena import names

from sekisho.engine.lsm.hooks import LIMITS, UNAVAILABLE


def test_every_attack_is_documented(repository: Path) -> None:
    """The last column of the first table lists exactly the attacks of the programs."""
    text = (repository / "docs" / "bypasses.md").read_text()
    table = text.partition("## Mitigated")[2].partition("\n\nWhen")[0]
    cells = [line.rpartition(" | ")[2] for line in table.splitlines() if line.startswith("| ") and "`" in line]
    documented = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    carried_out = [
        name
        for source in (
            "attacks.c",
            "races.c",
            "swaps.c",
            "others.c",
            "lending.c",
            "deputy.c",
            "control.c",
            "births.c",
            "traced.c",
            "hearing.c",
            "signals.c",
        )
        for name in names(source)
    ]

    assert sorted(documented) == sorted(carried_out)


def test_what_is_held_in_a_whole_system_is_tested(repository: Path) -> None:
    """The last column of that table names tests that are there; hooks' own limits stand among the open ones."""
    whole = (repository / "docs" / "bypasses.md").read_text().partition("## The whole system")[2]
    held, _, openly = whole.partition("### Open")
    cells = [line.rpartition(" | ")[2] for line in held.splitlines() if line.startswith("| ")]
    named = {name for cell in cells for name in re.findall(r"test_\w+\.py", cell)}

    assert named
    places = [repository / "tests" / place for place in ("engine/lsm", "vm")]
    assert {name for name in named if not any(any(place.rglob(name)) for place in places)} == set()
    words = {keyword.split()[-1].removeprefix("use_") for keyword in (*UNAVAILABLE, *LIMITS)}
    written = {"kernel_module": "module", "SYS_TIME": "clock", "ptrace": "proc"}
    assert {word for word in words if written.get(word, word) not in openly.replace("signals", "signal")} == set()
