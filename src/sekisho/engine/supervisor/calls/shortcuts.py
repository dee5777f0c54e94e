"""Calls that have been judged before, recognised by their raw arguments.

A call is remembered by what the caller passed: path text (with the directory it starts from),
flags. Where nothing is enforced, a remembered call just runs. Where something is, an open or a
stat is done in the caller's place: in one step where the text itself is the canonical name
(RESOLVE_NO_SYMLINKS holds the kernel to that), else by pinning what the text leads to and
comparing its canonical path with the one that was granted.

Everything is forgotten as soon as a call of the tree may change what names mean.
"""

from __future__ import annotations

import errno
import fcntl
import os
from dataclasses import dataclass
from enum import Enum
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Final

from sekisho.engine.supervisor.acting.here import Fd
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls.attributes import STAT_SIZE
from sekisho.engine.supervisor.calls.glance import Missing, glance
from sekisho.engine.supervisor.system import libc
from sekisho.engine.supervisor.system.memory import write
from sekisho.policy.model import Domain, Mode

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor
    from sekisho.engine.supervisor.system.notify import Notification
    from sekisho.engine.supervisor.tasks import Process

_CHUNK: Final = 256
_AT_FDCWD: Final = 0xFFFFFF9C
_MAX: Final = 50000
_PIN: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC, libc.RESOLVE_NO_SYMLINKS)
_FOLLOW: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC, libc.RESOLVE_NO_MAGICLINKS)
_NOFOLLOW: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW, libc.RESOLVE_NO_MAGICLINKS)
_PLAIN: Final = libc.AT_SYMLINK_NOFOLLOW | libc.AT_NO_AUTOMOUNT
Key = tuple[object, ...]


class Way(Enum):
    """How a recognised call is done in the caller's place."""

    OPEN = "open"
    STAT = "stat"
    STATX = "statx"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Shortcut:
    """How a system call is recognised: registers of its path (None: it names a descriptor), of the directory that
    starts from, of what else tells calls apart (``others``), of open's flags or stat's buffer (``use``), AT_ flags."""

    path: int | None
    dirfd: int | None = None
    others: tuple[int, ...] = ()
    way: Way = Way.NONE
    use: int = 0
    nofollow: bool = False
    at_flags: int | None = None


