from __future__ import annotations

import time

import pytest
from tests.engine.lsm.publish.memory import MemoryMaps

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.publish.publisher import Publisher
from sekisho.policy.edit import add_entry, delete_domain, ensure_domain
from sekisho.policy.model import Domain, Policy
from sekisho.policy.parser import parse_acl, parse_domain_policy, parse_exception_policy, parse_profile
from sekisho.store.defaults import profiles

TEXT = r"""
<kernel>
use_profile 0
use_group 0

<kernel> /bin/sh
use_profile 3
use_group 0

file read /etc/passwd
file read /usr/\{\*\}/\*
file execute /bin/ls

<kernel> /bin/sh /bin/ls
use_profile 1

"""
EXCEPTIONS = "acl_group 0 file read /etc/ld.so.cache\ninitialize_domain /usr/sbin/sshd from any\n"


@pytest.fixture
def policy() -> Policy:
    policy = Policy()
    parse_profile(profiles(), policy)
    parse_exception_policy(EXCEPTIONS, policy)
    parse_domain_policy(TEXT, policy)
    return policy


@pytest.fixture
def maps() -> MemoryMaps:
    return MemoryMaps()


def binding(maps: MemoryMaps, publisher: Publisher, name: str, book: int | None = None) -> layout.Binding:
    number = publisher.domains.domain(name).to_bytes(4, "little")
    book = maps.book() if book is None else book
    return layout.Binding.from_buffer_copy(maps.tables[f"bindings_{book}"].contents[number])


def learn(domain: Domain, line: str) -> None:
    add_entry(domain, parse_acl(line))


def test_all_of_policy_holds_from_one_store_on(policy: Policy, maps: MemoryMaps) -> None:
    publisher = Publisher(maps)

    publisher.publish(policy)

    shell = binding(maps, publisher, "<kernel> /bin/sh")
    assert shell.list
    assert shell.shared == binding(maps, publisher, "<kernel>").shared != 0
    assert 0 == binding(maps, publisher, "<kernel> /bin/sh /bin/ls").list
    profile = layout.Profile.from_buffer_copy(
        maps.tables[f"profiles_{maps.book()}"].contents[shell.profile.to_bytes(4, "little")]
    )
    assert 3 == profile.config[layout.NUMBERS["file read"]] & 3
    assert 1 == maps.log.count("book")
    assert maps.log.index("book") > max(
        len(maps.log) - 1 - maps.log[::-1].index(name) for name in ("lists", "found", "rules", "controls", "namespaces")
    )
    assert layout.DOMAIN_EXISTS == publisher.domains.record(publisher.domains.domain("<kernel> /bin/sh")).flags


def test_one_changed_list_is_one_store(policy: Policy, maps: MemoryMaps) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    before = binding(maps, publisher, "<kernel> /bin/sh").list
    maps.log.clear()
    learn(policy.domains["<kernel> /bin/sh"], "file read /etc/shadow")

    assert 1 == publisher.publish(policy, [policy.domains["<kernel> /bin/sh"]])

    after = binding(maps, publisher, "<kernel> /bin/sh").list
    assert before != after
    assert f"bindings_{maps.book()}" == maps.log[-1]
    assert 1 == maps.log.count("lists")
    assert "book" not in maps.log
    assert before.to_bytes(4, "little") in maps.tables["lists"].contents
    publisher.collect()
    assert before.to_bytes(4, "little") not in maps.tables["lists"].contents
    assert after.to_bytes(4, "little") in maps.tables["lists"].contents
    assert not publisher.wasteful


def test_nothing_is_written_where_nothing_has_changed(policy: Policy, maps: MemoryMaps) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    maps.log.clear()

    assert 0 == publisher.publish(policy)
    assert [] == maps.log


def test_another_profile_comes_with_the_other_book(policy: Policy, maps: MemoryMaps) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    lists, book = dict(maps.tables["lists"].contents), maps.book()
    domain = policy.domains["<kernel> /bin/sh"]
    domain.profile = 1
    domain.generation += 1

    publisher.publish(policy)

    assert 1 - book == maps.book()
    assert binding(maps, publisher, "<kernel> /bin/sh", book).profile != binding(maps, publisher, domain.name).profile
    assert set(lists) <= set(maps.tables["lists"].contents)


