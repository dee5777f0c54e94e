"""docs/bypasses.md and the attacks that are carried out name the same ways around."""

from __future__ import annotations

import re
from pathlib import Path

from tests.bypass.arena import HERE


def test_every_attack_is_documented(repository: Path) -> None:
    """The last column of the first table lists exactly the attacks of the programs."""
    text = (repository / "docs" / "bypasses.md").read_text()
    table = text.partition("## Mitigated")[2].partition("\n\nWhen")[0]
    cells = [line.rpartition(" | ")[2] for line in table.splitlines() if line.startswith("| ") and "`" in line]
    documented = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    carried_out = [
        name
        for source in ("attacks.c", "races.c", "deputy.c", "control.c", "births.c")
        for name in re.findall(r'^    \{"(\w+)", ', (HERE / source).read_text(), re.MULTILINE)
    ]

    assert sorted(documented) == sorted(carried_out)
