"""The process that outlives the daemon for a moment: whoever waits for an answer then goes on, and is refused.

The kernel side asks nobody once the daemon shows no life; but it can't wake who has been stopped before.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterable
from typing import Final

_IGNORED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGTSTP)


def watch(daemon: int, last: Callable[[], None], needed: Iterable[int]) -> int:
    """``last()`` is called by a process of its own when ``daemon``, which called this, is no more, however it ended.

    Of the files that are open it keeps ``needed``. What is returned is its pid.
    """
    fd = os.pidfd_open(daemon)
    pid = os.fork()
    if not pid:
        try:
            _stand_guard(fd, {fd, *needed})
            last()
        finally:
            os._exit(0)
    os.close(fd)
    return pid


def _stand_guard(daemon: int, needed: set[int]) -> None:
    """Returns when the process behind ``daemon`` has ended. What ends that one mustn't end this."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > 2 and fd not in needed:
            try:
                os.close(fd)
            except OSError:
                pass  # the list's own
    poll = select.poll()
    poll.register(daemon, select.POLLIN)
    while not poll.poll():
        pass
