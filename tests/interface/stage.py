"""An authority whose every word is set by the test, and the files opened on it."""

from __future__ import annotations

import os
from collections.abc import Callable

from sekisho.audit.values import Record
from sekisho.decide.request import Task
from sekisho.interface.access import Access, Caller
from sekisho.interface.authority import ProcessState, Question
from sekisho.interface.files import open_file
from sekisho.interface.handle import Handle
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Domain, Mode, Policy
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy, parse_profile
from sekisho.policy.stat import Statistics

TASK = Task(pid=10, ppid=1, global_pid=10)
MANAGER = Caller(10, 0)
"""Root, running a program that is a manager."""
STRANGER = Caller(11, 0)
"""Root, running one that isn't."""


def record(acl: str, domain: str = "<kernel> /bin/x") -> Record:
    return Record(0.0, 3, Mode.ENFORCING, False, domain, acl, TASK)


class StageQuestions:
    def __init__(self) -> None:
        self.waiting: list[Question] = []
        self.observers = 0
        self.answers: list[tuple[int, int]] = []
        self.alive = 0
        self.wake: Callable[[], None] = lambda: None

    @property
    def memory(self) -> int:
        return 100 * len(self.waiting)

    def ask(self, serial: int, acl: str, domain: Domain, retry: int = 0) -> None:
        self.waiting.append(Question(serial, record(acl, domain.name), domain, retry))
        self.wake()

    def pending(self) -> list[Question]:
        return list(self.waiting)

    def observe(self) -> None:
        self.observers += 1

    def leave(self) -> None:
        self.observers -= 1

    def answer(self, serial: int, answer: int) -> None:
        self.answers.append((serial, answer))
        self.waiting = [question for question in self.waiting if question.serial != serial]

    def keep_alive(self) -> None:
        self.alive += 1


class StageRecords:
    def __init__(self) -> None:
        self.waiting: list[Record] = []
        self.wake: Callable[[], None] = lambda: None

    @property
    def memory(self) -> int:
        return 1000 * len(self.waiting)

    def __len__(self) -> int:
        return len(self.waiting)

    def put(self, text: str) -> None:
        self.waiting.append(record(text))
        self.wake()

    def take(self) -> Record | None:
        return self.waiting.pop(0) if self.waiting else None


class Stage:
    """One that holds policy, with a manager at process 10."""

    def __init__(self) -> None:
        self.policy = Policy()
        self.policy.managers = ["/sbin/manager"]
        parse_profile("0-COMMENT=\n1-CONFIG={ mode=learning }\n3-CONFIG={ mode=enforcing }\n", self.policy)
        self.statistics = Statistics()
        self.questions = StageQuestions()
        self.audit = StageRecords()
        self.active = True
        self.owner = os.getuid()
        self.outside: set[int] | None = None
        self.changes = 0
        self.kernel = self.policy.domains["<kernel>"]
        self.domains = {10: self.kernel, 11: self.kernel}
        self.programs = {10: "/sbin/manager", 11: "/bin/sh"}
        self.states: list[ProcessState] = []
        self.moves: list[tuple[int, str]] = []
        self.said: list[str] = []
        self.access = Access(self, self.said.append)

    def changed(self) -> None:
        self.changes += 1

    def domain_of(self, pid: int) -> Domain | None:
        return self.domains.get(pid)

    def is_outside(self, pid: int) -> bool:
        return self.outside is None or pid in self.outside

    def executable_of(self, pid: int) -> str | None:
        return self.programs.get(pid)

    def processes(self) -> list[ProcessState]:
        return self.states

    def move(self, tid: int, name: str) -> None:
        if name not in self.policy.domains:
            raise FileNotFoundError(2, "No such file or directory")
        self.moves.append((tid, name))

    def subscribe(self, wake: Callable[[], None]) -> None:
        self.questions.wake = self.audit.wake = wake

    def open(self, name: str, *, readable: bool = True, writable: bool = True) -> Handle:
        return open_file(name, self, self.access, readable=readable, writable=writable)

    def holds(self, domain_policy: str = "", exception_policy: str = "") -> Stage:
        """This, with more policy."""
        parse_domain_policy(domain_policy, self.policy)
        parse_exception_policy(exception_policy, self.policy)
        return self

    def put(self, pid: int, name: str, program: str = "/bin/x") -> Domain:
        """Process ``pid`` runs in the domain ``name``."""
        self.domains[pid] = ensure_domain(self.policy, name)
        self.programs[pid] = program
        return self.domains[pid]


def write(handle: Handle, text: str, caller: Caller = MANAGER) -> None:
    assert len(text) == handle.write(caller, text.encode("ascii"))


def read(handle: Handle, caller: Caller = MANAGER, size: int = 65536) -> str:
    """Everything up to the end."""
    pieces = []
    while piece := handle.read(caller, size):
        pieces.append(piece.decode("ascii"))
    return "".join(pieces)
