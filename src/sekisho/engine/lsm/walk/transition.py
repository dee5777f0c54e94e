"""What a program is called, and which directive decides where it goes: the part of bpf/exec.h that tables answer."""

from __future__ import annotations

from typing import Final

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.walk.clauses import accepts
from sekisho.engine.lsm.walk.tables import Tables

_PAIRS: Final = tuple(
    (layout.CONTROL_BITS[f"no_{positive}"], layout.CONTROL_BITS[positive])
    for positive in ("reset_domain", "initialize_domain", "keep_domain")
)
"""In the order they are tried: a match of the first skips the second."""


def called(tables: Tables, number: int, raw: bytes) -> int:
    """The id of the name that list ``number`` of aggregators gives the program; 0: its own."""
    operand = tables.names.get((layout.SPACE_NAME, raw), 0)
    found = tables.found.get((number, operand)) if operand else None
    if found is None:
        accepted = accepts(tables, tables.lists[number].automaton, raw)
        if accepted == 0:
            return 0
        found = tables.found[number, layout.FOUND_ACCEPT | accepted]
    return int(found.last)


def control(tables: Tables, domain: int, program: int) -> int:
    """The bit of the directive that decides where ``program``, executed in ``domain``, goes; 0: to a child domain."""
    here = tables.domains[domain]
    domains = [0, domain]
    if here.parent:  # the word of a namespace isn't the last word of its name
        domains.append(layout.CONTROL_LAST | here.word)
    bits = 0
    for place in domains:
        bits |= tables.controls.get((here.root, 0, place), 0)
        if program:
            bits |= tables.controls.get((here.root, program, place), 0)
    for negative, positive in _PAIRS:
        if bits & positive and not bits & negative:
            return positive
    return 0
