"""One list of entries, a domain's own or an acl_group's, made ready to be asked.

The index follows its list: what was appended, replaced or removed since it was last looked at is filed
or taken out by itself; only when a list changed in many places at once is the index made anew.
"""

from __future__ import annotations

from sekisho.decide.lineage import table_for
from sekisho.decide.table import Table
from sekisho.policy.model import AclEntry, Domain

_BLOCK = 512


def permissions(entry: AclEntry) -> int:
    """What the entry counts towards a domain's learning quota: its operations; ``task`` entries are free."""
    return 0 if entry.operations[0].category == "task" else len(entry.operations)


class Index:
    """The tables of one list, and how many permissions it holds.

    An entry's serial number is given when the entry first appears and stays while it is only replaced,
    so that it tells the order of the list without being a position in it.
    """

    __slots__ = ("_entries", "_next", "_serials", "generation", "permissions", "tables")

    def __init__(self, domain: Domain) -> None:
        self.generation = domain.generation
        self._clear()
        self._append(domain.entries)

    def _clear(self) -> None:
        self._entries: list[AclEntry] = []
        self._serials: list[int] = []
        self._next = 0
        self.permissions = 0
        self.tables: dict[str, Table] = {}

    def __deepcopy__(self, memo: dict[int, object]) -> None:
        """A copy of a policy makes its own indexes."""

    def follow(self, domain: Domain) -> None:
        """Brings the index up to date with its list."""
        old, new = self._entries, domain.entries
        grown = len(new) - len(old)
        # Each change moves the generation on, so as many entries more as changes means that all were appended.
        appended = grown > 0 and domain.generation - self.generation == grown
        self.generation = domain.generation
        if appended:
            self._append(new[len(old) :])
            return
        position = _first_difference(old, new)
        if position == len(old):
            self._append(new[position:])
        elif grown == 0 and old[position + 1 :] == new[position + 1 :]:
            self._replace(position, new[position])
        elif grown == -1 and old[position + 1 :] == new[position:]:
            self._remove(position)
        else:
            self._clear()
            self._append(new)

    def _append(self, entries: list[AclEntry]) -> None:
        for entry in entries:
            self._entries.append(entry)
            self._serials.append(self._next)
            self._file(self._next, entry)
            self._next += 1

    def _replace(self, position: int, entry: AclEntry) -> None:
        serial = self._serials[position]
        self._unfile(serial, self._entries[position])
        self._file(serial, entry)
        self._entries[position] = entry

    def _remove(self, position: int) -> None:
        self._unfile(self._serials[position], self._entries[position])
        del self._entries[position], self._serials[position]

    def _file(self, serial: int, entry: AclEntry) -> None:
        self.permissions += permissions(entry)
        for operation in entry.operations:
            table = self.tables.get(operation.keyword)
            if table is None:
                table = self.tables[operation.keyword] = table_for(operation)
            table.add(serial, entry)

    def _unfile(self, serial: int, entry: AclEntry) -> None:
        self.permissions -= permissions(entry)
        for operation in entry.operations:
            self.tables[operation.keyword].remove(serial)


def index_of(domain: Domain) -> Index:
    """The list's index, up to date."""
    index = domain.index
    if not isinstance(index, Index):
        index = domain.index = Index(domain)
    elif index.generation != domain.generation:
        index.follow(domain)
    return index


def _first_difference(old: list[AclEntry], new: list[AclEntry]) -> int:
    """The first position where the lists differ, or the length of the shorter."""
    shorter = min(len(old), len(new))
    # Comparing slices of mostly identical objects is many times faster than a loop.
    for start in range(0, shorter, _BLOCK):
        end = min(start + _BLOCK, shorter)
        if old[start:end] != new[start:end]:
            return next(position for position in range(start, end) if old[position] != new[position])
    return shorter
