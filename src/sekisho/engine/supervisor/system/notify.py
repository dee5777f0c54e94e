"""The seccomp user-notification listener: receive, answer, hand over descriptors (seccomp_unotify(2))."""

from __future__ import annotations

import errno
import struct
from fcntl import ioctl
from typing import Final, NamedTuple

RECV: Final = 0xC0502100
SEND: Final = 0xC0182101
ID_VALID: Final = 0x40082102
ADDFD: Final = 0x40182103
SET_FLAGS: Final = 0x40082104
FLAG_CONTINUE: Final = 1
ADDFD_SEND: Final = 2
_SYNC_WAKE_UP: Final = 1

_OVER: Final = (errno.ENOENT, errno.EINPROGRESS)
"""The caller is gone; or it has been answered, which an ioctl that a stop of ours made start again finds."""

_REMEMBERED: Final = 20000

NOTIFICATION: Final = struct.Struct("QIIiIQ6Q")
EMPTY: Final = bytes(NOTIFICATION.size)
RESPONSE: Final = struct.Struct("QqiI")
DESCRIPTOR: Final = struct.Struct("QIIII")


class Notification(NamedTuple):
    """One stopped system call. ``tid`` is 0 when the caller isn't visible in our pid namespace."""

    id: int
    tid: int
    nr: int
    arch: int
    args: tuple[int, int, int, int, int, int]


class Listener:
    """Owns the notification descriptor of one tree of processes."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._asked: dict[int, int] = {}
        """The call that each thread asked about last."""

    def wake_synchronously(self) -> bool:
        """True when the kernel (6.6 or newer) promised to switch straight to the waiting side."""
        try:
            ioctl(self.fd, SET_FLAGS, _SYNC_WAKE_UP)
        except OSError:
            return False
        return True

    def receive(self) -> Notification | None:
        """The next stopped call, or None when its caller died before we looked."""
        try:
            ident, tid, _, nr, arch, _, *args = NOTIFICATION.unpack(ioctl(self.fd, RECV, EMPTY))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):
                return None
            raise
        self._asked[tid] = ident
        if len(self._asked) > _REMEMBERED:
            self._asked = {tid: ident for tid, ident in self._asked.items() if self.valid(ident)}
        return Notification(ident, tid, nr, arch, tuple(args))

    def awaits(self, tid: int) -> bool:
        """Whether thread ``tid`` waits for an answer to what was received: nothing but its death makes it go on."""
        ident = self._asked.get(tid)
        return ident is not None and self.valid(ident)

    def proceed(self, ident: int) -> bool:
        """Let the kernel run the call as the caller made it; False when the caller is gone."""
        return self._answer(SEND, RESPONSE.pack(ident, 0, 0, FLAG_CONTINUE))

    def finish(self, ident: int, value: int) -> bool:
        """Make the call return ``value`` (a negative errno is an error) without running it."""
        if -4096 < value < 0:
            return self._answer(SEND, RESPONSE.pack(ident, 0, value, 0))
        return self._answer(SEND, RESPONSE.pack(ident, value, 0, 0))

    def hand_over(self, ident: int, fd: int, flags: int) -> bool:
        """Install our ``fd`` in the caller and make the call return its number there.

        A full descriptor table in the caller is answered with EMFILE, as open(2) does.
        """
        try:
            ioctl(self.fd, ADDFD, DESCRIPTOR.pack(ident, ADDFD_SEND, fd, 0, flags))
        except OSError as error:
            if error.errno in _OVER:
                return False
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                return self.finish(ident, -error.errno)
            raise
        return True

    def install(self, ident: int, fd: int, flags: int) -> int:
        """The number under which the caller, still stopped, has our ``fd`` from now on; raises OSError."""
        number: int = ioctl(self.fd, ADDFD, bytearray(DESCRIPTOR.pack(ident, 0, fd, 0, flags)))
        return number

    def valid(self, ident: int) -> bool:
        """Whether the caller still waits for this answer (so that its tid still is that task's)."""
        try:
            ioctl(self.fd, ID_VALID, struct.pack("Q", ident))
        except OSError:
            return False
        return True

    def _answer(self, request: int, payload: bytes) -> bool:
        try:
            ioctl(self.fd, request, payload)
        except OSError as error:
            if error.errno in _OVER:
                return False
            raise
        return True
