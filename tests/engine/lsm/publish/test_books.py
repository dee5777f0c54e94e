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


def test_domains_that_policy_doesnt_have_are_in_no_book_without_a_profile() -> None:
    maps = MemoryMaps()
    names = Names(maps)
    domains = Domains(maps, names)
    books = Books(maps, domains, Interning(names, domains))
    parent = domains.domain("<kernel> /bin/parent")
    left = domains.domain("<kernel> /bin/parent /bin/left")  # nobody made it, as far as anybody knows
    made = layout.DOMAINS_BY_KERNEL
    maps.tables["counts"].update(bytes(4), bytes(layout.Counts(next_domain=2)))
    for number, creator in ((made, made + 1), (made + 1, parent)):
        record = layout.Domain(creator=creator, flags=layout.DOMAIN_EXISTS)
        maps.tables["domains"].update(number.to_bytes(4, "little"), bytes(record))

    books.replace(Policy(), {parent: layout.Binding(3, 4, 5)}, {})

    contents = maps.tables[f"bindings_{maps.book()}"].contents
    for number in (left, made, made + 1):
        assert bytes(layout.Binding(0, 4, 5)) == contents[number.to_bytes(4, "little")]


def test_a_book_is_filled_when_nobody_reads_it_any_more() -> None:
    maps = MemoryMaps()
    names = Names(maps)
    domains = Domains(maps, names)
    books = Books(maps, domains, Interning(names, domains))
    books.replace(Policy(), {1: layout.Binding(3)}, {})
    maps.log.clear()
    books.replace(Policy(), {1: layout.Binding(4)}, {})
    written = next(place for place, what in enumerate(maps.log) if what.startswith(("profiles", "bindings")))
    assert "settle" in maps.log[:written]
