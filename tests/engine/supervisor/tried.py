"""Running something in a child whose calls a filter refuses, as a container's would."""

from __future__ import annotations

import ctypes
import os
import pickle
import struct
from collections.abc import Callable, Mapping
from typing import TypeVar

from sekisho.engine.supervisor.running import filterload, protect
from sekisho.engine.supervisor.system import abi, bpf, libc

Result = TypeVar("Result")


def in_child(function: Callable[[], Result]) -> Result:
    """What ``function`` returns in a forked child."""
    here, there = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(there, pickle.dumps(function()))
        finally:
            os._exit(0)
    os.close(there)
    with open(here, "rb") as answer:
        raw = answer.read()
    os.waitpid(pid, 0)
    return pickle.loads(raw)  # type: ignore[no-any-return]


def refuse(calls: Mapping[str, int]) -> None:
    """The named calls fail with these errors in this process from now on."""
    architecture = abi.native()
    assert architecture is not None
    protect.no_new_privileges()
    code = [struct.pack("HBBI", 0x20, 0, 0, 0)]
    for name, error in calls.items():
        code += [
            struct.pack("HBBI", 0x15, 0, 1, architecture.numbers[name]),
            struct.pack("HBBI", 0x06, 0, 0, bpf.RET_ERRNO | error),
        ]
    code.append(struct.pack("HBBI", 0x06, 0, 0, bpf.RET_ALLOW))
    raw = b"".join(code)
    kept = ctypes.create_string_buffer(raw, len(raw))
    libc.syscall("seccomp", 1, 0, ctypes.byref(filterload._Program(len(code), ctypes.addressof(kept))))


def supervise_self() -> None:
    """This process has a listener on a call that nobody makes, so that it can't have another."""
    architecture = abi.native()
    assert architecture is not None
    protect.no_new_privileges()
    filterload.install(bpf.assemble(architecture.audit, 0, {architecture.numbers["acct"]: ()}))
