"""The entries of one list that are about one operation, found by the arguments asked for.

An entry is filed in one of three places:

* ``exact`` when every operand allows one single value: found by hash of all arguments;
* ``names`` when its leading operand is a name or one address: found by hash or by literal prefix, then tested;
* ``loose`` otherwise (its leading operand is a group or an address range): always tested.

``decide.lineage`` has the table for entries whose operand is a domain with all that are below it.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Hashable
from typing import Final

from sekisho.decide.buckets import Buckets, serial_of
from sekisho.decide.conditions import Clause, compile_condition
from sekisho.decide.decision import Decision
from sekisho.decide.groups import path_group
from sekisho.decide.operands import Test, exact_key, is_exact, parse_address, test_for
from sekisho.decide.request import Request
from sekisho.policy.grammar import Operand, Operation
from sekisho.policy.model import AclEntry, Address, Config, Name, Namespace

NEVER: Final = 2**63


class Slot:
    """One entry made ready for one operation.

    ``tests`` are what is left to be tested of an entry once it has been found by its leading operand.
    ``after`` is the next entry that is exact about the same arguments. ``config`` and ``decision`` remember the last
    answer given with the entry; ``members`` the answers for each member, where a group leads.
    """

    __slots__ = ("after", "clauses", "config", "decision", "entry", "members", "serial", "tests")

    def __init__(self, serial: int, entry: AclEntry, tests: tuple[tuple[int, Test], ...]) -> None:
        self.serial = serial
        self.entry = entry
        self.tests = tests
        self.clauses: tuple[Clause, ...] = tuple(compile_condition(condition) for condition in entry.conditions)
        self.after: Slot | None = None
        self.config: Config | None = None
        self.decision: Decision | None = None
        self.members: dict[str, Decision] = {}

    def fits(self, request: Request, namespace: Namespace) -> bool:
        """Whether the operands that are still to be tested allow the request's arguments."""
        arguments = request.arguments
        for position, test in self.tests:
            if not test(arguments[position], namespace) and not (position == 0 and request.ignore_first):
                return False
        return True

    def holds(self, request: Request, namespace: Namespace) -> bool:
        """Whether every condition clause is true."""
        return all(clause(request.facts, namespace) for clause in self.clauses)


