"""Of all items that are about one thing, in order: what is granted plainly, by pairs, and by which rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sekisho.engine.lsm.compile.items import Item
from sekisho.names.pattern import is_pattern
from sekisho.policy.model import Name


@dataclass(slots=True)
class Settled:
    """``plain`` are operations granted whatever else the request says; ``kept`` what must be asked in order otherwise.

    ``pairs`` are operations granted where the second operand is that one.
    """

    plain: int = 0
    kept: list[tuple[Item, int]] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)


def settle(items: Iterable[Item], plainable: int, special: int = 0, *, pairing: bool = False) -> Settled:
    """Sorts ``items``, in the order of entries, into what the kernel side looks at.

    Only operations in ``plainable`` can be plain, none of those in ``special``. What an open item grants, none after
    it is asked for. Which of two entries grants doesn't matter unless the first says more than that, so that what is
    plain is asked before any rule.
    """
    result = Settled()
    closed = 0
    kept: list[tuple[Item, int]] = []
    for item in items:
        mask = item.operations & ~closed
        if not mask:
            continue
        if not item.special:
            direct = mask & plainable & ~special & ~item.blocked
            if item.open:
                result.plain |= direct
                closed |= mask
                mask &= ~direct
            elif pairing and direct and item.pair is not None and _is_literal(item):
                result.pairs.append((direct, item.pair))
                mask &= ~direct
        else:
            special |= mask
            if item.open:
                closed |= mask
        if mask:
            kept.append((item, mask))
    result.kept = [(item, mask & ~result.plain) for item, mask in kept if mask & ~result.plain]
    return result


def _is_literal(item: Item) -> bool:
    """Whether the item is found by one name alone, so that its pairs are as many as itself."""
    lead = item.lead
    return isinstance(lead, Name) and lead.group is None and not is_pattern(lead.text)


def worth(items: Iterable[Item]) -> list[Item]:
    """The items that can matter: without those that open ones before them leave nothing to."""
    closed = 0
    result = []
    for item in items:
        if item.operations & ~closed:
            result.append(item)
            if item.open:
                closed |= item.operations
    return result
