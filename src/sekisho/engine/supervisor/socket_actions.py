"""Binding, connecting and sending in a caller's place, on its own socket with copies of its arguments."""

from __future__ import annotations

import contextlib
import socket

from sekisho.engine.supervisor import libc
from sekisho.engine.supervisor.here import Fd, masked, standing_in
from sekisho.engine.supervisor.message import send_raw


def bind(sock: Fd, address: bytes, directory: Fd, mask: int) -> int:
    """bind(2) with the raw ``address``; relative UNIX names start at ``directory`` (-1: none needed)."""
    with contextlib.ExitStack() as stack:
        if directory >= 0:
            stack.enter_context(masked(mask))
            stack.enter_context(standing_in(directory))
        return libc.syscall("bind", int(sock), address, len(address))


def connect(sock: Fd, address: bytes, directory: Fd) -> int:
    """connect(2) with the raw ``address``."""
    with contextlib.ExitStack() as stack:
        if directory >= 0:
            stack.enter_context(standing_in(directory))
        return libc.syscall("connect", int(sock), address, len(address))


def listen(sock: Fd, backlog: int) -> int:
    """listen(2)."""
    return libc.syscall("listen", int(sock), backlog)


def send(
    sock: Fd,
    data: bytes,
    ancillary: list[tuple[int, int, bytes]],
    descriptors: list[Fd],
    flags: int,
    address: bytes,
    directory: Fd,
) -> int:
    """sendmsg(2) of copies; ``descriptors`` travel as one SCM_RIGHTS message."""
    control = list(ancillary)
    if descriptors:
        control.append(
            (socket.SOL_SOCKET, socket.SCM_RIGHTS, b"".join(int(d).to_bytes(4, "little") for d in descriptors))
        )
    with contextlib.ExitStack() as stack:
        if directory >= 0:
            stack.enter_context(standing_in(directory))
        return send_raw(sock, data, control, flags | socket.MSG_NOSIGNAL, address)
