"""Calls that have been judged before, recognised by their raw arguments.

A call is remembered by what the caller passed: path text (with the directory it starts from),
flags. Where nothing is enforced, a remembered call just runs. Where something is, an open or a
stat is done in the caller's place in one step: with RESOLVE_NO_SYMLINKS the text itself is the
canonical name, so what was granted for that name is what is opened.

Everything is forgotten as soon as a call of the tree may change what names mean.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from sekisho.engine.supervisor import libc
from sekisho.engine.supervisor.attributes import STAT_SIZE
from sekisho.engine.supervisor.memory import write
from sekisho.policy.model import Domain, Mode

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call
    from sekisho.engine.supervisor.notify import Notification
    from sekisho.engine.supervisor.supervisor import Supervisor
    from sekisho.engine.supervisor.tasks import Process

_CHUNK: Final = 256
_AT_FDCWD: Final = 0xFFFFFF9C
_MAX: Final = 50000
_PIN: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC, libc.RESOLVE_NO_SYMLINKS)
Key = tuple[object, ...]


class Way(Enum):
    """How a recognised call is done in the caller's place."""

    OPEN = "open"
    STAT = "stat"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Shortcut:
    """How a system call is recognised: registers of its path (None: it names a descriptor), of the directory that
    starts from, of what else tells two calls apart (``others``), of open's flags or stat's buffer (``use``)."""

    path: int | None
    dirfd: int | None = None
    others: tuple[int, ...] = ()
    way: Way = Way.NONE
    use: int = 0


class Shortcuts:
    """The remembered calls of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self._known: dict[Domain, set[Key]] = {}
        self._generations: dict[Domain, int] = {}
        self._hows: dict[int, libc.OpenHow] = {}
        self._changing: set[int] = set()

    def forget(self) -> None:
        """Nothing is remembered any more."""
        self._known.clear()

    def changes(self, tid: int) -> None:
        """Task ``tid`` has been let through to change what names mean: until it asks again, nothing is trusted."""
        self._known.clear()
        self._changing.add(tid)

    def settled(self, tid: int) -> None:
        """What ``tid`` was let through to do is done."""
        if tid in self._changing:
            self._changing.discard(tid)
            self._known.clear()

    def take(self, shortcut: Shortcut, notification: Notification, process: Process, mode: Mode) -> Key | None:
        """None when the call has been answered; else the key to ``remember`` it by, () for none."""
        try:
            key = self._key(shortcut, notification, process)
        except OSError:
            return ()
        if not key:
            return key
        domain = process.domain
        known = self._known.get(domain)
        if known is None or key not in known:
            return key
        if mode is not Mode.ENFORCING:
            self.supervisor.listener.proceed(notification.id)
            return None
        if self._generations[domain] != domain.generation:
            known.clear()
            return key
        return self._perform(shortcut, notification, process, key)

    def _key(self, shortcut: Shortcut, notification: Notification, process: Process) -> Key:
        args, tid = notification.args, notification.tid
        if shortcut.path is None:
            place = os.readlink(f"/proc/{tid}/fd/{args[0] & 0xFFFFFFFF}")
            return (notification.nr, b"", place, *[args[index] for index in shortcut.others])
        if process.identities.get(tid) is not self.supervisor.own:
            return ()
        data = os.pread(process.open_memory(tid).fd, _CHUNK, args[shortcut.path])
        end = data.find(0)
        if end < 0:
            return ()
        path = data[:end]
        base = ""
        if path[:1] != b"/":
            number = _AT_FDCWD if shortcut.dirfd is None else args[shortcut.dirfd] & 0xFFFFFFFF
            base = os.readlink(f"/proc/{tid}/" + ("cwd" if number == _AT_FDCWD else f"fd/{number}"))
        return (notification.nr, path, base, *[args[index] for index in shortcut.others])

    def remember(self, key: Key, call: Call, name: str | None) -> None:
        """The call behind ``key`` was granted by entries without conditions; ``name`` is what for.

        In enforcing mode only a path that is its own canonical name is kept: others need a look each time.
        """
        if self._changing or not key:
            return
        if call.enforcing and key[1] and name is not None:
            written = self.supervisor.namer.encode(key[1]) if isinstance(key[1], bytes) else ""
            if name not in (written, written + "/"):
                return
        domain = call.process.domain
        known = self._known.setdefault(domain, set())
        generation = domain.generation
        if len(known) > _MAX or (call.enforcing and self._generations.get(domain) != generation):
            known.clear()
        self._generations[domain] = generation
        known.add(key)

    def _perform(self, shortcut: Shortcut, notification: Notification, process: Process, key: Key) -> Key | None:
        if shortcut.path is None:
            if process.shares_files:
                return key
            self.supervisor.listener.proceed(notification.id)
            return None
        path = key[1]
        if shortcut.way is Way.NONE or not isinstance(path, bytes) or (path and path[:1] != b"/"):
            return key
        try:
            if not path:
                return self._stat_descriptor(notification, shortcut, key)
            if shortcut.way is Way.OPEN:
                self._open(notification, path, notification.args[shortcut.use] & 0xFFFFFFFF)
            else:
                self._stat(notification, path, notification.args[shortcut.use])
        except OSError:
            return key
        return None

    def _open(self, notification: Notification, path: bytes, flags: int) -> None:
        how = self._hows.get(flags)
        if how is None:
            use = (flags & ~os.O_NOFOLLOW) | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            how = self._hows[flags] = libc.OpenHow(use, libc.RESOLVE_NO_SYMLINKS)
        fd = libc.openat2(libc.AT_FDCWD, path, how)
        try:
            if not flags & os.O_NONBLOCK:
                fcntl.fcntl(fd, fcntl.F_SETFL, flags)
            self.supervisor.listener.hand_over(notification.id, fd, flags & os.O_CLOEXEC)
        finally:
            os.close(fd)

    def _stat_descriptor(self, notification: Notification, shortcut: Shortcut, key: Key) -> Key | None:
        """fstatat(2) with an empty path: the descriptor's object, if it still is the one that was granted."""
        if shortcut.dirfd is None:
            return key
        number = notification.args[shortcut.dirfd] & 0xFFFFFFFF
        fd = os.open(f"/proc/{notification.tid}/fd/{number}", os.O_PATH | os.O_CLOEXEC)
        try:
            if os.readlink(f"/proc/self/fd/{fd}") != key[2]:
                return key
            data = libc.fstat_raw(fd, STAT_SIZE)
        finally:
            os.close(fd)
        write(notification.tid, notification.args[shortcut.use], data)
        self.supervisor.listener.finish(notification.id, 0)
        return None

    def _stat(self, notification: Notification, path: bytes, buffer: int) -> None:
        fd = libc.openat2(libc.AT_FDCWD, path, _PIN)
        try:
            data = libc.fstat_raw(fd, STAT_SIZE)
        finally:
            os.close(fd)
        write(notification.tid, buffer, data)
        self.supervisor.listener.finish(notification.id, 0)
