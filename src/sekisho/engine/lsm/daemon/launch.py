"""The daemon's beginning: in the foreground, or as a process of its own that has said that all is in force."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sekisho.engine.lsm.daemon import control, machine
from sekisho.engine.lsm.daemon.notify import Notifier
from sekisho.engine.lsm.daemon.service import Service
from sekisho.engine.lsm.daemon.system import System
from sekisho.errors import NotSupported, SekishoError, UserError
from sekisho.store.directory import PolicyDirectory

_READY: Final = "ready"
_LONGEST: Final = 1 << 16
_NICE: Final = -10
_LAST: Final = "-900"
"""As the unit has it."""


def begin(directory: PolicyDirectory, say: Callable[[str], None]) -> Service:
    """Policy of ``directory`` is in force. Raises UserError, PolicyError, NotSupported before anything has happened."""
    machine.check()
    if control.is_there():
        raise UserError("the engine's daemon is running already", "see: sekisho system status")
    directory.create()
    policy = directory.load()
    control.SOCKET.parent.mkdir(0o700, parents=True, exist_ok=True)
    service = Service(directory, System.load(policy, [directory.path, control.SOCKET.parent], say), say)
    service.start()
    return service


def foreground(directory: PolicyDirectory, say: Callable[[str], None], ready: Callable[[], None]) -> None:
    """This process has been the daemon; ``ready`` is called when policy is in force."""
    _come_first()
    notifier = Notifier()
    service = begin(directory, say)
    service.alive = notifier.alive
    ready()
    notifier.ready()
    service.serve()


def _come_first() -> None:
    """However busy the machine is, what is learned, asked and changed doesn't wait for it; and whoever takes its memory
    is ended before this process is."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_LAST)


def background(directory: PolicyDirectory, say: Callable[[str], None]) -> None:
    """A daemon is running, and policy in force, when this returns; else what it raised is raised here."""
    machine.check()
    read, write = os.pipe()
    if not os.fork():
        os.close(read)
        _become_daemon(directory, write)
    os.close(write)
    with open(read, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            kind, _, text = line.rstrip("\n").partition(" ")
            if kind == _READY:
                return
            if kind == "say":
                say(text)
            elif kind in _ERRORS:
                raise _ERRORS[kind](text)
    raise UserError("the engine's daemon has ended while it began", "try: sekisho system start --foreground")


_ERRORS: Final = {"unsupported": NotSupported, "error": UserError}


def _become_daemon(directory: PolicyDirectory, write: int) -> None:
    """Never returns."""
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        os.dup2(null, fd)
    channel: list[int] = [write]

    def tell(kind: str, text: str = "") -> None:
        if channel:
            os.write(channel[0], f"{kind} {' '.join(text.split())}\n".encode()[:_LONGEST])
        elif kind == "say":
            print(text, file=sys.stderr, flush=True)

    def ready() -> None:
        tell(_READY)
        os.close(channel.pop())
        os.dup2(null, 2)

    status = 0
    try:
        foreground(directory, lambda text: tell("say", text), ready)
    except SekishoError as error:
        tell("unsupported" if isinstance(error, NotSupported) else "error", str(error))
        status = error.exit_status
    except BaseException:
        tell("error", traceback.format_exc())
        status = 1
    os._exit(status)
