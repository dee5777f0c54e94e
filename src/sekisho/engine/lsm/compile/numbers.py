"""Numbers and ranges of operands and conditions, groups included, as few disjoint ranges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sekisho.engine.lsm.compile.rows import Span
from sekisho.policy.model import Namespace, Number

LARGEST: Final = 2**64 - 1


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same numbers as ranges in ascending order that neither overlap nor touch."""
    result: list[Span] = []
    for low, high in sorted(spans):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def group_ranges(namespace: Namespace, group: str) -> tuple[Span, ...]:
    """What the members of a number group allow; an undefined group allows nothing."""
    return merged((member.low, member.high) for member in namespace.number_groups.get(group, ()))


def ranges_of(operand: Number, namespace: Namespace) -> tuple[Span, ...]:
    """What a number operand allows."""
    return ((operand.low, operand.high),) if operand.group is None else group_ranges(namespace, operand.group)
