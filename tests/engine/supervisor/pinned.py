"""Descriptors that are closed again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def pidfd_of(pid: int) -> Iterator[int]:
    """A pidfd of process ``pid``."""
    fd = os.pidfd_open(pid)
    try:
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def opened(path: str, flags: int = os.O_RDONLY) -> Iterator[int]:
    """A descriptor of the file at ``path``."""
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)