class Shortcuts:
    """The remembered calls of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self._known: dict[Domain, dict[Key, bytes]] = {}
        self._generations: dict[Domain, int] = {}
        self._hows: dict[int, libc.OpenHow] = {}
        self._changing: set[int] = set()
        self.mounted_over = False

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
        if known is not None and key in known:
            if mode is not Mode.ENFORCING:
                self.supervisor.listener.proceed(notification.id)
                return None
            if self._generations[domain] == domain.generation:
                return self._perform(shortcut, notification, process, key)
            known.clear()
        if shortcut.way is Way.NONE or not key[1] or self._at_flags(shortcut, notification) & ~_PLAIN:
            return key
        try:
            return self._glance(shortcut, notification, process, mode, key)
        except OSError:
            return key

    def _key(self, shortcut: Shortcut, notification: Notification, process: Process) -> Key:
        args, tid = notification.args, notification.tid
        if shortcut.path is None:
            place = os.readlink(b"/proc/%d/fd/%d" % (tid, args[0] & 0xFFFFFFFF))
            return (notification.nr, b"", place, *[args[index] for index in shortcut.others])
        if self.supervisor.identity_of(process, tid) is not self.supervisor.own:
            return ()
        data = os.pread(process.open_memory(tid).fd, _CHUNK, args[shortcut.path])
        end = data.find(0)
        if end < 0:
            return ()
        path = data[:end]
        base = b""
        if path[:1] != b"/":
            number = _AT_FDCWD if shortcut.dirfd is None else args[shortcut.dirfd] & 0xFFFFFFFF
            base = os.readlink(b"/proc/%d/cwd" % tid if number == _AT_FDCWD else b"/proc/%d/fd/%d" % (tid, number))
        return (notification.nr, path, base, *[args[index] for index in shortcut.others])

    def remember(self, key: Key, call: Call) -> None:
        """The call behind ``key`` was granted by entries without conditions, for the object it found (if any)."""
        if self._changing or not key:
            return
        found = call.found
        if call.enforcing and (found is None or not (S_ISREG(found.status.st_mode) or S_ISDIR(found.status.st_mode))):
            return
        if call.enforcing and found is not None and found.name.startswith("proc:"):
            # The same text is proc:/self to one process and not to others, and another program's after an exec.
            return
        self._store(call.process.domain, key, b"" if found is None else found.path, enforcing=call.enforcing)

    def _store(self, domain: Domain, key: Key, canonical: bytes, *, enforcing: bool) -> None:
        if self._changing:
            return
        known = self._known.setdefault(domain, {})
        if len(known) > _MAX or (enforcing and self._generations.get(domain) != domain.generation):
            known.clear()
        self._generations[domain] = domain.generation
        known[key] = canonical

    def _glance(
        self, shortcut: Shortcut, notification: Notification, process: Process, mode: Mode, key: Key
    ) -> Key | None:
        """The same for a call that wasn't seen before, if a quick look tells all."""
        path, enforcing = key[1], mode is Mode.ENFORCING
        assert isinstance(path, bytes)
        flags = notification.args[shortcut.use] & 0xFFFFFFFF if shortcut.way is Way.OPEN else None
        base = self._base(shortcut, notification, path)
        try:
            follow = not self._nofollow(shortcut, notification)
            seen = glance(self.supervisor, process.domain, path, base, flags, follow=follow)
        except Missing:
            if flags is not None and flags & os.O_CREAT:
                return key
            if enforcing:
                self.supervisor.listener.finish(notification.id, -errno.ENOENT)
            else:
                self._store(process.domain, key, b"", enforcing=False)
                self.supervisor.listener.proceed(notification.id)
            return None
        finally:
            if base >= 0:
                os.close(base)
        if seen is None:
            return key
        left = None
        try:
            if enforcing:
                left = self._on(shortcut, notification, process, seen.fd, key)
            else:
                self.supervisor.listener.proceed(notification.id)
            if left is None:
                self._store(process.domain, key, seen.canonical, enforcing=enforcing)
            return left
        finally:
            os.close(seen.fd)

    def _base(self, shortcut: Shortcut, notification: Notification, path: bytes) -> int:
        """The directory that ``path`` starts from, opened; AT_FDCWD when that doesn't matter."""
        if path[:1] == b"/":
            return libc.AT_FDCWD
        number = _AT_FDCWD if shortcut.dirfd is None else notification.args[shortcut.dirfd] & 0xFFFFFFFF
        place = "cwd" if number == _AT_FDCWD else f"fd/{number}"
        return os.open(f"/proc/{notification.tid}/{place}", os.O_PATH | os.O_CLOEXEC)

    def _on(self, shortcut: Shortcut, notification: Notification, process: Process, pin: int, key: Key) -> Key | None:
        """The call is done on the pinned object; opening is fenced, for it is the first time."""
        if shortcut.way is not Way.OPEN:
            return self._answer(shortcut, notification, pin, key)
        call = Call(self.supervisor, notification, process, enforcing=True, fenced=True)
        fd = call.run_fenced("reopen", Fd(pin), _use(notification.args[shortcut.use] & 0xFFFFFFFF) & ~os.O_NOFOLLOW)
        try:
            return self._answer(shortcut, notification, fd, key)
        finally:
            os.close(fd)

    def _answer(self, shortcut: Shortcut, notification: Notification, fd: int, key: Key) -> Key | None:
        """``fd`` is handed over, or what it tells written to the caller; the key when that fails."""
        args = notification.args
        try:
            if shortcut.way is Way.OPEN:
                flags = args[shortcut.use] & 0xFFFFFFFF
                if not flags & os.O_NONBLOCK:
                    fcntl.fcntl(fd, fcntl.F_SETFL, flags)
                self.supervisor.listener.hand_over(notification.id, fd, flags & os.O_CLOEXEC)
                return None
            if shortcut.way is Way.STATX:
                data = libc.statx_raw(fd, args[2] & 0xFFFFFFFF, args[3] & 0xFFFFFFFF)
            else:
                data = libc.fstat_raw(fd, STAT_SIZE)
            write(notification.tid, args[shortcut.use], data)
            self.supervisor.listener.finish(notification.id, 0)
        except OSError:
            return key
        return None

    def _perform(self, shortcut: Shortcut, notification: Notification, process: Process, key: Key) -> Key | None:
        if shortcut.path is None:
            if process.shares_files:
                return key
            self.supervisor.listener.proceed(notification.id)
            return None
        path, canonical = key[1], self._known[process.domain][key]
        flags = notification.args[shortcut.use] if shortcut.way is Way.OPEN else 0
        if shortcut.way is Way.NONE or not isinstance(path, bytes) or flags & os.O_CREAT:
            return key
        try:
            if path == canonical or self._is_below(key[2], path, canonical):
                fd = libc.openat2(libc.AT_FDCWD, canonical, self._how(shortcut, notification))
            else:
                fd = self._pinned(shortcut, notification, path, canonical)
        except OSError:
            return key
        if fd < 0:
            return key
        try:
            return self._answer(shortcut, notification, fd, key)
        finally:
            os.close(fd)

    def _is_below(self, base: object, path: bytes, canonical: bytes) -> bool:
        """Whether ``path`` in the directory ``base`` is ``canonical`` as text, and text still leads where it did: a
        working directory may lie under what was mounted over it."""
        return bool(path) and isinstance(base, bytes) and not self.mounted_over and base + b"/" + path == canonical

    def _how(self, shortcut: Shortcut, notification: Notification) -> libc.OpenHow:
        if shortcut.way is not Way.OPEN:
            return _PIN
        flags = notification.args[shortcut.use] & 0xFFFFFFFF
        how = self._hows.get(flags)
        if how is None:
            how = self._hows[flags] = libc.OpenHow(_use(flags), libc.RESOLVE_NO_SYMLINKS)
        return how

    def _pinned(self, shortcut: Shortcut, notification: Notification, path: bytes, canonical: bytes) -> int:
        """What ``path`` leads to now, opened as the call needs it; -1 when that isn't ``canonical``."""
        base = self._base(shortcut, notification, path)
        pin = base
        try:
            if path:
                pin = libc.openat2(base, path, _NOFOLLOW if self._nofollow(shortcut, notification) else _FOLLOW)
            if os.readlink(b"/proc/self/fd/%d" % pin) != canonical:
                return -1
            if shortcut.way is not Way.OPEN:
                return os.dup(pin)
            return os.open(
                b"/proc/self/fd/%d" % pin, _use(notification.args[shortcut.use] & 0xFFFFFFFF) & ~os.O_NOFOLLOW
            )
        finally:
            for fd in {base, pin} - {libc.AT_FDCWD}:
                os.close(fd)

    def _nofollow(self, shortcut: Shortcut, notification: Notification) -> bool:
        if shortcut.way is Way.OPEN:
            return bool(notification.args[shortcut.use] & os.O_NOFOLLOW)
        return shortcut.nofollow or bool(self._at_flags(shortcut, notification) & libc.AT_SYMLINK_NOFOLLOW)

    def _at_flags(self, shortcut: Shortcut, notification: Notification) -> int:
        return 0 if shortcut.at_flags is None else notification.args[shortcut.at_flags] & 0xFFFFFFFF


def _use(flags: int) -> int:
    """Flags to open with in the caller's place: never waiting, never taking a terminal, never making what is gone."""
    return flags & ~(os.O_CREAT | os.O_EXCL) | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
