"""What a service manager is told of the daemon (sd_notify(3)): that policy is in force, that somebody is at home."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, MutableMapping
from typing import Final

_ADDRESS: Final = "NOTIFY_SOCKET"
_PERIOD: Final = "WATCHDOG_USEC"
_WATCHED: Final = "WATCHDOG_PID"


class Notifier:
    """Tells whoever started this process; where nobody asked to be told, nothing happens."""

    def __init__(
        self, environment: MutableMapping[str, str] = os.environ, now: Callable[[], float] = time.monotonic
    ) -> None:
        """What is asked for in ``environment`` is taken out of it: what this process starts isn't meant."""
        address = environment.pop(_ADDRESS, "")
        watched = environment.pop(_WATCHED, str(os.getpid()))
        period = environment.pop(_PERIOD, "0")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._period = int(period) / 2e6 if period.isdigit() and watched == str(os.getpid()) else 0.0
        self._now = now
        self._next = 0.0

    def ready(self) -> None:
        """Policy is in force; what waited for that goes on."""
        self._send("READY=1")

    def alive(self) -> None:
        """Called often, it says so often enough not to be taken for dead."""
        if self._period and self._now() >= self._next:
            self._next = self._now() + self._period
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
            try:
                channel.sendto(text.encode(), self._address)
            except OSError:
                pass  # nobody listens: what holds doesn't depend on it