def test_directives_of_each_book_are_its_own(policy: Policy, maps: MemoryMaps) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    assert [1] == [int.from_bytes(key[:4], "little") for key in maps.tables["controls"].contents]
    policy.namespaces["<kernel>"].transitions.clear()
    policy.namespaces["<kernel>"].generation += 1
    publisher.publish(policy)
    policy.namespaces["<kernel>"].generation += 1
    publisher.publish(policy)

    assert {} == maps.tables["controls"].contents


def test_what_the_kernel_made_keeps_what_it_has(policy: Policy, maps: MemoryMaps) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    made = layout.DOMAINS_BY_KERNEL
    key = made.to_bytes(4, "little")
    shell = publisher.domains.domain("<kernel> /bin/sh")
    word = publisher.names.word("/bin/cat")
    maps.tables["domains"].contents[key] = bytes(layout.Domain(shell, 1, word, 1, layout.DOMAIN_EXISTS, shell))
    maps.tables["counts"].contents[bytes(4)] = bytes(layout.Counts(next_domain=1))
    policy.namespaces["<kernel>"].generation += 1

    publisher.publish(policy)

    parent = binding(maps, publisher, "<kernel> /bin/sh")
    given = layout.Binding.from_buffer_copy(maps.tables[f"bindings_{maps.book()}"].contents[key])
    assert (0, parent.shared, parent.profile) == (given.list, given.shared, given.profile)


def test_a_domain_that_is_gone_exists_no_more(policy: Policy, maps: MemoryMaps) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    held = binding(maps, publisher, "<kernel> /bin/sh").list
    delete_domain(policy, "<kernel> /bin/sh")
    publisher.publish(policy)

    assert 0 == publisher.domains.record(publisher.domains.domain("<kernel> /bin/sh")).flags
    assert held == binding(maps, publisher, "<kernel> /bin/sh").list
    learn(ensure_domain(policy, "<kernel> /bin/sh"), "file read /new")
    publisher.publish(policy)
    assert held != binding(maps, publisher, "<kernel> /bin/sh").list


def made_again(maps: MemoryMaps, publisher: Publisher, number: int) -> None:
    """What the kernel does when a task executes into a domain that isn't there: see bpf/domain.h."""
    record = publisher.domains.record(number)
    record.flags, record.creator = layout.DOMAIN_EXISTS, publisher.domains.domain("<kernel>")
    maps.tables["domains"].contents[number.to_bytes(4, "little")] = bytes(record)
    for book in (0, 1):
        maps.tables[f"bindings_{book}"].contents[number.to_bytes(4, "little")] = bytes(layout.Binding(profile=2))


