"""The filter as the kernel would run it: exactly the listed calls stop, under exactly their conditions."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.supervisor.classic import data, run

from sekisho.engine.supervisor import table
from sekisho.engine.supervisor.system import abi
from sekisho.engine.supervisor.system.bpf import RET_ALLOW, RET_ERRNO, RET_USER_NOTIF, Where, assemble

X86_64 = abi.ARCHITECTURES["x86_64"]
AARCH64 = abi.ARCHITECTURES["aarch64"]
I386, X32 = 0x40000003, 0x40000000

words = st.integers(0, 0xFFFFFFFF)
small = st.integers(0, 3)
values = st.one_of(small, words, st.integers(0, (1 << 64) - 1), small.map(lambda low: low | 1 << 32))
conditions = st.builds(
    Where,
    arg=st.integers(0, 5),
    values=st.lists(st.one_of(small, words), max_size=3).map(tuple),
    bits=st.one_of(st.just(0), small, words),
    nonzero=st.booleans(),
    others=st.lists(st.one_of(small, words), max_size=3).map(tuple),
    within=st.none()
    | st.tuples(st.integers(0, 5), st.lists(st.one_of(small, words), min_size=1, max_size=3).map(tuple)),
)
numbers = st.integers(0, 12)
calls = st.dictionaries(numbers, st.lists(conditions, max_size=3).map(tuple), max_size=6)


def holds(where: Where, args: tuple[int, ...]) -> bool:
    """What ``Where`` says, in other words."""
    if where.within is not None and args[where.within[0]] & 0xFFFFFFFF not in where.within[1]:
        return False
    low = args[where.arg] & 0xFFFFFFFF
    other = bool(where.others) and low not in where.others
    return low in where.values or other or bool(low & where.bits) or (where.nonzero and args[where.arg] != 0)


def empty(where: Where) -> bool:
    """A condition that says nothing."""
    return where.within is None and not (where.values or where.bits or where.nonzero or where.others)


def expected(listed: dict[int, tuple[Where, ...]], nr: int, args: tuple[int, ...]) -> int:
    if nr not in listed:
        return RET_ALLOW
    said = [where for where in listed[nr] if not empty(where)]
    return RET_USER_NOTIF if not said or any(holds(where, args) for where in said) else RET_ALLOW


@given(calls, numbers, st.tuples(*[values] * 6))
def test_listed_calls_ask_where_told_and_nothing_else_does(
    listed: dict[int, tuple[Where, ...]], nr: int, args: tuple[int, ...]
) -> None:
    program = assemble(X86_64.audit, X86_64.foreign_bit, listed)

    assert expected(listed, nr, args) == run(program, data(nr, X86_64.audit, args))


@given(calls, st.integers(0, (1 << 32) - 1), words)
def test_a_foreign_architecture_always_asks(listed: dict[int, tuple[Where, ...]], nr: int, arch: int) -> None:
    program = assemble(X86_64.audit, X86_64.foreign_bit, listed)

    for each in {arch, I386} - {X86_64.audit}:
        assert run(program, data(nr, each)) == RET_USER_NOTIF


@given(calls, st.integers(X32, (1 << 32) - 1))
def test_x32_is_answered_as_if_it_were_not_there(listed: dict[int, tuple[Where, ...]], nr: int) -> None:
    program = assemble(X86_64.audit, X86_64.foreign_bit, listed)

    assert run(program, data(nr, X86_64.audit)) == RET_ERRNO | errno.ENOSYS


def test_an_architecture_without_a_second_abi_lets_large_numbers_pass() -> None:
    program = assemble(AARCH64.audit, AARCH64.foreign_bit, {56: ()})

    assert run(program, data(X32 | 56, AARCH64.audit)) == RET_ALLOW
    assert run(program, data(56, AARCH64.audit)) == RET_USER_NOTIF


@pytest.mark.parametrize("half", [1, 1 << 31, 1 << 32, 1 << 63])
def test_nonzero_looks_at_both_halves(half: int) -> None:
    program = assemble(X86_64.audit, 0, {7: (Where(4, nonzero=True),)})

    assert run(program, data(7, X86_64.audit, (0, 0, 0, 0, half))) == RET_USER_NOTIF
    assert run(program, data(7, X86_64.audit, (half, half, half, half, 0, half))) == RET_ALLOW


def test_a_call_that_returns_early_never_falls_into_the_next() -> None:
    program = assemble(X86_64.audit, 0, {1: (Where(0, (5,)),), 2: ()})

    assert run(program, data(1, X86_64.audit, (4,))) == RET_ALLOW
    assert run(program, data(2, X86_64.audit)) == RET_USER_NOTIF


@pytest.mark.parametrize("architecture", abi.ARCHITECTURES.values(), ids=abi.ARCHITECTURES.keys())
@settings(max_examples=30)
@given(st.integers(0, 500), st.tuples(*[values] * 6))
def test_the_real_filter_says_what_the_table_says(
    architecture: abi.Architecture, nr: int, args: tuple[int, ...]
) -> None:
    rows = table.by_number(table.rows(privileged=True), architecture)
    program = table.program(rows, architecture)
    listed = {number: row.where for number, row in rows.items()}

    assert expected(listed, nr, args) == run(program, data(nr, architecture.audit, args))
