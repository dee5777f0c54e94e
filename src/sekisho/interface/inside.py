"""Running a command among whose files the interface stands, served for as long as anybody is there.

Two processes besides the command: the *front* (the one the user started) waits and ends with the command's status; the
*server*, forked from it, is the command's parent and serves the files until the last of its descendants has ended, so
that a daemon (tomoyo-auditd) that the command leaves behind keeps its files.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from sekisho.errors import NotSupported
from sekisho.interface import namespace

Serve = Callable[[Path, Callable[[], None], Callable[[str], None]], None]
"""``serve(where, ready, say)`` serves files at ``where``, calls ``ready()`` once they are there, and comes back when
they aren't any more. Whatever it raises is told to the user, as is the text of ``say(text)`` while the front waits."""

_PR_SET_CHILD_SUBREAPER: Final = 36
_RELAYED: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_SHARED: Final = (signal.SIGINT, signal.SIGQUIT)
"""The terminal sends these to the command as well as to us; the command decides."""
_SERVER_DIED: Final = 125


def run(command: list[str], serve: Serve, disk_policy: Path | None = None) -> int:
    """``command`` has run where tools look for TOMOYO's files and find ours; its exit status as a shell gives it.

    Raises NotSupported where that can't be.
    """
    namespace.enter(disk_policy)
    here, there = os.pipe()
    if not os.fork():
        os.close(here)
        _Server(there, serve).main(command)
    os.close(there)
    with os.fdopen(here, encoding="utf-8", errors="replace") as said:
        return _wait(said)


def _wait(said: Iterable[str]) -> int:
    """What the server says of the command, signals being passed on to it meanwhile."""
    pid = 0
    early: list[int] = []

    def relay(number: int, _: object) -> None:
        if pid:
            _send(pid, number)
        else:
            early.append(number)

    for shared in _SHARED:
        signal.signal(shared, signal.SIG_IGN)
    for relayed in _RELAYED:
        signal.signal(relayed, relay)
    for line in said:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "command":
            pid = int(rest)
            for number in early:
                _send(pid, number)
        elif word == "exit":
            return int(rest)
        elif word == "say":
            print(f"sekisho: {rest}", file=sys.stderr)
        elif word == "error":
            raise NotSupported(rest.replace("\r", "; "))
    print("sekisho: what served the interface files has died", file=sys.stderr)
    return _SERVER_DIED


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class _Server:
    """The process that serves, from fork to its end."""

    def __init__(self, channel: int, serve: Serve) -> None:
        self.channel = channel
        self.serve = serve
        self.command = 0
        self.started = threading.Event()

    def main(self, command: list[str]) -> None:
        """Never returns."""
        try:
            self._main(command)
        except BaseException as error:
            self._say(f"error {error}")
        finally:
            os._exit(1)

    def _main(self, command: list[str]) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        wait, self.go = os.pipe()
        self.command = os.fork()
        if not self.command:
            os.close(self.go)
            _become(command, wait)
        os.close(wait)
        os.setsid()
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        messages = _detach({self.channel, self.go})
        reaper = threading.Thread(target=self._reap, daemon=True)
        reaper.start()
        try:
            self.serve(namespace.INTERFACE, self.started.set, lambda text: self._say(f"say {text}"))
        except Exception as error:
            text = os.pread(messages, 4096, 0).decode("utf-8", "replace").strip()
            self._say(f"error cannot serve files at {namespace.INTERFACE}: {text or error}")
            os._exit(1)
        reaper.join()  # somebody unmounted them, which is no reason to leave the command alone

    def _reap(self) -> None:
        """The command runs once the files are there; when nobody is left, so are we no longer."""
        self.started.wait()
        self._say(f"command {self.command}")
        os.write(self.go, b"go")
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                os._exit(0)
            if pid == self.command:
                code = os.waitstatus_to_exitcode(status)
                self._say(f"exit {code if code >= 0 else 128 - code}")

    def _say(self, line: str) -> None:
        try:
            os.write(self.channel, line.replace("\n", "\r").encode("utf-8", "replace") + b"\n")
        except OSError:
            pass


def _become(command: list[str], wait: int) -> None:
    """This process is the command as soon as it is told to; never returns."""
    try:
        if os.read(wait, 2):
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.execvpe(command[0], command, _environment())
    except OSError as error:
        print(f"sekisho: {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    finally:
        os._exit(126)


def _environment() -> dict[bytes, bytes]:
    """The environment we were started with: Python may have added to its own (PEP 538)."""
    words = Path("/proc/self/environ").read_bytes().split(b"\0")
    return {name: value for name, found, value in (word.partition(b"=") for word in words) if found and name}


def _detach(kept: set[int]) -> int:
    """Nothing of the user's is held open by us but ``kept``; what is said on standard error can be read from the
    descriptor that this returns."""
    null = os.open(os.devnull, os.O_RDWR)
    messages = os.memfd_create("messages")
    for fd, source in ((0, null), (1, null), (2, messages)):
        os.dup2(source, fd)
    kept = kept | {0, 1, 2, messages}
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd not in kept:
            try:
                os.close(fd)
            except OSError:
                pass
    os.chdir("/")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return messages
