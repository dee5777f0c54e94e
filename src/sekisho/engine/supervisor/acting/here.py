"""What belongs to one process: its own descriptor directory, its view of file systems, where it stands."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from typing import Final

from sekisho.engine.supervisor.objects.filesystems import FileSystems


class Fd(int):
    """A descriptor of ours, told apart from plain numbers so that it can travel to and from a worker."""

    __slots__ = ()


class _Here:
    """``descriptors``: /proc/self/fd, pinned; ``filesystems``: as this process sees them."""

    def __init__(self) -> None:
        self.descriptors = -1
        self.filesystems = FileSystems()


HERE: Final = _Here()


def enter_process() -> None:
    """Must be called once in each process (after a fork again): its own /proc/self/fd is pinned."""
    HERE.descriptors = os.open("/proc/self/fd", os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY)
    HERE.filesystems = FileSystems()


def filesystems() -> FileSystems:
    """The file systems as this process sees them."""
    return HERE.filesystems


@contextlib.contextmanager
def masked(mask: int) -> Iterator[None]:
    """What is made meanwhile is made under the umask ``mask``."""
    former = os.umask(mask)
    try:
        yield
    finally:
        os.umask(former)


@contextlib.contextmanager
def limited(kind: int, most: int) -> Iterator[None]:
    """The soft limit ``kind`` of this process is ``most`` meanwhile, if that isn't more than it may have."""
    soft, hard = resource.getrlimit(kind)
    if most == resource.RLIM_INFINITY or (hard != resource.RLIM_INFINITY and most > hard):
        most = hard
    if most == soft:
        yield
        return
    resource.setrlimit(kind, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


@contextlib.contextmanager
def standing_in(directory: int) -> Iterator[None]:
    """Relative names start at ``directory`` meanwhile."""
    here = os.open(".", os.O_PATH | os.O_CLOEXEC)
    try:
        os.fchdir(directory)
        yield
    finally:
        os.fchdir(here)
        os.close(here)


def own_entry(fd: int) -> bytes:
    """The name of our descriptor ``fd`` in ``HERE.descriptors``."""
    return b"%d" % fd
