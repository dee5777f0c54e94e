"""Closing what a program may have left us alone with.

We may be the last to close a socket that a program had when its call stopped: then the kernel makes us wait, as long as
the program likes, for the peer to take what is left to send (SO_LINGER, socket(7)). A signal ends that wait.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Final

from sekisho.engine.supervisor.system import libc

_MOMENT: Final = 0.005
"""Seconds that one close may take."""
_ALARM: Final = (1 << signal.SIGALRM - 1).to_bytes(libc.SIGNAL_SET, sys.byteorder)


def prepare() -> None:
    """Must be called once, in the main thread of the process that closes: the alarm interrupts, and that is all."""
    signal.signal(signal.SIGALRM, lambda *_: None)


def close_at_once(*fds: int) -> None:
    """Each of ``fds`` is closed; the kernel goes on by itself with what there is left to do."""
    signal.setitimer(signal.ITIMER_REAL, _MOMENT, _MOMENT)
    former = libc.signal_mask(signal.SIG_UNBLOCK, _ALARM)
    try:
        for fd in fds:
            os.close(fd)
    finally:
        libc.signal_mask(signal.SIG_SETMASK, former)
        signal.setitimer(signal.ITIMER_REAL, 0)
