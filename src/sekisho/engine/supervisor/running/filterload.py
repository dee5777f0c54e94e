"""Installing the filter in the process that is about to become the program (seccomp(2))."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Final

from sekisho.engine.supervisor.running import protect
from sekisho.engine.supervisor.system import abi, bpf, libc
from sekisho.errors import NotSupported

_SET_MODE_FILTER: Final = 1
_NEW_LISTENER: Final = 1 << 3
_WAIT_KILLABLE_RECV: Final = 1 << 5


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install(program: bytes) -> int:
    """The listener's descriptor; this process's calls stop and ask from now on.

    Raises NotSupported when this kernel, or a container's own filter, doesn't let it happen.
    """
    code = ctypes.create_string_buffer(program, len(program))
    filled = _Program(len(program) // 8, ctypes.addressof(code))
    try:
        return libc.syscall("seccomp", _SET_MODE_FILTER, _NEW_LISTENER | _WAIT_KILLABLE_RECV, ctypes.byref(filled))
    except OSError as error:
        raise NotSupported(
            f"seccomp user notification: {error.strerror}", _HINTS.get(error.errno or 0, "see `sekisho doctor`")
        ) from error


def try_out() -> None:
    """Nothing happens where a filter can be installed; raises NotSupported where it can't. A child does the trying."""
    architecture = abi.require_native()
    here, there = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            protect.no_new_privileges()
            install(bpf.assemble(architecture.audit, architecture.foreign_bit, {}))
        except NotSupported as error:
            os.write(there, f"{error.message}\n{error.hint}".encode())
        finally:
            os._exit(0)
    os.close(there)
    with open(here, "rb") as told:
        message, _, hint = told.read().decode().partition("\n")
    os.waitpid(pid, 0)
    if message:
        raise NotSupported(message, hint)


_HINTS: Final = {
    errno.EINVAL: "it needs Linux 5.19 or newer (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)",
    errno.EBUSY: "this process is supervised already: a tree can have only one listener",
    errno.EPERM: "a container's filter refuses it; allow seccomp(2) with a listener",
    errno.ENOSYS: "the kernel was built without CONFIG_SECCOMP_FILTER",
}
