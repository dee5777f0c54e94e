"""From a path as the caller wrote it to the object it means to the caller, pinned by a descriptor.

Runs with the caller's rights: in the supervisor itself, or in a worker that has them.
The kernel resolves the path in one openat2(2) wherever nothing in it could mean something
else to us than to the caller; else ``_Walk`` goes component by component, from the caller's
root, reading ``/proc/self`` and the magic links as the caller would.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from stat import S_ISDIR, S_ISLNK, S_ISVTX, S_IWOTH
from typing import Final

from sekisho.engine.supervisor.objects.filesystems import PROC_SUPER_MAGIC, FileSystems
from sekisho.engine.supervisor.system import libc

_FOLLOW: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC, libc.RESOLVE_NO_MAGICLINKS)
_NOFOLLOW: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW, libc.RESOLVE_NO_MAGICLINKS)
_UNLINKED: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC, libc.RESOLVE_NO_SYMLINKS)
_STEP: Final = os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW
_MAX_LINKS: Final = 40


def error(code: int) -> OSError:
    """An OSError as the kernel would have answered."""
    return OSError(code, os.strerror(code))


@dataclass(frozen=True, slots=True)
class View:
    """Where a caller's paths start: ``start`` for relative ones, ``root`` (-1: the same as ours), its pids."""

    tid: int
    tgid: int
    fsuid: int
    start: int
    root: int = -1


def find(view: View, path: bytes, filesystems: FileSystems, *, follow: bool = True) -> int:
    """An O_PATH descriptor of the existing object that ``path`` means to the caller; raises its OSError."""
    if not path:
        raise error(errno.ENOENT)
    if view.root < 0:
        try:
            fd = libc.openat2(view.start, path, _FOLLOW if follow else _NOFOLLOW)
        except OSError as failure:
            if failure.errno not in (errno.ELOOP, errno.ENOENT, errno.EACCES):
                raise
            if failure.errno == errno.ENOENT and not _has_links(view.start, path):
                raise
        else:
            if filesystems.type(fd, os.fstat(fd).st_dev) != PROC_SUPER_MAGIC:
                return fd
            os.close(fd)
    return _Walk(view, filesystems).run(path, follow=follow)


def find_parent(view: View, path: bytes, filesystems: FileSystems) -> tuple[int, bytes]:
    """(O_PATH descriptor of the directory, last component with its trailing slashes) for a call on a name."""
    if not path:
        raise error(errno.ENOENT)
    bare = path.rstrip(b"/")
    if not bare:
        return find(view, b"/", filesystems), b"."
    slashes = path[len(bare) :]
    head, slash, last = bare.rpartition(b"/")
    # With the dot, links that lead there aren't the last component, and the directory has to be one to search.
    directory = find(view, head + b"/." if slash else b".", filesystems)
    return directory, last + slashes


def _has_links(start: int, path: bytes) -> bool:
    """Whether ``path`` meets a symbolic link: only then (/proc/self is one) can ENOENT be ours and not the caller's."""
    try:
        os.close(libc.openat2(start, path, _UNLINKED))
    except OSError as failure:
        return failure.errno == errno.ELOOP
    return False


class _Walk:
    """One resolution, component by component. Owns ``current`` and closes what it leaves."""

    def __init__(self, view: View, filesystems: FileSystems) -> None:
        self.view = view
        self.filesystems = filesystems
        self.links = 0
        self.current = -1
        self.must_be_directory = False
        self.ends_in_dot = False

    def run(self, path: bytes, *, follow: bool) -> int:
        try:
            self._begin(path)
            todo = self._parts(path)
            while todo:
                last = len(todo) == 1
                self._step(todo, follow or not last or self.must_be_directory)
            if self.must_be_directory and not S_ISDIR(os.fstat(self.current).st_mode):
                raise error(errno.ENOTDIR)
            if self.ends_in_dot:
                os.close(os.open(b".", _STEP, dir_fd=self.current))
        except BaseException:
            self._move(-1)
            raise
        return self.current

    def _parts(self, text: bytes, rest: list[bytes] | None = None) -> list[bytes]:
        """Components of a path or of a link's text; ``rest`` is what comes after it."""
        if not rest and (text == b"." or text.endswith((b"/", b"/."))):
            self.must_be_directory = True
            self.ends_in_dot = self.ends_in_dot or text.endswith(b".")
        return [part for part in text.split(b"/") if part not in (b"", b".")] + (rest or [])

    def _move(self, fd: int) -> None:
        if self.current >= 0:
            os.close(self.current)
        self.current = fd

    def _begin(self, path: bytes) -> None:
        if path.startswith(b"/"):
            root = os.dup(self.view.root) if self.view.root >= 0 else os.open("/", _STEP)
            self._move(root)
        elif self.view.start == libc.AT_FDCWD:
            self._move(os.open(".", _STEP))
        else:
            self._move(os.dup(self.view.start))

    def _step(self, todo: list[bytes], follow: bool) -> None:
        part = todo.pop(0)
        status = os.fstat(self.current)
        if not S_ISDIR(status.st_mode):
            raise error(errno.ENOTDIR)
        if part == b"..":
            if not self._at_root(status):
                self._move(os.open("..", _STEP, dir_fd=self.current))
            return
        fd = os.open(part, _STEP, dir_fd=self.current)
        found = os.fstat(fd)
        if not (S_ISLNK(found.st_mode) and follow):
            self._move(fd)
            return
        try:
            self._follow(fd, found, part, status, todo)
        finally:
            os.close(fd)

    def _at_root(self, status: os.stat_result) -> bool:
        root = os.fstat(self.view.root) if self.view.root >= 0 else os.stat("/")
        return (root.st_dev, root.st_ino) == (status.st_dev, status.st_ino)

    def _follow(
        self, fd: int, found: os.stat_result, part: bytes, directory: os.stat_result, todo: list[bytes]
    ) -> None:
        self.links += 1
        if self.links > _MAX_LINKS:
            raise error(errno.ELOOP)
        if (
            self.filesystems.protected_symlinks
            and not todo
            and not self.ends_in_dot
            and directory.st_mode & S_ISVTX
            and directory.st_mode & S_IWOTH
            and found.st_uid not in (self.view.fsuid, directory.st_uid)
        ):
            raise error(errno.EACCES)
        if self.filesystems.type(fd, found.st_dev) == PROC_SUPER_MAGIC:
            target = self._proc_link(part, fd)
            if target is None:
                return
        else:
            target = os.readlink(b"", dir_fd=fd)
        if not target:
            raise error(errno.ENOENT)
        if target.startswith(b"/"):
            self._begin(b"/")
        todo[:] = self._parts(target, todo)

    def _proc_link(self, part: bytes, fd: int) -> bytes | None:
        """Target text of an ordinary link in proc, as the caller would read it; None when a magic link was taken."""
        if part == b"self":
            return b"%d" % self.view.tgid
        if part == b"thread-self":
            return b"%d/task/%d" % (self.view.tgid, self.view.tid)
        text = os.readlink(b"", dir_fd=fd)
        if part in (b"mounts", b"net") and text.startswith(b"self/"):
            return text
        self._move(os.open(part, os.O_PATH | os.O_CLOEXEC, dir_fd=self.current))
        return None
