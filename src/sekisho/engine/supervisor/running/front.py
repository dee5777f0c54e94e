"""The process a shell sees: it stops, goes on and ends as the command does, whoever supervises that."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import Final

_SI_USER_CODES: Final = (0, -1, -6)
"""si_code of kill(2), sigqueue(3) and tgkill(2): sent by somebody, not by the terminal."""
_NOT_OURS: Final = frozenset(
    {
        signal.SIGKILL,
        signal.SIGSTOP,
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGTRAP,
        signal.SIGSYS,
    }
)
_RELAYED: Final = frozenset(signal.valid_signals()) - _NOT_OURS
_LINE_LIMIT: Final = 65536


def block() -> set[signal.Signals]:
    """Signals wait until ``Front.wait`` looks at them; returns the mask that the command must get back."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, _RELAYED)
    return {signal.Signals(number) for number in former}


class Front:
    """Waits for the supervisor's word, relaying signals to the command meanwhile."""

    def __init__(self, channel: socket.socket, supervisor: int) -> None:
        self.channel = channel
        self.supervisor = supervisor
        self.command = 0
        channel.setblocking(False)

    def wait(self) -> int:
        """The command's exit status as a shell gives it (128+N for signal N)."""
        while True:
            gone = self._gone()
            status = self._listen()
            if status is not None:
                return status
            if gone:
                return self._orphaned()
            info = signal.sigwaitinfo(_RELAYED)
            if info.si_signo == signal.SIGCHLD:
                continue
            if self.command and info.si_code in _SI_USER_CODES and info.si_pid != self.supervisor:
                self._relay(info.si_signo)

    def _gone(self) -> bool:
        """Whether the supervisor is dead: until the command executes something it holds that end of the talk open."""
        try:
            return os.waitid(os.P_PID, self.supervisor, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return False

    def _relay(self, number: int) -> None:
        try:
            os.kill(self.command, number)
        except ProcessLookupError:
            self.command = 0

    def _listen(self) -> int | None:
        """What the supervisor has said; its sudden end ends us too, and the command with us."""
        while True:
            try:
                message = self.channel.recv(_LINE_LIMIT)
            except BlockingIOError:
                return None
            if not message:
                return self._orphaned()
            word, _, rest = message.decode("utf-8", "replace").partition(" ")
            if word == "command":
                self.command = int(rest)
            elif word == "stopped":
                os.kill(os.getpid(), signal.SIGSTOP)
            elif word == "say":
                _show(rest)
            elif word == "exit":
                return int(rest)

    def _orphaned(self) -> int:
        _show("sekisho: the supervisor died: what the command asks for from now on is refused; it is ended")
        if self.command:
            self._relay(signal.SIGKILL)
        return 128 + signal.SIGKILL


def _show(line: str) -> None:
    """``line`` is on standard error, where that takes anything: the command isn't to suffer if it doesn't."""
    try:
        sys.stderr.write(line + "\n")
    except OSError:
        pass


class Back:
    """The supervisor's end of the same talk. After the front is gone nothing is said."""

    def __init__(self, channel: socket.socket, front: int) -> None:
        self.channel = channel
        self.front = front

    def tell(self, text: str) -> None:
        """The front hears ``text``."""
        try:
            self.channel.send(text.encode("utf-8", "replace")[:_LINE_LIMIT])
            os.kill(self.front, signal.SIGCHLD)
        except OSError:
            self.front = 0

    def say(self, text: str) -> None:
        """``text`` appears on the front's standard error."""
        self.tell(f"say sekisho: {text}")
