from __future__ import annotations

import errno
import os
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.daemon import authority as module
from sekisho.engine.lsm.daemon.authority import SystemAuthority
from sekisho.engine.lsm.daemon.service import Service
from sekisho.engine.lsm.daemon.tasks import Process
from sekisho.errors import UserError
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_domain_policy

NAMES = {1: "<kernel>", 2: "<kernel> /usr/bin/sh", 3: "<sekisho>"}
POLICY = """\
<kernel>
use_profile 0

<kernel> /usr/bin/sh
use_profile 0
task manual_domain_transition <kernel> /usr/bin/sh //other
"""


class Tasks:
    """What tasks carry, by the pid behind a descriptor."""

    def __init__(self) -> None:
        self.carried: dict[int, layout.Task] = {}

    def lookup(self, key: int) -> bytes | None:
        found = self.carried.get(pid_of(key))
        return bytes(found) if found is not None else None

    def update(self, key: int, value: bytes) -> None:
        self.carried[pid_of(key)] = layout.Task.from_buffer_copy(value)


def pid_of(fd: int) -> int:
    with open(f"/proc/self/fdinfo/{fd}") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pid:"))


class Numbers:
    def name(self, number: int) -> str | None:
        return NAMES.get(number)

    def domain(self, name: str) -> int:
        return next((number for number, known in NAMES.items() if known == name), 9)


class Daemon:
    """As much of the daemon as the interface sees."""

    def __init__(self) -> None:
        self.policy = Policy()
        parse_domain_policy(POLICY, self.policy)
        self.tasks = Tasks()
        self.published: list[Any] = []
        self.told: list[str] = []
        self.trusted = True
        self.questions = SimpleNamespace(waiting=lambda pid: 7 if pid == os.getpid() else None)
        self.keeper = SimpleNamespace(
            records=SimpleNamespace(), statistics=None, note=lambda *_: None, updated=lambda by_hand=False: None
        )
        self.system = SimpleNamespace(
            state=layout.State(active=1),
            loaded=SimpleNamespace(maps={"tasks": self.tasks}),
            publisher=SimpleNamespace(domains=Numbers()),
            trusts=self.trusts,
        )

    def trusts(self, pid: int) -> bool:
        os.close(os.pidfd_open(pid))
        return self.trusted

    def publish(self, domains: Any = None) -> int:
        self.published.append(domains)
        return 0

    def say(self, text: str) -> None:
        self.told.append(text)


@pytest.fixture
def daemon() -> Daemon:
    daemon = Daemon()
    daemon.tasks.carried[os.getpid()] = layout.Task(domain=2, flags=layout.TASK_HANDLER)
    return daemon


def authority(daemon: Daemon) -> SystemAuthority:
    return SystemAuthority(cast(Service, daemon))


def test_a_process_is_in_the_domain_that_the_kernel_side_has(daemon: Daemon) -> None:
    found = authority(daemon).domain_of(os.getpid())
    assert found is daemon.policy.domains["<kernel> /usr/bin/sh"]


def test_who_carries_nothing_is_where_everything_begins(daemon: Daemon) -> None:
    daemon.tasks.carried.clear()
    assert authority(daemon).domain_of(os.getpid()) is daemon.policy.domains["<kernel>"]


def test_the_engines_own_processes_are_in_no_domain_of_policy(daemon: Daemon) -> None:
    daemon.tasks.carried[os.getpid()] = layout.Task(domain=3)
    assert authority(daemon).domain_of(os.getpid()) is None


def test_who_has_ended_is_nobody(daemon: Daemon) -> None:
    assert authority(daemon).domain_of(1 << 22) is None
    assert not authority(daemon).is_outside(1 << 22)


def test_whoever_is_trusted_with_the_engine_is_believed(daemon: Daemon) -> None:
    assert authority(daemon).is_outside(os.getpid())
    daemon.trusted = False
    assert not authority(daemon).is_outside(os.getpid())


def test_a_change_holds_at_once(daemon: Daemon) -> None:
    authority(daemon).changed()
    assert daemon.published == [None]


def test_a_change_that_the_kernel_cannot_take_is_told(daemon: Daemon) -> None:
    def full(domains: Any = None) -> int:
        raise UserError("too much")

    daemon.publish = full  # type: ignore[method-assign]
    authority(daemon).changed()
    assert daemon.told == ["what was changed doesn't hold yet: too much"]


def test_processes_are_shown_with_what_they_wait_for(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Process(2, 0, 1, None), Process(os.getpid(), 1, 2, b"/usr/bin/sh")]
    monkeypatch.setattr(module, "processes", lambda: found)
    (shown,) = authority(daemon).processes()
    assert (shown.pid, shown.domain.name, shown.execute_handler, shown.waiting) == (
        os.getpid(), "<kernel> /usr/bin/sh", True, 7,
    )  # fmt: skip


def test_a_move_needs_its_entry(daemon: Daemon) -> None:
    with pytest.raises(PermissionError):
        authority(daemon).move(os.getpid(), "<kernel> /usr/bin/id")
    with pytest.raises(OSError) as raised:
        authority(daemon).move(os.getpid(), "no domain")
    assert raised.value.errno == errno.EINVAL
    assert daemon.tasks.carried[os.getpid()].domain == 2


def test_who_moves_is_there_afterwards(daemon: Daemon) -> None:
    authority(daemon).move(os.getpid(), "<kernel> /usr/bin/sh //other")
    carried = daemon.tasks.carried[os.getpid()]
    assert (carried.domain, carried.flags) == (9, layout.TASK_HANDLER)


def test_a_domain_that_is_made_by_the_move_holds_before_anybody_is_in_it(daemon: Daemon) -> None:
    authority(daemon).move(os.getpid(), "<kernel> /usr/bin/sh //other")
    assert [[each.name for each in domains] for domains in daemon.published] == [["<kernel> /usr/bin/sh //other"]]


def test_a_panic_is_shown(daemon: Daemon) -> None:
    assert authority(daemon).active
    daemon.system.state.active = 0
    assert not authority(daemon).active
