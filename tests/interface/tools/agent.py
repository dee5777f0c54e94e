"""tomoyo-editpolicy-agent, listening on a port of this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.interface.tools.conftest import Tools
from tests.interface.tools.terminal import PATIENCE


@contextmanager
def agent(tools: Tools) -> Iterator[str]:
    """The address at which the agent answers for ``tools``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen(
        tools.command("/usr/lib/tomoyo/tomoyo-editpolicy-agent", address), start_new_session=True
    )
    try:
        _answers(address)
        yield address
    finally:
        # Its child for each connection waits for news of its file, and doesn't notice that nobody listens any more.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


def _answers(address: str) -> None:
    host, port = address.split(":")
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((host, int(port)), 5).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < end, "the agent doesn't listen"
            time.sleep(0.05)
