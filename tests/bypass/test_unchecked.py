"""Where the supervisor's own check has failed, Landlock still holds the line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bypass.arena import HERE, Arena, arena, names

from sekisho.engine.supervisor.system import landlock

pytestmark = [pytest.mark.root, pytest.mark.needs("gcc")]

_NAMES = names("unchecked.c")
Outcomes = dict[str, str]


def prepare(held: Arena) -> None:
    """Policy grants a little of everything that is attacked, elsewhere."""
    for name in ("written", "emptied", "truncated", "removed"):
        (held.folder / "forbidden" / name).write_text("theirs\n")
    for name in ("empty", "movable folder"):
        (held.folder / "forbidden" / name).mkdir()
    (held.folder / "readable").mkdir()
    (held.folder / "readable" / "file").write_text("theirs\n")
    mine = f"{held.folder}/allowed"
    held.policy.write(
        {
            f"<kernel> {held.tool}": {
                "misc env \\*",
                f"file read/write/append/truncate/unlink {mine}/\\*",
                f"file create {mine}/\\* 0-0777",
                f"file mkdir {mine}/\\*/ 0-0777",
                f"file symlink {mine}/\\*",
                f"file rename/link {mine}/\\* {mine}/\\*",
                f"file read {held.folder}/readable/\\*",
                f"network inet stream connect 127.0.0.1 {held.ports[0]}",
                f"network inet stream bind 127.0.0.1 {held.ports[0]}",
            }
        }
    )


@pytest.fixture(scope="module")
def unchecked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Outcomes, Outcomes]]:
    """What everything comes to where nothing is checked: without Landlock, and with it."""
    assert landlock.abi() >= landlock.NETWORK_ABI, "this kernel can't hold all of it"
    found = []
    for landlock_is in ("without", "with"):
        with arena(tmp_path_factory.mktemp(landlock_is), "unchecked.c") as held:
            prepare(held)
            held.policy.program = (str(HERE / "unchecked.py"), landlock_is)
            found.append(held.under())
    yield found[0], found[1]


@pytest.mark.parametrize("name", _NAMES)
def test_landlock_holds_what_nobody_checks(unchecked: tuple[Outcomes, Outcomes], name: str) -> None:
    """It happens for want of a check, and with Landlock it doesn't."""
    without, held = unchecked

    assert "succeeded" == without[name], without["stderr"]
    assert "failed" == held[name], held["stderr"]


def test_nothing_is_different_where_the_check_works(tmp_path: Path) -> None:
    """What policy grants there is done, and what it doesn't grant is refused by the check itself, and recorded."""
    with arena(tmp_path, "unchecked.c") as held:
        prepare(held)

        outcomes = held.under()

        assert {"failed"} == {outcomes[name] for name in _NAMES}
        assert (held.folder / "allowed" / "other").exists()
        assert f"file read {held.folder}/forbidden/secret" in held.policy.rejected()
