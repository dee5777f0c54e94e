"""Message queues opened in a caller's place (mq_overview(7))."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from collections.abc import Iterator

from sekisho.engine.supervisor.acting.here import Fd, masked
from sekisho.engine.supervisor.system import libc


def open_queue(name: bytes, flags: int, mode: int, attributes: bytes | None, mask: int, most: int) -> Fd:
    """mq_open(2); a new queue takes no more memory than ``most``, the caller's own limit."""
    buffer = None if attributes is None else ctypes.create_string_buffer(attributes, len(attributes))
    with masked(mask), _limited(most):
        return Fd(libc.syscall("mq_open", name, flags | os.O_CLOEXEC, mode, buffer))


@contextlib.contextmanager
def _limited(most: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
    ours = most if hard == resource.RLIM_INFINITY or 0 <= most <= hard else hard
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (ours, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (soft, hard))
