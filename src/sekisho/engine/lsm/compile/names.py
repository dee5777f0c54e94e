"""What a list says of each name: literals by their ids, all other names by what the list's automaton accepts."""

from __future__ import annotations

from typing import Final

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.chains import settle, worth
from sekisho.engine.lsm.compile.interning import Interner, word_id
from sekisho.engine.lsm.compile.items import EXECUTE, Item, ItemMaker, members_of
from sekisho.engine.lsm.compile.regions import Places, fitting_of
from sekisho.engine.lsm.compile.rows import Body
from sekisho.engine.lsm.walk.automaton import walk
from sekisho.names.pattern import compile_pattern, is_pattern
from sekisho.names.word import decode
from sekisho.policy.model import Name, Namespace

PLAINABLE: Final = (1 << len(layout.NAME.operations)) - 1 & ~EXECUTE
"""An execution's entry says by which name the program goes, so that no execution is granted plainly."""

_Words = frozenset[str]


class NameTable:
    """Files items under names and patterns; ``finish`` then says what there is to find.

    ``found`` has by operand what a found record has: plain operations, the chain, and the last candidate; ``pairs``
    are (bit number, name's id, second). ``automaton`` is the place of the list's automaton. ``incomplete`` are entries
    that aren't asked for all names that they match, for it would be too much to test.
    """

    def __init__(self, namespace: Namespace, interner: Interner, body: Body, places: Places, maker: ItemMaker) -> None:
        self._namespace = namespace
        self._maker = maker
        self._interner = interner
        self._body = body
        self._places = places
        self._literals: dict[str, list[Item]] = {}
        self._patterns: dict[str, list[Item]] = {}
        self._orders: dict[str, dict[str, int]] = {}
        self._settled: dict[tuple[tuple[int, str], ...], tuple[int, int, int]] = {}
        self._last: Name | None = None
        self.found: dict[int, tuple[int, int, int, int]] = {}
        self.pairs: dict[tuple[int, int, int], None] = {}
        self.automaton = 0
        self.incomplete: set[int] = set()

    def add(self, item: Item) -> None:
        """Files the item; items come in the order of entries."""
        assert isinstance(item.lead, Name)
        for word in members_of(item.lead, self._namespace):
            (self._patterns if is_pattern(word) else self._literals).setdefault(word, []).append(item)

    def executes(self, last: Name) -> None:
        """``last`` is what the list's last execute entry is about, be it one that never grants."""
        self._last = last
        for word in members_of(last, self._namespace):
            (self._patterns if is_pattern(word) else self._literals).setdefault(word, [])

    def finish(self) -> None:
        """Everything filed is in ``found`` and ``pairs``."""
        words = tuple(self._patterns)
        automaton = fitting_of(words) if words else None
        accepted: list[tuple[_Words, _Words]] = [(frozenset(), frozenset())]
        reached: list[list[Item]] = [[]]
        if automaton is not None:
            self.automaton = self._places.of(automaton)
            loose = frozenset(words[index] for index in automaton.loose)
            for number, indices in enumerate(automaton.accepts, 1):
                matched = frozenset(words[index] for index in indices)
                accepted.append((matched - loose, matched & loose))
                reached.append(worth(_in_order([self._patterns[words[index]] for index in indices])))
                items = reached[-1] if matched.isdisjoint(loose) else self._guarded(*accepted[-1])
                self._record(layout.FOUND_ACCEPT | number, items, "", accepted[-1][0])
        for word, items in self._literals.items():
            raw = decode(word)
            if len(raw) > layout.NAME_BYTES:
                continue
            operand = self._interner.name(raw, layout.SPACE_NAME)
            number = walk(automaton.cells, 0, raw) if automaton is not None else 0
            matched, maybe = accepted[number]
            more = reached[number]
            if maybe:
                matched |= {each for each in maybe if compile_pattern(each).matches(word)}
                more = _in_order([self._patterns[each] for each in sorted(matched)])
            self._record(operand, _in_order([items, more]) if more else items, word, matched)

    def _guarded(self, matched: _Words, maybe: _Words) -> list[Item]:
        """The items of names that match all words of the first set, and of the second who knows which."""
        result: list[Item] = []
        for item in _in_order([self._patterns[word] for word in sorted(matched | maybe)]):
            assert isinstance(item.lead, Name)
            for word in members_of(item.lead, self._namespace):
                if word in matched:
                    result.append(item)
                    break
                if word in maybe:
                    result += self._guard(item, word)
        return worth(result)

    def _guard(self, item: Item, word: str) -> list[Item]:
        try:
            guarded = self._maker.guarded(item, word)
        except ValueError:
            guarded = None
        if guarded is None:
            self.incomplete.add(item.entry)
            return []
        return [guarded]

    def _record(self, operand: int, items: list[Item], word: str, matched: _Words) -> None:
        # Which loose pattern a name matches isn't known here, so that none is left behind as the last candidate.
        last = self._candidate(self._last, word, matched) if self._last is not None else 0
        if any(item.operations & EXECUTE for item in items):
            plain, place, count = self._settle(operand, items, word, matched)
        else:
            # Whole groups of names have the same items.
            key = tuple((item.entry, item.word) for item in items)
            known = self._settled.get(key)
            if known is None:
                known = self._settled[key] = self._settle(operand, items, word, matched)
            plain, place, count = known
        self.found[operand] = plain, place, count, last

    def _settle(self, operand: int, items: list[Item], word: str, matched: _Words) -> tuple[int, int, int]:
        settled = settle(items, PLAINABLE, pairing=bool(word))
        for mask, second in settled.pairs:
            for bit in range(mask.bit_length()):
                if mask >> bit & 1:
                    self.pairs[bit, operand, second] = None
        rules = tuple(
            item.rule(mask, self._called(item, word, matched) if mask & EXECUTE else 0) for item, mask in settled.kept
        )
        return settled.plain, *self._body.chain(rules)

    def _called(self, item: Item, word: str, matched: _Words) -> int:
        """The id of the name that a program goes by whose execution the item grants."""
        return word_id(self._interner, item.word) if item.word else self._candidate(item.lead, word, matched)

    def _candidate(self, operand: object, word: str, matched: _Words) -> int:
        """The id of policy's own text that matches in ``operand``, of a group the first member's; 0 if none does."""
        assert isinstance(operand, Name)
        if operand.group is None:
            text = operand.text if operand.text == word or operand.text in matched else ""
        else:
            order = self._orders.get(operand.group)
            if order is None:
                members = members_of(operand, self._namespace)
                order = self._orders[operand.group] = {member: place for place, member in enumerate(members)}
            text = min((each for each in (word, *matched) if each in order), key=order.__getitem__, default="")
        return word_id(self._interner, text) if text else 0


def _in_order(lists: list[list[Item]]) -> list[Item]:
    """The items of all lists, each once, in the order of entries."""
    if len(lists) == 1:
        return lists[0]
    unique = {item.entry: item for items in lists for item in items}
    return [unique[entry] for entry in sorted(unique)]
