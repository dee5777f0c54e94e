"""The interface files as a file system in user space (the optional package mfusepy).

Nothing here but reading, writing and polling asks whom the files speak for: the supervisor of a tree opens files in
its programs' places, and could not answer while it waits for us.
"""

from __future__ import annotations

import errno
import itertools
import os
import select
import stat
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol

from sekisho.errors import NotSupported
from sekisho.interface.files import MODES
from sekisho.interface.handle import failure

_FOREVER: Final = 86400
"""Names and attributes never change, so the kernel needn't ask again."""
_ALWAYS: Final = select.POLLOUT | select.POLLWRNORM
_READABLE: Final = select.POLLIN | select.POLLRDNORM


class ServedFile(Protocol):
    """An interface file that somebody has open. ``pid`` and ``user`` are those of who calls now."""

    def read(self, size: int, pid: int, user: int) -> bytes:
        """At most ``size`` bytes; none at the end, or as long as there is nothing."""

    def write(self, data: bytes, pid: int, user: int) -> int:
        """How much of ``data`` was taken; raises OSError with the caller's errno."""

    def readable(self, pid: int, user: int) -> bool:
        """Whether a read would give something now; if not, the file's ``wake`` is called when that changes."""

    def flush(self) -> None:
        """One of its descriptors is being closed: what was changed is kept."""

    def close(self) -> None:
        """Nobody has it open any more."""


class Opener(Protocol):
    """Opens interface files, asking nobody."""

    def __call__(self, name: str, flags: int, wake: Callable[[], None]) -> ServedFile:
        """The file ``name`` is open as ``flags`` say; ``wake`` is called when it may have become readable."""


def library() -> ModuleType:
    """mfusepy with libfuse; raises NotSupported where either is missing."""
    try:
        import mfusepy
    except ImportError:
        hint = "install it: pip install 'sekisho[classic]'"
        raise NotSupported("the Python package mfusepy is missing", hint) from None
    except OSError:
        raise NotSupported("the library libfuse is missing", "install it: apt install libfuse3-3") from None
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        hint = "load the module fuse, and let this user open the device"
        raise NotSupported("/dev/fuse can't be opened", hint)
    module: ModuleType = mfusepy
    return module


def serve(opener: Opener, owner: int, where: Path, ready: Callable[[], None]) -> None:
    """Serves the files at the directory ``where`` until it is unmounted; they belong to ``owner``."""
    fuse = library()
    operations = _operations(fuse)(opener, owner, ready, Wakers(fuse._libfuse))
    fuse.FUSE(
        operations,
        str(where),
        raw_fi=True,
        foreground=True,
        fsname="sekisho",
        default_permissions=True,
        allow_other=True,
        entry_timeout=_FOREVER,
        attr_timeout=_FOREVER,
        negative_timeout=_FOREVER,
    )


class Wakers:
    """The kernel's wish to hear when a file becomes readable: the last one of each open file counts."""

    def __init__(self, libfuse: Any) -> None:
        import ctypes

        self._notify = libfuse.fuse_notify_poll
        self._destroy = libfuse.fuse_pollhandle_destroy
        self._notify.argtypes = self._destroy.argtypes = [ctypes.c_void_p]
        self._destroy.restype = None
        self._waiting: dict[int, int] = {}
        self._lock = threading.Lock()

    def wait(self, number: int, handle: int) -> None:
        """The open file ``number`` is waited for through the pollhandle at ``handle``."""
        with self._lock:
            former = self._waiting.pop(number, None)
            self._waiting[number] = handle
        if former is not None:
            self._destroy(former)

    def wake(self, number: int) -> None:
        """Whoever waits for the open file ``number`` looks again."""
        with self._lock:
            handle = self._waiting.pop(number, None)
        if handle is not None:
            self._notify(handle)
            self._destroy(handle)

    def forget(self, number: int) -> None:
        """Nobody waits for the open file ``number`` any more."""
        with self._lock:
            handle = self._waiting.pop(number, None)
        if handle is not None:
            self._destroy(handle)


class Files:
    """What the kernel asks of the mounted directory, answered."""

    use_ns: Final = True

    def __init__(self, opener: Opener, owner: int, ready: Callable[[], None], wakers: Wakers) -> None:
        self._opener = opener
        self._owner = owner
        self._ready = ready
        self._wakers = wakers
        self._numbers = itertools.count(1)
        self._open: dict[int, ServedFile] = {}

    def caller(self) -> tuple[int, int]:
        """Process (or thread) and user id of whom this is done for."""
        raise NotImplementedError

    def init(self, path: str) -> None:
        """The mount is there."""
        self._ready()

    def getattr(self, path: str, handle: Any = None) -> dict[str, int]:
        """What stat(2) shows."""
        mode, links = (stat.S_IFDIR | 0o755, 2) if path == "/" else (stat.S_IFREG | _mode(path), 1)
        return {"st_mode": mode, "st_nlink": links, "st_uid": self._owner, "st_gid": os.getegid()}

    def readdir(self, path: str, handle: Any) -> Iterable[str]:
        """Every name."""
        return [".", "..", *MODES]

    def truncate(self, path: str, length: int, handle: Any = None) -> int:
        """Emptying a file changes nothing, as in the kernel."""
        _mode(path)
        return 0

    def open(self, path: str, info: Any) -> int:
        """One more open file, whose contents are nobody's to cache; seeking in it has no effect, as in the kernel."""
        _mode(path)
        number = next(self._numbers)
        self._open[number] = self._opener(path[1:], info.flags, lambda: self._wakers.wake(number))
        info.fh = number
        info.direct_io = 1
        return 0

    def read(self, path: str, size: int, offset: int, info: Any) -> bytes:
        """read(2); where the file stands, it knows itself."""
        return self._open[info.fh].read(size, *self.caller())

    def write(self, path: str, data: bytes, offset: int, info: Any) -> int:
        """write(2), but for that of nothing, which the kernel answers itself."""
        return self._open[info.fh].write(data, *self.caller())

    def poll(self, path: str, info: Any, handle: int | None, events: Any) -> int:
        """poll(2) and its like; whoever waits is noted before looking, so that no change falls between."""
        if handle:
            self._wakers.wait(info.fh, handle)
        readable = self._open[info.fh].readable(*self.caller())
        events[0] = _ALWAYS | (_READABLE if readable else 0)
        return 0

    def flush(self, path: str, info: Any) -> int:
        """close(2), also of a process that ends: it doesn't come back before what was changed is kept."""
        self._open[info.fh].flush()
        return 0

    def release(self, path: str, info: Any) -> int:
        """The last descriptor of an open file is closed."""
        self._wakers.forget(info.fh)
        self._open.pop(info.fh).close()
        return 0


def _operations(fuse: ModuleType) -> type[Files]:
    """Files as mfusepy takes them."""

    def caller(self: Files) -> tuple[int, int]:
        user, _, pid = fuse.fuse_get_context()
        return pid, user

    return type("Mounted", (Files, fuse.Operations), {"caller": caller})


def _mode(path: str) -> int:
    mode = MODES.get(path[1:])
    if mode is None:
        raise failure(errno.ENOENT)
    return mode
