"""Ports that the system mustn't choose by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sekisho.decide.ports import denies_ports, free_ranges
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Domain, Number, Policy
from sekisho.policy.parser import parse_exception_policy


def made(*ranges: tuple[int, int]) -> tuple[Policy, Domain]:
    policy = Policy()
    policy.namespaces["<kernel>"].denied_ports = [Number(f"{low}-{high}", low, high) for low, high in ranges]
    return policy, policy.domains["<kernel>"]


def test_each_namespace_has_its_own() -> None:
    policy = Policy()
    parse_exception_policy("deny_autobind 1024\ndeny_autobind 0x7D0-2002\n<a> deny_autobind 5", policy)
    kernel, other = policy.domains["<kernel>"], ensure_domain(policy, "<a>")

    assert free_ranges(policy, kernel, 0, 3000) == [range(1024), range(1025, 2000), range(2003, 3001)]
    assert free_ranges(policy, other, 0, 3000) == [range(5), range(6, 3001)]
    assert denies_ports(policy, kernel) and not denies_ports(*made())


_PORTS = st.integers(0, 40)
_RANGES = st.tuples(_PORTS, _PORTS).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(_RANGES, max_size=5), _RANGES)
def test_what_is_free_is_all_that_is_not_denied(denied: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    policy, domain = made(*denied)
    free = [port for ports in free_ranges(policy, domain, *asked) for port in ports]

    assert free == [p for p in range(asked[0], asked[1] + 1) if not any(low <= p <= high for low, high in denied)]
    assert all(free_ranges(policy, domain, *asked))
