"""What the compiled tables say of a request: bpf/decide.h in Python, and what that has to agree with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.walk.clauses import accepts, fits
from sekisho.engine.lsm.walk.request import Answer, RawRequest
from sekisho.engine.lsm.walk.tables import Tables

_EXECUTE: Final = 1 << layout.BITS["file execute"]
_MANUAL: Final = 1 << layout.BITS["task manual_domain_transition"]
_MODE: Final = 3
_MOVES: Final = layout.RULE_MOVE_CHILD | layout.RULE_MOVE_DOMAIN


@dataclass(slots=True)
class _Search:
    """One request being answered."""

    tables: Tables
    request: RawRequest
    ids: tuple[int, int]
    answer: Answer = field(default_factory=Answer)
    left: int = 0
    lowest: int = 0
    highest: int = 0
    forced: int = 0
    """Operations whose rule says itself whether they are logged."""


def decide(tables: Tables, request: RawRequest) -> Answer:
    """The answer to ``request``: the domain's own list first, then its groups'."""
    binding = tables.bindings[request.domain]
    names = [tables.names.get((layout.SPACE_NAME, raw), 0) for raw in request.names[:2]]
    ids = (names[0] if names else 0, names[1] if len(names) > 1 else 0)
    search = _Search(tables, request, ids, left=request.asked)
    last = 0
    for number in (binding.list, binding.shared):
        if number == 0:
            continue
        found_last = _ask(search, number)
        if request.family is layout.NAME and tables.lists[number].flags & layout.LIST_EXECUTES:
            last = found_last
        if search.left == 0:
            break
    if request.family is layout.NAME and search.left & _EXECUTE:
        search.answer.candidate = last
    if request.family is not layout.STANDING:
        _settle(search, tables.profiles[binding.profile])
    return search.answer


def _settle(search: _Search, profile: layout.Profile) -> None:
    """What is refused, and what is to be logged of what is granted."""
    answer = search.answer
    for bit, operation in enumerate(search.request.family.operations):
        mask = 1 << bit
        if not search.request.asked & mask:
            continue
        config = profile.config[layout.NUMBERS[operation.keyword]]
        if config & _MODE == 0:
            answer.logged &= ~mask
        elif not answer.granted & mask:
            answer.refused |= mask
        elif not search.forced & mask and config & layout.CONFIG_GRANT_LOG:
            answer.logged |= mask


def _ask(search: _Search, number: int) -> int:
    """Grants what list ``number`` does of what is left; gives back the list's last candidate for this name."""
    family = search.request.family
    if family is layout.NAME:
        return _ask_name(search, number)
    if family is layout.INET:
        _ask_address(search, number)
    elif family is layout.DOMAIN:
        _ask_domain(search, number)
    elif family is layout.STANDING:
        header = search.tables.lists[number]
        _chain(search, number, header.standing_chain, header.standing_count)
    else:
        header = search.tables.lists[number]
        _plain(search, header.capabilities)
        _chain(search, number, header.capability_chain, header.capability_count)
    return 0


def _ask_name(search: _Search, number: int) -> int:
    tables, request = search.tables, search.request
    header = tables.lists[number]
    if not search.left & header.names:
        return 0
    # What leads is the mount point where there is one, else the first name.
    leading = 1 if len(request.names) == 3 else 0
    operand = search.ids[leading]
    found = tables.found.get((number, operand)) if operand else None
    if found is None:
        accepted = accepts(tables, header.automaton, request.names[leading])
        if accepted == 0:
            return 0
        operand = 0
        found = tables.found[number, layout.FOUND_ACCEPT | accepted]
    _plain(search, found.plain)
    if operand:
        _pairs(search, number, operand)
    _chain(search, number, found.chain, found.count)
    return int(found.last)


def _pairs(search: _Search, number: int, first: int) -> None:
    request = search.request
    if len(request.names) == 2 and search.ids[1]:
        second = search.ids[1]
    elif len(request.names) == 1 and len(request.numbers) == 1:
        second = request.numbers[0]
    else:
        return
    for bit in range(len(request.family.operations)):
        if search.left >> bit & 1 and (number, bit, first, second) in search.tables.pairs:
            _plain(search, 1 << bit)


def _ask_address(search: _Search, number: int) -> None:
    tables, request = search.tables, search.request
    header = tables.lists[number]
    if not search.left & header.inet:
        return
    for bit in range(len(request.family.operations)):
        key = (number, bit, request.port, request.version, request.address)
        if search.left >> bit & 1 and key in tables.endpoints:
            _plain(search, 1 << bit)
    low, high = 0, header.interval_count
    asked = (request.version, request.address)
    while low < high:
        middle = (low + high) // 2
        at = tables.intervals[number, header.intervals + middle]
        if asked < (at.version, bytes(at.low)):
            high = middle
        elif asked > (at.version, bytes(at.high)):
            low = middle + 1
        else:
            _chain(search, number, at.chain, at.count)
            return


def _ask_domain(search: _Search, number: int) -> None:
    """Entries on a domain mean all below it; a manual transition, which is asked for alone, goes to the very domain."""
    tables = search.tables
    if not search.left & tables.lists[number].domains:
        return
    chains: list[tuple[int, int]] = []
    domain = search.request.target
    while domain:
        found = tables.found.get((number, layout.FOUND_DOMAIN | domain))
        if found is not None:
            _plain(search, found.plain)
            chains.append((found.chain, found.count))
        if search.request.asked & _MANUAL:
            break
        domain = tables.domains[domain].parent
    # Of all the rules that fit, the one whose entry comes first; each operation by itself.
    for bit in range(len(search.request.family.operations)):
        if not search.left >> bit & 1:
            continue
        best: layout.Rule | None = None
        for place, count in chains:
            rule = _first(search, number, place, count, 1 << bit)
            if rule is not None and (best is None or rule.entry < best.entry):
                best = rule
        if best is not None:
            _grant(search, number, best, 1 << bit)


def _first(search: _Search, number: int, chain: int, count: int, mask: int) -> layout.Rule | None:
    """The first rule that grants one of the operations."""
    for place in range(count):
        rule = search.tables.rules[number, chain + place]
        if rule.operations & mask and fits(search.tables, number, rule, search.request, search.ids):
            return rule
    return None


def _plain(search: _Search, mask: int) -> None:
    hit = search.left & mask
    search.answer.granted |= hit
    search.left &= ~hit


def _chain(search: _Search, number: int, chain: int, count: int) -> None:
    for place in range(count):
        if search.left == 0:
            return
        rule = search.tables.rules[number, chain + place]
        hit = rule.operations & search.left
        if hit and fits(search.tables, number, rule, search.request, search.ids):
            _grant(search, number, rule, hit)


def _grant(search: _Search, number: int, rule: layout.Rule, hit: int) -> None:
    """The rule grants the operations in ``hit``, and says what else it says."""
    answer = search.answer
    search.left &= ~hit
    answer.granted |= hit
    if rule.flags & (layout.RULE_LOG | layout.RULE_NO_LOG):
        search.forced |= hit
        if rule.flags & layout.RULE_LOG:
            answer.logged |= hit
    lowest = hit & -hit
    if answer.list == 0 or lowest < search.lowest:
        search.lowest = lowest
        answer.list, answer.entry = number, rule.entry
        answer.candidate, answer.preference, answer.target = rule.candidate, rule.preference, rule.target
    # Of two sets that have no bit in common, that with the highest bit is the greater number.
    if rule.flags & _MOVES and hit > search.highest:
        search.highest = hit
        answer.move, answer.move_kind = rule.move, rule.flags & _MOVES
