"""A supervisor whose only caller is this process: calls are made up, planned, and done or answered for real."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from sekisho.decide.decision import Decision
from sekisho.decide.request import Facts, Request
from sekisho.decide.text import request_text
from sekisho.engine.judge import Judge
from sekisho.engine.supervisor import table
from sekisho.engine.supervisor.acting.here import HERE
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.plan import Answer, Plan
from sekisho.engine.supervisor.questions import Questions
from sekisho.engine.supervisor.supervisor import Supervisor
from sekisho.engine.supervisor.system import abi
from sekisho.engine.supervisor.system.notify import Listener, Notification
from sekisho.engine.supervisor.tasks import Process
from sekisho.learn.rewrite import RewriteRules
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import AclEntry, Config, Domain, Mode, Policy, Profile
from sekisho.policy.parser import parse_domain_policy
from sekisho.policy.printer import print_acl

DOMAIN = "<kernel> /program"
_ARCHITECTURE = abi.native()
assert _ARCHITECTURE is not None
ARCHITECTURE = _ARCHITECTURE


class Recorder(Listener):
    """A listener that nobody calls, and that keeps what it is told to answer."""

    def __init__(self) -> None:
        super().__init__(os.eventfd(0, os.EFD_CLOEXEC))
        self.answers: list[object] = []

    def proceed(self, ident: int) -> bool:
        self.answers.append("proceed")
        return True

    def finish(self, ident: int, value: int) -> bool:
        self.answers.append(value)
        return True

    def hand_over(self, ident: int, fd: int, flags: int) -> bool:
        self.answers.append(("fd", os.readlink(f"/proc/self/fd/{fd}"), bool(flags & os.O_CLOEXEC)))
        return True

    def valid(self, ident: int) -> bool:
        return True


@dataclass
class Stage:
    """The supervisor and this process as its caller, in DOMAIN with profile 3, whose mode is ``mode``."""

    supervisor: Supervisor
    listener: Recorder
    policy: Policy
    process: Process
    mode: Mode
    warnings: list[str]
    recorded: list[str] = field(default_factory=list)
    learned: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    kept: list[object] = field(default_factory=list)

    @property
    def domain(self) -> Domain:
        return self.policy.domains[DOMAIN]

    def allow(self, *lines: str) -> None:
        """DOMAIN has these entries, too."""
        text = f"{DOMAIN}\nuse_profile 3\n\n" + "".join(f"{line}\n" for line in lines)
        parse_domain_policy(text, self.policy, source="test")

    def pointer(self, data: bytes) -> int:
        """Where a copy of ``data`` stands in the caller's memory."""
        buffer = ctypes.create_string_buffer(data, len(data))
        self.kept.append(buffer)
        return ctypes.addressof(buffer)

    def room(self, size: int = 256) -> tuple[int, ctypes.Array[ctypes.c_char]]:
        """Room in the caller's memory for an answer: (address, buffer)."""
        buffer = ctypes.create_string_buffer(size)
        self.kept.append(buffer)
        return ctypes.addressof(buffer), buffer

    def notification(self, name: str, *arguments: int | bytes | str | os.PathLike[str]) -> Notification:
        """This process stopped in ``name``: numbers as registers, anything else as a pointer to a string."""
        raw = [each if isinstance(each, int) else self.pointer(os.fsencode(each) + b"\0") for each in arguments]
        registers = [value & (1 << 64) - 1 for value in (*raw, *[0] * (6 - len(raw)))]
        first, second, third, fourth, fifth, sixth = registers
        number = ARCHITECTURE.numbers[name]
        return Notification(1, os.getpid(), number, ARCHITECTURE.audit, (first, second, third, fourth, fifth, sixth))

    def call(self, name: str, *arguments: int | bytes | str | os.PathLike[str]) -> Call:
        """The same as a call being looked at; closed when the stage is."""
        made = Call(self.supervisor, self.notification(name, *arguments), self.process, self.mode is Mode.ENFORCING)
        self.calls.append(made)
        return made

    def answer(self, name: str, *arguments: int | bytes | str | os.PathLike[str]) -> Plan | Answer:
        """What the row of ``name`` plans or answers; raises the OSError that the caller would get."""
        return self.supervisor.rows[ARCHITECTURE.numbers[name]].plan(self.call(name, *arguments))

    def plan(self, name: str, *arguments: int | bytes | str | os.PathLike[str]) -> Plan:
        """The same where something is asked for."""
        made = self.answer(name, *arguments)
        assert isinstance(made, Plan), made
        return made

    def asks(self, name: str, *arguments: int | bytes | str | os.PathLike[str]) -> list[str]:
        """The policy lines of what is asked for."""
        return [request_text(request) for request in self.plan(name, *arguments).requests]

    def handle(self, name: str, *arguments: int | bytes | str | os.PathLike[str]) -> object:
        """What the supervisor answers to the whole call."""
        self.listener.answers.clear()
        self.supervisor.take(self.notification(name, *arguments))
        assert len(self.listener.answers) <= 1
        return self.listener.answers[0] if self.listener.answers else None


def _policy(mode: Mode) -> Policy:
    policy = Policy()
    profile = Profile()
    profile.configs[""] = Config(mode, grant_log=False, reject_log=True)
    policy.namespaces["<kernel>"].profiles[3] = profile
    ensure_domain(policy, DOMAIN).profile = 3
    return policy


@contextlib.contextmanager
def stage(mode: Mode = Mode.ENFORCING, *, privileged: bool = False) -> Iterator[Stage]:
    """A stage on which nothing is open any more afterwards."""
    policy, listener = _policy(mode), Recorder()
    made: Stage

    def sink(_: Domain, request: Request, decision: Decision) -> None:
        made.recorded.append(request_text(request))

    def note(_: Domain, text: str, facts: Facts) -> None:
        made.notes.append(text)

    def learned(_: Domain, entry: AclEntry) -> None:
        made.learned.append(print_acl(entry))

    rules = RewriteRules.parse("", "test")
    judge = Judge(policy, rules, sink, note, learned, lambda mode: None, Questions())
    rows = table.by_number(table.rows(privileged=privileged), ARCHITECTURE)
    warnings: list[str] = []
    supervisor = Supervisor(listener, judge, ARCHITECTURE, rows, warnings.append, privileged=privileged)
    descriptors = HERE.descriptors
    process = supervisor.tasks.add(os.getpid(), policy.domains[DOMAIN], os.getppid())
    made = Stage(supervisor, listener, policy, process, mode, warnings)
    try:
        yield made
    finally:
        _strike(made)
        os.close(descriptors)
        if HERE.descriptors == descriptors:
            HERE.descriptors = -1


def _strike(made: Stage) -> None:
    for call in made.calls:
        call.close()
    supervisor = made.supervisor
    supervisor.performer.fences.close()
    supervisor.workers.close()
    supervisor.epoll.close()
    for process in list(supervisor.tasks.by_tgid.values()):
        supervisor.tasks.gone(process)
    os.close(supervisor._mounts)
    os.close(made.listener.fd)
