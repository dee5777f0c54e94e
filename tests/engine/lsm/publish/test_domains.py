from __future__ import annotations

import pytest
from tests.engine.lsm.publish.memory import MemoryMaps

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.publish.domains import Domains
from sekisho.engine.lsm.publish.names import Names


@pytest.fixture
def maps() -> MemoryMaps:
    return MemoryMaps()


def domains_of(maps: MemoryMaps) -> Domains:
    names = Names(maps)
    names.load()
    domains = Domains(maps, names)
    domains.load()
    return domains


def test_the_kernels_domain_is_the_first(maps: MemoryMaps) -> None:
    assert layout.KERNEL_DOMAIN == domains_of(maps).domain("<kernel>")


def test_every_prefix_has_an_id(maps: MemoryMaps) -> None:
    domains = domains_of(maps)
    leaf = domains.domain("<kernel> /sbin/init /bin/sh")

    record = domains.record(leaf)
    assert domains.domain("<kernel> /sbin/init") == record.parent
    assert layout.KERNEL_DOMAIN == record.root
    assert (len("<kernel> /sbin/init /bin/sh"), 0) == (record.length, record.flags)
    assert domains.domain("<other>") == domains.record(domains.domain("<other> /x")).root


def test_they_keep_their_ids(maps: MemoryMaps) -> None:
    before = domains_of(maps).domain("<kernel> /a /b")
    after = domains_of(maps)

    assert before == after.domain("<kernel> /a /b")
    assert before + 1 == after.domain("<kernel> /c")


def test_what_the_kernel_made_is_the_same(maps: MemoryMaps) -> None:
    domains = domains_of(maps)
    parent, word = domains.domain("<kernel>"), 77
    maps.tables["names_32"].contents[layout.name_key(b"/bin/ls")[1]] = bytes(layout.NameValue(word, 7))
    made = layout.DOMAINS_BY_KERNEL
    maps.tables["children"].contents[bytes(layout.ChildKey(parent, word))] = made.to_bytes(4, "little")
    maps.tables["domains"].contents[made.to_bytes(4, "little")] = bytes(layout.Domain(parent, parent, word, 16, 1, 1))

    assert "<kernel> /bin/ls" == domains.name(made)
    assert made == domains_of(maps).domain("<kernel> /bin/ls")
    assert domains.name(made + 1) is None


def test_flags_are_written_once(maps: MemoryMaps) -> None:
    domains = domains_of(maps)
    domain = domains.domain("<kernel>")
    domains.describe(domain, layout.DOMAIN_EXISTS)
    maps.log.clear()
    domains.describe(domain, layout.DOMAIN_EXISTS)

    assert [] == maps.log
    assert layout.DOMAIN_EXISTS == domains.record(domain).flags
