"""Whom the interface files speak for: a running tree, or a policy directory with nothing running on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from sekisho.audit.values import Record
from sekisho.policy.model import Domain, Policy
from sekisho.policy.stat import Statistics


@dataclass(slots=True)
class Question:
    """A request that policy refuses and that waits for the administrator's answer (spec g.7)."""

    serial: int
    record: Record
    domain: Domain
    retry: int = 0
    """How often policy has been asked again."""
    processes: int = 1
    """How many calls wait for the answer."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One process as ``.process_status`` and ``sekisho ps`` show it."""

    pid: int
    parent: int
    domain: Domain
    execute_handler: bool = False
    waiting: int | None = None
    """The serial of the question it waits for."""


class Questions(Protocol):
    """The questions that wait, oldest first."""

    def pending(self) -> list[Question]:
        """Every question that waits now."""

    def observe(self) -> None:
        """One more reader has ``query`` open: from the first on, refusals in enforcing mode wait for an answer."""

    def leave(self) -> None:
        """A reader has closed it; the last one's leaving refuses everything that waits."""

    def answer(self, serial: int, answer: int) -> None:
        """1 allows this once, 3 asks policy again, anything else refuses; a serial that doesn't wait is ignored."""

    def keep_alive(self) -> None:
        """The administrator is still there: every time-out begins anew."""

    @property
    def memory(self) -> int:
        """Bytes they take, about; beyond ``statistics.query_memory.quota`` (unless 0) nothing more is asked."""


class AuditQueue(Protocol):
    """Records not yet read through ``audit``, oldest first."""

    def __len__(self) -> int:
        """How many wait."""

    def take(self) -> Record | None:
        """The oldest record, which is gone from the queue; None when there is none."""

    @property
    def memory(self) -> int:
        """Bytes they take, about; what would be more than ``statistics.audit_memory.quota`` (unless 0) is dropped."""


class Authority(Protocol):
    """What the interface files read and change."""

    policy: Policy
    statistics: Statistics

    @property
    def questions(self) -> Questions:
        """What waits for the administrator."""

    @property
    def audit(self) -> AuditQueue:
        """What was recorded and not read yet."""

    @property
    def active(self) -> bool:
        """Whether policy holds anybody: as long as it doesn't, whoever can open the files may change it (spec a.2)."""

    @property
    def owner(self) -> int:
        """The user id that counts as root here: who started the tree, or owns the policy directory."""

    def changed(self) -> None:
        """A line was written that changed policy: it holds from now on, is counted, and reaches the disk."""

    def domain_of(self, pid: int) -> Domain | None:
        """The domain of a process or thread by its global pid: ``<kernel>`` for one that runs outside the tree,
        None for none."""

    def is_outside(self, pid: int) -> bool:
        """Whether process ``pid`` is there, and is neither of the tree nor one of the supervisor's: only such a one is
        believed when it says for whom it asks (the supervisor connects in its programs' places)."""

    def executable_of(self, pid: int) -> str | None:
        """The encoded real path of its program; None where it can't be known."""

    def processes(self) -> Iterable[ProcessState]:
        """The processes of the tree, parents first."""

    def move(self, tid: int, name: str) -> None:
        """Thread ``tid`` (its process, where domains are per process) is in the domain ``name`` (spec a.4).

        Raises OSError with the errno that a write to ``self_domain`` gets.
        """

    def subscribe(self, wake: Callable[[], None]) -> None:
        """``wake()`` is called whenever ``questions`` or ``audit`` has something new."""
