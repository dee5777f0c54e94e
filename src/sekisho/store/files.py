"""Reading and replacing the files of one directory, safely.

A file is replaced whole or not at all: the new text goes to a temporary file beside it, is forced to
disk, and only then takes the name (``rename`` is atomic), so that a crash, a kill -9 or a full disk
leaves the old text. Nothing here follows a symbolic link to a file.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sekisho.errors import PolicyError, UserError

_LOCK: Final = ".lock"
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


@contextmanager
def opened(directory: Path) -> Iterator[int]:
    """A descriptor of ``directory``, which for root has to be root's own and not a symbolic link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        fd = os.open(directory, flags | (os.O_NOFOLLOW if os.geteuid() == 0 else 0))
    except FileNotFoundError:
        hint = f"make it with: sekisho learn -P {directory} -- COMMAND"
        raise UserError(f"there is no policy directory {directory}", hint) from None
    except OSError as error:
        if os.path.islink(directory):
            raise UserError(f"{directory} is a symbolic link", "name the directory itself") from None
        raise UserError(f"cannot open policy directory {directory}: {error.strerror}") from None
    try:
        check_owner(fd, directory)
        yield fd
    finally:
        os.close(fd)


def check_owner(fd: int, path: Path) -> None:
    """What is open as ``fd`` can be changed by root alone, if this is root; raises UserError if not so."""
    if os.geteuid() != 0:
        return
    status = os.fstat(fd)
    if status.st_uid != 0:
        hint = f"chown root {path}, or run sekisho as the user who owns it"
        raise UserError(f"{path} belongs to user {status.st_uid}, so root can't rely on it", hint)
    if status.st_mode & _OTHERS_MAY_WRITE:
        raise UserError(f"{path} can be written by others, so root can't rely on it", f"chmod go-w {path}")


@contextmanager
def locked(fd: int, directory: Path) -> Iterator[None]:
    """Alone among the writers of the directory open as ``fd``; waits for the others."""
    try:
        lock = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=fd)
    except OSError as error:
        raise _unwritable(directory, directory / _LOCK, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def exists(fd: int, name: str) -> bool:
    """Whether the directory open as ``fd`` has an entry ``name`` (a dangling link counts)."""
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def identity(fd: int, name: str) -> tuple[int, int, int, int] | None:
    """What differs once the file ``name`` is replaced or written to; None where there is none."""
    try:
        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def read(fd: int, directory: Path, name: str) -> str | None:
    """The text of the file ``name``, None where there is none. Policy is ASCII; anything else is an error."""
    path = directory / name
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.is_symlink():
            raise UserError(f"{path} is a symbolic link", "put the file itself there") from None
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    with open(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise UserError(f"{path} isn't a regular file", "move it away")
        check_owner(file, path)
        return _ascii(stream.read(), path)


def _ascii(raw: bytes, path: Path) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - before.rfind(b"\n")
        byte = raw[error.start]
        message = f"byte 0x{byte:02x} can't stand in policy"
        raise PolicyError(str(path), line, column, message, f"write it as \\{byte:03o}") from None


def replace(fd: int, directory: Path, name: str, text: str) -> None:
    """The file ``name`` has exactly ``text``, on disk; on an error it has what it had. Needs the lock."""
    temporary = f".{name}.new"
    try:
        _write_new(fd, temporary, text.encode("ascii"))
        os.rename(temporary, name, src_dir_fd=fd, dst_dir_fd=fd)
        os.fsync(fd)
    except OSError as error:
        _forget(fd, temporary)
        raise _unwritable(directory, directory / name, error) from None


def _write_new(fd: int, name: str, raw: bytes) -> None:
    # One left by a writer that was killed: the lock says that nobody writes it any more.
    _forget(fd, name)
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=fd)
    with open(file, "wb", buffering=0) as stream:
        left = memoryview(raw)
        while left:
            left = left[stream.write(left) :]
        os.fsync(file)


def _forget(fd: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=fd)
    except OSError:
        pass


def _unwritable(directory: Path, path: Path, error: OSError) -> UserError:
    hint = f"nothing was changed; make room on the disk or {directory} writable, or choose another with -P"
    return UserError(f"cannot write {path}: {error.strerror}", hint)
