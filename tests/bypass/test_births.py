"""Whoever is born between a look and what follows from it is in the domain that it was born in, and out of reach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bypass.arena import HERE, Arena, arena, compile_c, lines

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("gcc"), pytest.mark.needs("unshare")]

_ALONE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""Where numbers are guessed, only ours may be there to be hit."""
_NAMES = re.findall(r'^    \{"(\w+)", ', (HERE / "births.c").read_text(), re.MULTILINE)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Arena]:
    """The program breeder may read what its parent may not."""
    with arena(tmp_path, "births.c") as made:
        compile_c("breeder.c", made.folder / "breeder", "-static", "-no-pie")
        (made.folder / "granted").write_text("secret\n")
        chain = f"<kernel> {made.tool}"
        rules = {
            *lines(made.folder, made.ports[0], chain),
            "file read proc:/loadavg",
            f"file execute {made.folder}/breeder initialize",
        }
        rules.remove("ipc signal 1-64 <kernel>")
        bred = {"misc env \\*", f"file read {made.folder}/granted"}
        made.policy.write({chain: rules, f"<kernel> {made.folder}/breeder": bred})
        made.before = made.policy.before = _ALONE
        yield made


@pytest.mark.parametrize("name", _NAMES)
def test_stopped(held: Arena, name: str) -> None:
    """It can be done where nobody watches, and not in enforcing mode."""
    assert held.without(name, tries=200) == {name: "succeeded"}

    under = held.under(name, tries=200)

    assert under.get(name) in ("failed", "killed"), under["stderr"][-2000:]
