"""Of items in order: what is plain, and what has to be asked."""

from __future__ import annotations

from sekisho.engine.lsm.compile.chains import Settled, settle, worth
from sekisho.engine.lsm.compile.interning import Ids
from sekisho.engine.lsm.compile.items import Item, ItemMaker
from sekisho.engine.lsm.compile.regions import Cells, Places
from sekisho.engine.lsm.compile.rows import Body
from sekisho.policy.acl import parse_acl
from sekisho.policy.model import Namespace

READ, WRITE = 1 << 1, 1 << 2


def items(*lines: str) -> list[Item]:
    maker = ItemMaker(Namespace("<kernel>"), Ids(), Body(), Places(Cells()))
    made = [maker.make(place, parse_acl(line)) for place, line in enumerate(lines)]
    return [item for item in made if item is not None]


def settled(*lines: str, plainable: int = READ | WRITE) -> tuple[int, list[tuple[int, int]]]:
    result: Settled = settle(items(*lines), plainable)
    return result.plain, [(item.entry, mask) for item, mask in result.kept]


def test_nothing_is_asked_for_after_an_entry_that_always_grants() -> None:
    assert (READ, []) == settled("file read /a", "file read /a task.uid=0")
    assert (READ | WRITE, []) == settled("file read /a task.uid=0", "file read/write /a")
    assert (READ, [(1, WRITE)]) == settled("file read /a", "file read/write /a task.uid=0")


def test_an_entry_that_says_more_is_asked_for_and_all_before_it() -> None:
    assert (0, [(0, READ), (1, READ)]) == settled("file read /a task.uid=0", "file read /a grant_log=no")
    assert (WRITE, [(0, READ), (1, READ)]) == settled(
        'file read /a auto_domain_transition="/b" task.uid=0', "file read/write /a", "file read /a grant_log=no"
    )


def test_only_what_can_be_plain_is() -> None:
    assert (WRITE, [(0, READ)]) == settled("file read/write /a", "file read /a", plainable=WRITE)
    assert [0, 2] == [
        item.entry for item in worth(items("file read /a", "file read /a task.uid=0", "file read/write /a"))
    ]