@pytest.mark.parametrize("when", ["before", "while the book is filled"])
def test_a_deleted_domain_that_the_kernel_makes_again_gets_nothing_of_what_it_had(
    policy: Policy, maps: MemoryMaps, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    delete_domain(policy, "<kernel> /bin/sh")
    publisher.publish(policy)
    number = publisher.domains.domain("<kernel> /bin/sh")
    policy.namespaces["<kernel>"].generation += 1
    if when == "before":
        made_again(maps, publisher, number)
    else:
        real = publisher.books._fill_bindings

        def fill(book: int) -> None:
            real(book)
            made_again(maps, publisher, number)

        monkeypatch.setattr(publisher.books, "_fill_bindings", fill)
    publisher.publish(policy)
    monkeypatch.undo()

    assert not binding(maps, publisher, "<kernel> /bin/sh").list
    learn(ensure_domain(policy, "<kernel> /bin/sh"), "file read /new")
    publisher.publish(policy, [policy.domains["<kernel> /bin/sh"]])
    assert binding(maps, publisher, "<kernel> /bin/sh").list


def test_what_the_kernel_gave_a_domain_made_again_is_replaced_by_what_policy_says(
    policy: Policy, maps: MemoryMaps
) -> None:
    publisher = Publisher(maps)
    ensure_domain(policy, "<kernel> /bin/empty").profile = 3
    publisher.publish(policy)
    slot = binding(maps, publisher, "<kernel> /bin/empty").profile
    delete_domain(policy, "<kernel> /bin/empty")
    publisher.publish(policy)
    made_again(maps, publisher, publisher.domains.domain("<kernel> /bin/empty"))
    ensure_domain(policy, "<kernel> /bin/empty").profile = 3
    publisher.publish(policy, [policy.domains["<kernel> /bin/empty"]])

    assert binding(maps, publisher, "<kernel> /bin/empty").profile == slot


def test_a_domain_that_the_kernel_is_about_to_make_has_what_policy_says(
    policy: Policy, maps: MemoryMaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    learn(ensure_domain(policy, "<kernel> /bin/new"), "file read /new")
    number = publisher.domains.domain("<kernel> /bin/new")
    real = publisher._describe

    def describe(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        made_again(maps, publisher, number)

    monkeypatch.setattr(publisher, "_describe", describe)
    publisher.publish(policy, [policy.domains["<kernel> /bin/new"]])

    assert binding(maps, publisher, "<kernel> /bin/new").list


def test_ten_thousand_rules_are_there_within_a_second(policy: Policy, maps: MemoryMaps) -> None:
    for number in range(100):
        domain = ensure_domain(policy, f"<kernel> /bin/p{number}")
        for entry in range(100):
            learn(domain, f"file read /some/where/{number}/file{entry}")
    publisher = Publisher(maps)
    begin = time.process_time()
    publisher.publish(policy)
    whole = time.process_time() - begin
    learn(policy.domains["<kernel> /bin/p7"], "file write /x")
    begin = time.process_time()
    publisher.publish(policy, [policy.domains["<kernel> /bin/p7"]])
    single = time.process_time() - begin

    assert whole < 5  # a second, on a machine that has nothing else to do
    assert single < 0.25  # a twentieth of one


def test_what_the_kernel_cant_be_told_is_known(
    policy: Policy, maps: MemoryMaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    held = binding(maps, publisher, "<kernel> /bin/sh").list

    def refuse(*_: object) -> None:
        raise ValueError("too large")

    monkeypatch.setattr("sekisho.engine.lsm.publish.lists.compile_list", refuse)
    learn(policy.domains["<kernel> /bin/sh"], "file read /x")
    publisher.publish(policy)
    assert {"<kernel> /bin/sh": "too large"} == publisher.trouble
    assert held == binding(maps, publisher, "<kernel> /bin/sh").list
    monkeypatch.undo()
    publisher.publish(policy)
    assert {} == publisher.trouble
    assert held != binding(maps, publisher, "<kernel> /bin/sh").list


def test_a_domain_that_is_new_has_what_it_will_have_before_tasks_can_move_to_it(
    policy: Policy, maps: MemoryMaps
) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    held = maps.book()
    name = "<kernel> /bin/new"
    learn(ensure_domain(policy, name), "file read /x")
    ensure_domain(policy, name).profile = 3
    seen = []
    describe = publisher.domains.describe

    def looking(domain: int, flags: int) -> None:
        if domain == publisher.domains.domain(name) and flags & layout.DOMAIN_EXISTS:
            raw = maps.tables[f"bindings_{held}"].lookup(domain.to_bytes(4, "little"))
            seen.append(layout.Binding.from_buffer_copy(raw or bytes(layout.Binding())))
        describe(domain, flags)

    publisher.domains.describe = looking  # type: ignore[method-assign]
    publisher.publish(policy)
    assert (True, True) == (seen[0].list > 0, seen[0].profile > 0)
    # It goes on having that in whichever book holds later.
    policy.namespaces["<kernel>"].generation += 1
    publisher.publish(policy)
    assert held != maps.book()
    later = binding(maps, publisher, name)
    assert (True, seen[0].profile) == (later.list > 0, later.profile)


def test_what_of_a_namespace_no_list_is_made_of_has_none_compiled_anew(policy: Policy, maps: MemoryMaps) -> None:
    publisher = Publisher(maps)
    publisher.publish(policy)
    before = binding(maps, publisher, "<kernel> /bin/sh")

    parse_exception_policy("keep_domain any from /bin/sh\nacl_group 3 file read /etc/group\n", policy)
    policy.namespaces["<kernel>"].generation += 1
    publisher.publish(policy)
    assert binding(maps, publisher, "<kernel> /bin/sh").list == before.list
    assert binding(maps, publisher, "<kernel> /bin/sh").shared == before.shared

    parse_exception_policy("path_group NAMES /etc/shadow\n", policy)
    policy.namespaces["<kernel>"].generation += 1
    publisher.publish(policy)
    assert binding(maps, publisher, "<kernel> /bin/sh").list != before.list
