"""The process that becomes the command: restricted, filtered, and otherwise as the user started it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
from typing import Final

from sekisho.engine.supervisor.running import filterload, protect
from sekisho.engine.supervisor.system import procfs
from sekisho.errors import NotSupported, explain

READY: Final = b"fd "
"""Begins the message that tells the listener's number and whether signals are scoped."""


def _environment() -> dict[bytes, bytes]:
    """The environment we were started with: Python may have added to its own (PEP 538)."""
    words = procfs.read_all("/proc/self/environ").split(b"\0")
    return {name: value for name, found, value in (word.partition(b"=") for word in words) if found and name}


def _undo_interpreter() -> None:
    """Signals are as we were started with: Python ignores two of them and catches SIGINT unless it was ignored."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def become(
    path: str,
    command: list[str],
    program: bytes,
    down: socket.socket,
    mask: set[signal.Signals],
    *,
    supervisor: int,
    privileged: bool,
    scoped: bool,
) -> None:
    """Never returns: becomes the command, or says why not."""
    code, number = 126, -1
    try:
        environment = _environment()
        protect.end_with_parent(signal.SIGKILL)
        if os.getppid() != supervisor:
            return
        if not privileged:
            protect.no_new_privileges()
        scoped = scoped and protect.scope_signals()
        number = filterload.install(program)
        down.send(READY + struct.pack("ii", number, scoped))
        if down.recv(16) == b"go":
            os.close(number)
            _undo_interpreter()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            protect.end_with_parent(0)
            os.execve(path, command, environment)
    except NotSupported as error:
        down.send(f"{error.message}\n{error.hint}".encode())
    except Exception as error:
        code = 127 if isinstance(error, FileNotFoundError) else 126
        reason = error.strerror if isinstance(error, OSError) else explain(error)
        os.write(2, os.fsencode(f"sekisho: {path}: {reason}\n"))
    finally:
        # Ending is asked for, too: a listener that nobody else has (any more) would keep us waiting for the answer.
        with contextlib.suppress(OSError):
            os.close(number)
        os._exit(code)
