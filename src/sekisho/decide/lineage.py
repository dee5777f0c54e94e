"""Entries that name a domain and mean all that are below it, too: ``ipc signal 9 <kernel> /usr/sbin/sshd``.

An entry is found by hash of its domain, of which a request asks for as many as its target's name has words.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from sekisho.decide.buckets import serial_of
from sekisho.decide.operands import is_exact, test_for
from sekisho.decide.request import Request
from sekisho.decide.table import NEVER, Slot, Table
from sekisho.policy.grammar import Operand, Operation
from sekisho.policy.model import AclEntry, Number


class LineageTable(Table):
    """The entries for one operation on a domain (its last operand) and maybe a number (before it)."""

    __slots__ = ()

    def add(self, serial: int, entry: AclEntry) -> None:
        """Files the entry; entries are matched in the order of their serials."""
        number = entry.operands[0]
        tests = ((0, test_for(number)),) if isinstance(number, Number) and not is_exact(number) else ()
        self._names.add_literal(_key(entry), serial, self._keep(Slot(serial, entry, tests)))
        self.scattered += 1
        self.scattered_from = 0

    def remove(self, serial: int) -> None:
        """Takes the entry out again."""
        self._names.remove_literal(_key(self._forget(serial).entry), serial)
        self.scattered -= 1
        if not self.scattered:
            self.scattered_from = NEVER

    def candidates(self, request: Request) -> list[Slot]:
        """The entries that may grant the request, in order; each must still be asked ``fits`` and ``holds``."""
        literals = self._names.literals
        found: list[tuple[int, Slot]] = []
        for name in lineage(str(request.arguments[-1])):
            found += literals.get(name, ())
            if not self.single:
                found += literals.get((request.arguments[0], name), ())
        found.sort(key=serial_of)
        return [slot for _, slot in found]


def lineage(name: str) -> Iterator[str]:
    """The domainname and those of all domains that it is below, up to its namespace."""
    while name:
        yield name
        name = name.rpartition(" ")[0]


def _key(entry: AclEntry) -> Hashable:
    """The domain; with the number where there is one and it is a single one."""
    *numbers, domain = entry.operands
    if numbers and isinstance(numbers[0], Number) and is_exact(numbers[0]):
        return numbers[0].low, domain.text
    return domain.text


def table_for(operation: Operation) -> Table:
    """An empty table for the entries of ``operation``."""
    below = operation.category == "ipc" and operation.operands[-1] is Operand.DOMAIN
    return LineageTable(operation) if below else Table(operation)
