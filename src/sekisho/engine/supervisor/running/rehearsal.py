"""A small performance of all that supervising takes, by two processes that are gone afterwards.

The *actor* installs a filter and makes calls; the *watcher* catches and answers them as the
supervisor would. What each step comes to is what a real run would meet on this machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

from sekisho.engine.supervisor.running import filterload, protect
from sekisho.engine.supervisor.system import abi, bpf, libc, memory
from sekisho.engine.supervisor.system.notify import Listener, Notification
from sekisho.engine.supervisor.tasks import children, lineage
from sekisho.errors import NotSupported

Outcomes = dict[str, str]
"""By step: "" where it went as it must, else what went wrong. A step that isn't there wasn't reached."""

_PATIENCE: Final = 5
_LINE: Final = b"papers, please"
_ANSWER: Final = 4242
_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_OPTIONS: Final = 0x100010
_WALL: Final = 0x40000000


def rehearse(*, privileged: bool) -> Outcomes:
    """The outcome of every step that was reached. Nothing in this process has changed afterwards."""
    here, there = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(here)
        _watcher(there, privileged=privileged)
    os.close(there)
    with open(here, "rb") as told:
        lines = told.read().splitlines()
    os.waitpid(pid, 0)
    return dict(json.loads(line) for line in lines)


def _watcher(told: int, *, privileged: bool) -> NoReturn:
    """Each outcome is written to ``told`` as it is known, so that a watcher that dies leaves the earlier ones."""
    with contextlib.suppress(BaseException):
        _limit_time()
        _silence()
        up, down = socket.socketpair()
        actor = os.fork()
        if not actor:
            up.close()
            os.close(told)
            _actor(down, privileged=privileged)
        down.close()
        _Watcher(told, up, actor).watch()
    os._exit(0)


def _limit_time() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    signal.alarm(2 * _PATIENCE)


def _silence() -> None:
    """Nothing that goes wrong here is shown to the user in any other way than as an outcome."""
    sys.stderr = None
    sys.stdout = None


def _actor(channel: socket.socket, *, privileged: bool) -> NoReturn:
    with contextlib.suppress(BaseException):
        _limit_time()
        if not privileged:
            protect.no_new_privileges()
        try:
            scoped = protect.scope_signals()
        except OSError:
            scoped = False
        _act(channel, scoped=scoped)
    os._exit(0)


def _act(channel: socket.socket, *, scoped: bool) -> None:
    architecture = abi.native()
    if architecture is None:
        return
    program = bpf.assemble(architecture.audit, architecture.foreign_bit, {architecture.numbers["getpgid"]: ()})
    watcher = os.getppid()
    try:
        number = filterload.install(program)
    except NotSupported as error:
        channel.send(b"no " + json.dumps([error.message, error.hint]).encode())
        return
    channel.send(b"fd %d %d %d" % (number, scoped, _may_signal(watcher)))
    if channel.recv(16) != b"go":
        return
    os.close(number)
    line = ctypes.create_string_buffer(_LINE, 64)
    got = libc.syscall("getpgid", ctypes.addressof(line))
    channel.send(b"%d %s" % (got, line.value))
    fd = libc.syscall("getpgid", 0)
    channel.send(os.read(fd, 64))
    channel.recv(16)


def _may_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return False
    return True


class _Watcher:
    def __init__(self, told: int, channel: socket.socket, actor: int) -> None:
        self.told = told
        self.channel = channel
        self.actor = actor
        channel.settimeout(_PATIENCE)

    def watch(self) -> None:
        """Every step, in an order in which each needs only those before it."""
        answer = self.channel.recv(4096)
        if not answer.startswith(b"fd "):
            self.tell("filter", "; ".join(filter(None, json.loads(answer[3:]))) if answer else "the process died")
            return
        self.tell("filter")
        number, scoped, may_signal = map(int, answer[3:].split())
        if scoped:
            self.tell("signal scope", "a process still reached one outside its tree" if may_signal else "")
        with self.step("proc"):
            self._proc()
        with self.step("children"):
            self._children()
        with self.step("getfd"):
            listener = Listener(libc.pidfd_getfd(os.pidfd_open(self.actor), number))
            self._calls(listener)

    def _calls(self, listener: Listener) -> None:
        if listener.wake_synchronously():
            self.tell("wake-up")
        self.channel.send(b"go")
        with self.step("notification"):
            first = self._receive(listener)
            self._borrow(first)
            with self.step("ptrace"):
                libc.ptrace(_SEIZE, self.actor, 0, _OPTIONS)
            listener.finish(first.id, _ANSWER)
            got, _, line = self.channel.recv(128).partition(b" ")
            _expect(got == b"%d" % _ANSWER, "the answer didn't reach the process")
        with self.step("write memory"):
            _expect(line == _LINE.upper(), "what was written isn't there")
        with self.step("hand over"):
            self._hand_over(listener)
        self._detach()
        self.channel.send(b"end")

    def _receive(self, listener: Listener) -> Notification:
        waiting = select.poll()
        waiting.register(listener.fd, select.POLLIN)
        _expect(bool(waiting.poll(_PATIENCE * 1000)), "a call was not stopped")
        notification = listener.receive()
        _expect(notification is not None, "a stopped call was lost")
        assert notification is not None
        _expect(notification.tid == self.actor, "the calling process is told by a wrong id")
        return notification

    def _borrow(self, call: Notification) -> None:
        with self.step("read memory"):
            space = memory.Memory(self.actor)
            _expect(space.string(call.args[0]) == _LINE, "what was read isn't what is there")
            space.close()
        with contextlib.suppress(OSError):
            memory.write(self.actor, call.args[0], _LINE.upper())

    def _hand_over(self, listener: Listener) -> None:
        call = self._receive(listener)
        read, write = os.pipe()
        os.write(write, b"pass")
        try:
            _expect(listener.hand_over(call.id, read, os.O_CLOEXEC), "the process is gone")
        except OSError:
            listener.finish(call.id, -1)
            raise
        _expect(self.channel.recv(64) == b"pass", "the descriptor doesn't work")

    def _detach(self) -> None:
        """A process that was attached to can be let go of again."""
        with contextlib.suppress(OSError):
            libc.ptrace(_INTERRUPT, self.actor)
            os.waitpid(self.actor, _WALL)
            libc.ptrace(_DETACH, self.actor)

    def _proc(self) -> None:
        own = f"/proc/{os.getpid()}"
        _expect(os.readlink("/proc/self") == str(os.getpid()), "/proc shows other processes' ids than ours")
        _expect(lineage(self.actor) == (self.actor, os.getpid()), "a child isn't shown as it is")
        for name in ("cwd", "root", "exe"):
            os.stat(f"/proc/{self.actor}/{name}")
        for name in ("status", "mountinfo", "uid_map", "cmdline", "environ", "auxv"):
            with open(f"{own}/{name}", "rb") as content:
                _expect(bool(content.read(1)) or name == "environ", f"{own}/{name} is empty")
        os.readlink(f"{own}/fd/{self.told}")
        os.listdir(f"/proc/{self.actor}/task")

    def _children(self) -> None:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as listing:
            _expect(str(self.actor) in listing.read().split(), "a child isn't listed")
        _expect(self.actor in children(os.getpid()), "a child isn't found")

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Whatever goes wrong inside is the outcome of ``name`` and no reason to stop."""
        try:
            yield
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            self.tell(name, f"{where}{error.strerror or error}")
        else:
            self.tell(name)

    def tell(self, name: str, problem: str = "") -> None:
        """The outcome of ``name`` is known."""
        os.write(self.told, json.dumps([name, problem]).encode() + b"\n")


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise OSError(0, otherwise)


def in_child(probe: Callable[[], None]) -> str:
    """ "" if ``probe`` returned in a process of its own, else what it raised."""
    here, there = os.pipe()
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            _limit_time()
            try:
                probe()
                os.write(there, b"+")
            except OSError as error:
                os.write(there, (error.strerror or str(error)).encode())
        os._exit(0)
    os.close(there)
    with open(here, "rb") as told:
        answer = told.read().decode()
    os.waitpid(pid, 0)
    return "" if answer == "+" else answer or "the process died"
