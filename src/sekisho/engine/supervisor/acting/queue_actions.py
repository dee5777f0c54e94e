"""Message queues opened in a caller's place (mq_overview(7))."""

from __future__ import annotations

import ctypes
import os
import resource

from sekisho.engine.supervisor.acting.here import Fd, limited, masked
from sekisho.engine.supervisor.system import libc


def open_queue(name: bytes, flags: int, mode: int, attributes: bytes | None, mask: int, most: int) -> Fd:
    """mq_open(2); a new queue takes no more memory than ``most``, the caller's own limit."""
    buffer = None if attributes is None else ctypes.create_string_buffer(attributes, len(attributes))
    with masked(mask), limited(resource.RLIMIT_MSGQUEUE, most):
        return Fd(libc.syscall("mq_open", name, flags | os.O_CLOEXEC, mode, buffer))
