"""Who may come to be sent signals later, and by whose doing: files whose owner it is (F_SETOWN), its parent's end.

The kernel asks nobody when such a signal comes. So a process enters another domain, or joins a group, only where
policy lets the domain of whoever asked for its signals send them there. What was asked for is counted for as long as
the process lives: the file may be anywhere, even in a message under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.decide.request import Facts, Request
from sekisho.engine.supervisor.tasks import Process
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sekisho.engine.supervisor.supervisor import Supervisor

Senders = dict[Domain, set[int]]
"""By domain: the signals that it has asked for."""


class Ownership:
    """What was asked for in one supervisor's tree."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._processes: dict[Process, Senders] = {}
        self._groups: dict[int, Senders] = {}
        self._chosen: Senders = {}
        """Signals of files, whoever their owner is."""
        self._uncertain: set[Process] = set()
        """Who is made the owner by the kernel, of a file whose signal may be another by then."""
        self._ends: dict[int, tuple[Process, Domain, int]] = {}
        """By task: the signal that it gets when its parent ends."""

    def owns(self, process: Process, domain: Domain, signals: Iterable[int], *, uncertain: bool = False) -> None:
        """A program in ``domain`` has made ``process`` the receiver of a file's ``signals``."""
        self._processes.setdefault(process, {}).setdefault(domain, set()).update(signals)
        if uncertain:
            self._uncertain.add(process)

    def group_owns(self, group: int, domain: Domain, signals: Iterable[int]) -> None:
        """The same for a process group."""
        self._groups.setdefault(group, {}).setdefault(domain, set()).update(signals)

    def chosen(self, domain: Domain, number: int) -> None:
        """A program in ``domain`` has chosen signal ``number`` for a file."""
        self._chosen.setdefault(domain, set()).add(number)

    def dies_with_parent(self, tid: int, process: Process, number: int) -> None:
        """Task ``tid`` gets signal ``number``, 0 for none, when its parent ends (PR_SET_PDEATHSIG)."""
        self._ends.pop(tid, None)
        if number:
            self._ends[tid] = (process, process.domain, number)

    def executed(self, process: Process, tid: int) -> None:
        """Of ``process`` task ``tid`` alone is left, under its number."""
        left = self._ends.pop(tid, None)
        for other in process.threads | {process.tgid}:
            self._ends.pop(other, None)
        if left is not None and left[0] is process:
            self._ends[process.tgid] = left

    def born(self, process: Process) -> None:
        """``process`` is new: what was known by its number was another's."""
        self._groups.pop(process.tgid, None)

    def gone(self, process: Process) -> None:
        """``process`` is dead."""
        self._processes.pop(process, None)
        self._uncertain.discard(process)
        for tid in (process.tgid, *process.threads):
            self._ends.pop(tid, None)

    def may_enter(self, process: Process, tids: Iterable[int], group: int, destination: str, facts: Facts) -> bool:
        """Whether ``process``, of which ``tids`` live on, may be in ``destination`` and process group ``group``."""
        senders: Senders = {}
        # It comes back to the group of its own number by a mere setsid(2).
        _merge(senders, self._processes.get(process), *(self._groups.get(each) for each in {group, process.tgid}))
        if process in self._uncertain:
            _merge(senders, self._chosen)
        for tid in tids:
            known = self._ends.get(tid)
            if known is not None and known[0] is process:
                _merge(senders, {known[1]: {known[2]}})
        return self._allowed(senders, destination, facts)

    def may_join(self, group: int, names: Iterable[str], facts: Facts) -> bool:
        """Whether who is in the domains ``names`` may join process group ``group``."""
        senders = self._groups.get(group, {})
        return all(self._allowed(senders, name, facts) for name in names)

    def _allowed(self, senders: Senders, destination: str, facts: Facts) -> bool:
        return all(
            self._supervisor.judge.allows(domain, [_signal(number, destination, facts) for number in sorted(signals)])
            for domain, signals in senders.items()
        )


def _signal(number: int, destination: str, facts: Facts) -> Request:
    return Request(OPERATIONS["ipc signal"], (number, destination), facts)


def _merge(into: Senders, *parts: Senders | None) -> None:
    for part in parts:
        for domain, signals in (part or {}).items():
            into.setdefault(domain, set()).update(signals)