class Table:
    """The entries for one operation; ``exact`` is public because the most frequent question ends there.

    No entry that isn't exact has a serial number below ``scattered_from``.
    """

    __slots__ = (
        "_addresses",
        "_leading",
        "_literal",
        "_loose",
        "_names",
        "_slots",
        "exact",
        "last",
        "scattered",
        "scattered_from",
        "single",
    )

    def __init__(self, operation: Operation) -> None:
        kinds = operation.operands
        # The first operand of a mount isn't always compared, so it can't lead.
        self._leading = 1 if operation.keyword == "file mount" else 0
        self._addresses = Operand.ADDRESS in kinds
        self._literal = Operand.DOMAIN in kinds
        self.single = len(kinds) == 1
        self.exact: dict[Hashable, Slot] = {}
        self._names: Buckets[Slot] = Buckets()
        self._loose: list[tuple[int, Slot]] = []
        self._slots: dict[int, Slot] = {}
        self.scattered = 0
        self.scattered_from = NEVER
        self.last: Slot | None = None

    @property
    def count(self) -> int:
        """How many entries there are."""
        return len(self._slots)

    def ordered(self) -> list[Slot]:
        """Every entry, in order."""
        return [self._slots[serial] for serial in sorted(self._slots)]

    def add(self, serial: int, entry: AclEntry) -> None:
        """Files the entry; entries are matched in the order of their serials."""
        if self._is_whole(entry):
            self._chain(self._key(entry), self._keep(Slot(serial, entry, ())))
            return
        lead = entry.operands[self._leading]
        sifted = lead.group is None and (isinstance(lead, Name) or is_exact(lead))
        tests = tuple(
            (position, test_for(operand))
            for position, operand in enumerate(entry.operands)
            if not (sifted and position == self._leading)
        )
        slot = self._keep(Slot(serial, entry, tests))
        self.scattered += 1
        self.scattered_from = min(serial, self.scattered_from)
        if isinstance(lead, Name) and lead.group is None:
            self._names.add(lead.text, serial, slot)
        elif isinstance(lead, Address) and is_exact(lead):
            self._names.add_literal(exact_key(lead), serial, slot)
        else:
            insort(self._loose, (serial, slot), key=serial_of)

    def remove(self, serial: int) -> None:
        """Takes the entry out again."""
        entry = self._forget(serial).entry
        if self._is_whole(entry):
            self._unchain(self._key(entry), serial)
            return
        self.scattered -= 1
        if not self.scattered:
            self.scattered_from = NEVER
        lead = entry.operands[self._leading]
        if isinstance(lead, Name) and lead.group is None:
            self._names.remove(lead.text, serial)
        elif isinstance(lead, Address) and is_exact(lead):
            self._names.remove_literal(exact_key(lead), serial)
        else:
            self._loose = [item for item in self._loose if item[0] != serial]

    def _keep(self, slot: Slot) -> Slot:
        self._slots[slot.serial] = slot
        if self.last is None or slot.serial > self.last.serial:
            self.last = slot
        return slot

    def _forget(self, serial: int) -> Slot:
        slot = self._slots.pop(serial)
        if self.last is slot:
            self.last = self._slots[max(self._slots)] if self._slots else None
        return slot

    def _chain(self, key: Hashable, slot: Slot) -> None:
        before, after = None, self.exact.get(key)
        while after is not None and after.serial < slot.serial:
            before, after = after, after.after
        slot.after = after
        if before is None:
            self.exact[key] = slot
        else:
            before.after = slot

    def _unchain(self, key: Hashable, serial: int) -> None:
        before, each = None, self.exact[key]
        while each.serial != serial and each.after is not None:
            before, each = each, each.after
        if before is not None:
            before.after = each.after
        elif each.after is not None:
            self.exact[key] = each.after
        else:
            del self.exact[key]

    def _is_whole(self, entry: AclEntry) -> bool:
        # A domain name is compared as it stands, also where it holds a pattern.
        return self._literal or (self._leading == 0 and all(is_exact(operand) for operand in entry.operands))

    def _key(self, entry: AclEntry) -> Hashable:
        return exact_key(entry.operands[0]) if self.single else tuple(exact_key(operand) for operand in entry.operands)

    def key(self, request: Request) -> Hashable:
        """What ``exact`` files an entry under that allows exactly this request."""
        if self.single:
            return request.arguments[0]
        if self._addresses:
            return (parse_address(str(request.arguments[0])), *request.arguments[1:])
        return request.arguments

    def candidates(self, request: Request) -> list[Slot]:
        """The entries that may grant the request, in order; each must still be asked ``fits`` and ``holds``."""
        found: list[tuple[int, Slot]] = []
        before = None
        slot = self.exact.get(self.key(request))
        while slot is not None:
            found.append((slot.serial, slot))
            if not slot.clauses:
                before = slot.serial
                break
            slot = slot.after
        if self.scattered:
            lead = request.arguments[self._leading]
            found += self._names.literals.get(parse_address(str(lead)) if self._addresses else lead, ())
            if self._names.patterned:
                found += self._names.patterns(str(lead), before)
            found += self._loose
            if len(found) > 1:
                found.sort(key=serial_of)
        return [slot for _, slot in found]


def matching_text(slot: Slot, name: str, namespace: Namespace) -> str | None:
    """The text of policy's own path that matches ``name`` in the slot's first operand, which is known to match."""
    operand = slot.entry.operands[0]
    if operand.group is not None and isinstance(operand, Name):
        return path_group(namespace, operand.group).first(name)
    return operand.text


def matched_text(slot: Slot, name: str, namespace: Namespace) -> str | None:
    """The text of policy's own path that matches ``name`` in the slot's first operand, if it does."""
    return matching_text(slot, name, namespace) if test_for(slot.entry.operands[0])(name, namespace) else None
