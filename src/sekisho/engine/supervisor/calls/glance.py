"""The quick look at a call that wasn't seen before: plain paths to plain objects, granted without a word.

With RESOLVE_NO_SYMLINKS a path without ``.``, ``..`` and doubled slashes is, behind its
directory's canonical path, the object's canonical name already. Whatever is less simple (links,
proc, conditions, devices, anything not granted yet) is left to the row's planner.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import TYPE_CHECKING, Final

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Request
from sekisho.engine.supervisor.objects.filesystems import FUSE_SUPER_MAGIC, PREFIXED
from sekisho.engine.supervisor.system import libc
from sekisho.policy.grammar import OPERATIONS, Operation

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor
    from sekisho.policy.model import Domain

_UNPLAIN: Final = re.compile(rb"(?:^|/)\.{0,2}(?:/|$)")
_FOLLOW: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC, libc.RESOLVE_NO_SYMLINKS)
_NOFOLLOW: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW, libc.RESOLVE_NO_SYMLINKS)
_NOT_PLAIN: Final = os.O_CREAT | os.O_TRUNC | os.O_PATH | (os.O_TMPFILE & ~os.O_DIRECTORY)
_GETATTR: Final = (OPERATIONS["file getattr"],)
_READ, _WRITE, _APPEND = (OPERATIONS[f"file {word}"] for word in ("read", "write", "append"))
_DELETED: Final = b" (deleted)"


@dataclass(frozen=True, slots=True)
class Seen:
    """A granted object: pinned (the caller closes it), and its canonical path."""

    fd: int
    canonical: bytes


class Missing(Exception):
    """Nothing stands at the path, for the caller either."""


def _operations(flags: int | None) -> tuple[Operation, ...]:
    if flags is None:
        return _GETATTR
    writing = _APPEND if flags & os.O_APPEND else _WRITE
    kind = flags & os.O_ACCMODE
    if flags & _NOT_PLAIN:
        return ()
    return {os.O_RDONLY: (_READ,), os.O_WRONLY: (writing,)}.get(kind, (_READ, writing))


def glance(
    supervisor: Supervisor, domain: Domain, path: bytes, base: int, flags: int | None, *, follow: bool
) -> Seen | None:
    """What a stat (``flags`` None) or an open of ``path`` from the directory ``base`` reaches, if policy grants it
    outright; None when the planner has to look. Raises Missing, or OSError to be taken as None."""
    operations = _operations(flags)
    absolute = path[:1] == b"/"
    if not operations or _UNPLAIN.search(path, 1 if absolute else 0):
        return None
    try:
        fd = libc.openat2(base, path, _FOLLOW if follow else _NOFOLLOW)
    except OSError as failure:
        if failure.errno == errno.ENOENT:
            raise Missing from None
        return None
    granted = False
    try:
        canonical = path if absolute else _below(base, path)
        granted = bool(canonical) and _granted(supervisor, domain, fd, canonical, operations, opening=flags is not None)
    finally:
        if not granted:
            os.close(fd)
    return Seen(fd, canonical) if granted else None


def _below(base: int, path: bytes) -> bytes:
    directory = os.readlink(b"/proc/self/fd/%d" % base)
    if directory[:1] != b"/" or directory.endswith(_DELETED):
        return b""
    return (b"" if directory == b"/" else directory) + b"/" + path


def _granted(
    supervisor: Supervisor,
    domain: Domain,
    fd: int,
    canonical: bytes,
    operations: tuple[Operation, ...],
    *,
    opening: bool,
) -> bool:
    status = os.fstat(fd)
    kind = status.st_mode
    if not (S_ISREG(kind) or S_ISDIR(kind) or (S_ISLNK(kind) and not opening)):
        return False
    magic = supervisor.namer.filesystems.type(fd, status.st_dev)
    if magic in PREFIXED or (opening and magic == FUSE_SUPER_MAGIC) or canonical.endswith(_DELETED):
        return False
    name = supervisor.namer.encode(canonical + b"/" if S_ISDIR(kind) else canonical)
    for operation in operations:
        request = Request(operation, (name,))
        decision = decide(supervisor.judge.policy, domain, request)
        if not decision.granted or not decision.cacheable or decision.grant_log or supervisor.guard.reached((request,)):
            return False
    return True
