"""The maps of the kernel side, as far as deciding reads them, as dicts with the same keys."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.lists import CompiledList


@dataclass(slots=True)
class Tables:
    """What is published. Keys are those of the maps as tuples, in the order of their fields."""

    names: dict[tuple[int, bytes], int] = field(default_factory=dict)
    """By space and bytes."""
    lists: dict[int, layout.List] = field(default_factory=dict)
    found: dict[tuple[int, int], layout.Found] = field(default_factory=dict)
    rules: dict[tuple[int, int], layout.Rule] = field(default_factory=dict)
    clauses: dict[tuple[int, int], layout.Clause] = field(default_factory=dict)
    ranges: dict[tuple[int, int], layout.Range] = field(default_factory=dict)
    intervals: dict[tuple[int, int], layout.Interval] = field(default_factory=dict)
    pairs: set[tuple[int, int, int, int]] = field(default_factory=set)
    """List, bit number, first, second."""
    endpoints: set[tuple[int, int, int, int, bytes]] = field(default_factory=set)
    """List, bit number, port, version, sixteen bytes of address."""
    controls: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """Of the book that holds: the namespace's domain, program, domain."""
    domains: dict[int, layout.Domain] = field(default_factory=dict)
    bindings: dict[int, layout.Binding] = field(default_factory=dict)
    profiles: dict[int, layout.Profile] = field(default_factory=dict)
    cells: array[int] = field(default_factory=lambda: array("I"))

    def publish(self, number: int, compiled: CompiledList) -> None:
        """The list stands here under the id ``number``."""
        self.found.update({(number, operand): found for operand, found in compiled.found.items()})
        self.rules.update({(number, place): rule for place, rule in enumerate(compiled.rules)})
        self.clauses.update({(number, place): clause for place, clause in enumerate(compiled.clauses)})
        self.ranges.update({(number, place): each for place, each in enumerate(compiled.ranges)})
        self.intervals.update({(number, place): each for place, each in enumerate(compiled.intervals)})
        self.pairs.update((number, *pair) for pair in compiled.pairs)
        self.endpoints.update(
            (number, bit, port, version, address.to_bytes(16, "big"))
            for bit, port, version, address in compiled.endpoints
        )
        self.lists[number] = compiled.header
