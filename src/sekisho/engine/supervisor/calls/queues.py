"""mq_open(2): ``file read`` and ``file write`` of ``mqueue:/NAME``, as the kernel's TOMOYO asks for the file."""

from __future__ import annotations

import errno
import os
from typing import Final

from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import limits
from sekisho.engine.supervisor.calls.opening import access
from sekisho.engine.supervisor.plan import Answer, Plan

_ATTRIBUTES: Final = 64
"""sizeof(struct mq_attr)."""


def mq_open(call: Call) -> Plan | Answer:
    """mq_open(2): done in the caller's place, whose IPC namespace has to be ours."""
    name, flags = call.string(call.args[0]), call.args[1] & 0xFFFFFFFF
    mode, at = call.args[2] & 0o7777, call.args[3]
    attributes = call.read(at, _ATTRIBUTES) if at and flags & os.O_CREAT else None
    word = call.supervisor.namer.encode(b"mqueue:/" + name)
    asked = [call.request(keyword, word) for keyword in access(flags & ~os.O_APPEND)]
    call.close_on_exec = bool(flags & os.O_CLOEXEC)

    def perform() -> Answer:
        if os.readlink(f"/proc/{call.tid}/ns/ipc") != os.readlink("/proc/self/ns/ipc"):
            call.supervisor.warn_once(call.process, "opens a message queue of another IPC namespace: refused")
            return -errno.EPERM
        most = limits.queue_memory(call)
        opened: Fd = call.run("open_queue", name, flags, mode, attributes, call.umask(), most)
        return opened

    return Plan(asked, perform)
