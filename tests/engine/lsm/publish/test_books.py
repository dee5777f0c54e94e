"""Books by themselves; test_publisher.py looks at them in use."""

from __future__ import annotations

from tests.engine.lsm.publish.memory import MemoryMaps

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.publish.books import Books
from sekisho.engine.lsm.publish.domains import Domains
from sekisho.engine.lsm.publish.names import Names
from sekisho.engine.lsm.publish.publisher import Interning
from sekisho.policy.model import Policy


def test_the_engines_own_domains_are_in_every_book() -> None:
    maps = MemoryMaps()
    names = Names(maps)
    domains = Domains(maps, names)
    books = Books(maps, domains, Interning(names, domains))
    own = layout.Binding(profile=1023)
    books.reserved[5] = (own, layout.Profile(defined=1))
    for book in (1, 0):
        books.replace(Policy(), {1: layout.Binding(3)}, {})
        assert book == maps.book()
        assert bytes(own) == maps.tables[f"bindings_{book}"].contents[bytes((5, 0, 0, 0))]
        profile = maps.tables[f"profiles_{book}"].contents[(1023).to_bytes(4, "little")]
        assert bytes(layout.Profile(defined=1)) == profile
    assert [1, 1] == maps.sequence
    assert books.can_patch({1: layout.Binding(4)})
    assert not books.can_patch({1: layout.Binding(4, 1)})
    assert not books.can_patch({2: layout.Binding(4, 1)})
