from __future__ import annotations

import pytest
from tests.engine.lsm.publish.memory import MemoryMaps

from sekisho.engine.lsm.publish.domains import Domains
from sekisho.engine.lsm.publish.lists import Lists
from sekisho.engine.lsm.publish.names import Names
from sekisho.engine.lsm.publish.publisher import Interning
from sekisho.policy.model import Namespace
from sekisho.policy.parser import parse_acl


@pytest.fixture
def maps() -> MemoryMaps:
    return MemoryMaps()


@pytest.fixture
def lists(maps: MemoryMaps) -> Lists:
    names = Names(maps)
    return Lists(maps, names, Interning(names, Domains(maps, names)))


def test_a_list_is_in_the_kernel_until_it_is_collected(maps: MemoryMaps, lists: Lists) -> None:
    entries = [parse_acl(line) for line in (r"file read /a/\*", "file mount /dev/a /mnt ext3 0x1", "file link /a /b")]
    first = lists.compile(entries, Namespace("<kernel>"))
    kept = {name: dict(table.contents) for name, table in maps.tables.items() if table.contents}
    second = lists.compile(entries, Namespace("<kernel>"))
    lists.drop(second)
    assert 1 == lists.waiting

    lists.collect()

    assert (1, 2) == (first.number, second.number)
    assert kept == {name: table.contents for name, table in maps.tables.items() if table.contents}
    lists.drop(first)
    lists.collect()
    assert {} == maps.tables["lists"].contents == maps.tables["found"].contents


def test_no_entries_are_no_list(lists: Lists) -> None:
    assert 0 == lists.compile([], Namespace("<kernel>")).number


def test_the_kernel_knows_how_long_programs_names_are(maps: MemoryMaps, lists: Lists) -> None:
    lists.compile([parse_acl(r"file execute /bin/\*")], Namespace("<kernel>"))

    assert [len(r"/bin/\*")] == [int.from_bytes(value, "little") for value in maps.tables["words"].contents.values()]
