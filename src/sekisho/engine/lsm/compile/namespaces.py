"""What a namespace says of transitions: the control directives, and what aggregators call programs."""

from __future__ import annotations

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.interning import Interner, word_id
from sekisho.engine.lsm.compile.lists import CompiledList
from sekisho.engine.lsm.compile.regions import Places, Regions, automaton_of
from sekisho.engine.lsm.walk.automaton import walk
from sekisho.names.pattern import is_pattern
from sekisho.names.word import decode, is_correct_path
from sekisho.policy.model import Namespace


def controls(namespace: Namespace, interner: Interner) -> dict[tuple[int, int], int]:
    """CONTROL_BITS by (program, domain) of ``struct control_key``.

    The bits that hold for a program are those of all four keys that it and the domain it is executed in make.
    """
    result: dict[tuple[int, int], int] = {}
    for control in namespace.transitions:
        program = word_id(interner, control.program) if control.program is not None else 0
        if control.program is not None and not program:
            continue
        for domain in _domains(control.domain, interner):
            key = program, domain
            result[key] = result.get(key, 0) | layout.CONTROL_BITS[control.kind]
    return result


def _domains(text: str | None, interner: Interner) -> list[int]:
    """What a directive's ``from`` is in keys: a domain's name, the last word of one, or either of them."""
    if text is None:
        return [0]
    result = [interner.domain(text)] if text.startswith("<") else []
    if " " not in text and is_correct_path(text):
        word = word_id(interner, text)
        if word:
            result.append(layout.CONTROL_LAST | word)
    return result


def aggregators(namespace: Namespace, interner: Interner, regions: Regions) -> CompiledList:
    """The aggregators as a list: ``found.last`` is the id of what the first that matches calls the program."""
    places = Places(regions)
    header = layout.List()
    order: dict[str, tuple[int, str]] = {}
    for place, (word, name) in enumerate(namespace.aggregators):
        order.setdefault(word, (place, name))
    patterns = tuple(word for word in order if is_pattern(word))
    found: dict[int, layout.Found] = {}
    accepted: list[tuple[str, ...]] = [()]
    automaton = automaton_of(patterns) if patterns else None
    if automaton is not None:
        header.automaton = places.of(automaton)
        for number, indices in enumerate(automaton.accepts, 1):
            accepted.append(tuple(patterns[index] for index in indices))
            name = min(order[word] for word in accepted[-1])[1]
            found[layout.FOUND_ACCEPT | number] = layout.Found(last=word_id(interner, name))
    for word, own in order.items():
        if is_pattern(word) or len(raw := decode(word)) > layout.NAME_BYTES:
            continue
        also = accepted[walk(automaton.cells, 0, raw)] if automaton is not None else ()
        name = min([own, *(order[each] for each in also)])[1]
        found[interner.name(raw, layout.SPACE_NAME)] = layout.Found(last=word_id(interner, name))
    return CompiledList(header, found, origins=tuple(places.origins))
