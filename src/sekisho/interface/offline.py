"""A policy directory that no tree runs on, as what the interface files read and change."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sekisho.audit.values import Record
from sekisho.errors import SekishoError
from sekisho.interface.authority import ProcessState, Question
from sekisho.interface.handle import failure
from sekisho.names.word import encode
from sekisho.policy.model import Domain
from sekisho.store.directory import PolicyDirectory


class NoQuestions:
    """Nobody is held to anything, so nobody is asked."""

    memory = 0

    def pending(self) -> list[Question]:
        """None."""
        return []

    def observe(self) -> None:
        """Nothing changes by it."""

    def leave(self) -> None:
        """Nothing changes by it."""

    def answer(self, serial: int, answer: int) -> None:
        """Nobody waits for it."""

    def keep_alive(self) -> None:
        """Nothing waits."""


class NoRecords:
    """Nothing is decided, so nothing is recorded."""

    memory = 0

    def __len__(self) -> int:
        return 0

    def take(self) -> Record | None:
        """None."""
        return None


class Offline:
    """The policy of ``directory``, which ``save`` brings together with what others made of it meanwhile."""

    active = False

    def __init__(self, directory: Path, log: Callable[[str], None]) -> None:
        """Raises UserError for a directory that can't be relied on, PolicyError for one whose text has errors."""
        self._directory = PolicyDirectory(directory)
        self._log = log
        self._complaint = ""
        self.policy = self._directory.load()
        self.statistics = self._directory.statistics()
        self.questions = NoQuestions()
        self.audit = NoRecords()
        self.owner = os.stat(directory).st_uid
        self.is_changed = False
        """Something was changed that isn't saved."""

    def changed(self) -> None:
        """Policy was changed, which is counted and saved soon."""
        self.statistics = self.statistics.updated(int(time.time()))
        self.is_changed = True

    def save(self) -> bool:
        """What was changed is on disk, and what others wrote there is known here; False, and told, if it can't be."""
        try:
            self._directory.sync(self.policy, self.statistics)
        except (OSError, SekishoError) as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                self._log(f"policy could not be brought together with {self._directory.path}: {error}")
            return False
        self._complaint = ""
        self.is_changed = False
        return True

    def domain_of(self, pid: int) -> Domain | None:
        """``<kernel>`` for every process there is."""
        return self.policy.domains["<kernel>"] if pid > 0 and os.path.exists(f"/proc/{pid}") else None

    def is_outside(self, pid: int) -> bool:
        """Every process is."""
        return self.domain_of(pid) is not None

    def executable_of(self, pid: int) -> str | None:
        """The encoded real path of the process's program."""
        try:
            return encode(os.fsencode(os.readlink(f"/proc/{pid}/exe")).removesuffix(b" (deleted)"))
        except OSError:
            return None

    def processes(self) -> Iterable[ProcessState]:
        """None."""
        return ()

    def move(self, tid: int, name: str) -> None:
        """Nobody can be moved."""
        raise failure(errno.EPERM)

    def subscribe(self, wake: Callable[[], None]) -> None:
        """There is never anything new."""
