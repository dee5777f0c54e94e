"""What the supervisor and its workers say to each other: JSON, and descriptors beside it."""

from __future__ import annotations

import errno
import json
import os
import socket
from dataclasses import dataclass
from typing import Any, Final

from sekisho.engine.supervisor.acting.here import Fd

_MAX_FDS: Final = 253
_SLOT, _FAILURE, _BYTES, _TUPLE = "fd", "failure", "bytes", "tuple"
_ELSEWHERE: Final = b"elsewhere"
_INLINE: Final = 1 << 16
"""A longer message travels in a file in memory, its descriptor last: a socket may not take it (socket(7), wmem_max)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A result that is the caller's errno."""

    errno: int


def _pack(value: Any, fds: list[int]) -> Any:
    """``value`` as JSON can say it; an object with one word is what JSON has no word for."""
    if isinstance(value, Fd):
        if value >= 0:
            fds.append(int(value))
        return {_SLOT: len(fds) - 1 if value >= 0 else -1}
    if isinstance(value, Failure):
        return {_FAILURE: value.errno}
    if isinstance(value, bytes):
        return {_BYTES: value.decode("latin-1")}
    if isinstance(value, tuple):
        return {_TUPLE: [_pack(item, fds) for item in value]}
    if isinstance(value, list):
        return [_pack(item, fds) for item in value]
    return value


def _unpack(word: dict[str, Any], fds: list[int]) -> Any:
    """What such an object stands for."""
    if _TUPLE in word:
        return tuple(word[_TUPLE])
    if _BYTES in word:
        return word[_BYTES].encode("latin-1")
    if _SLOT in word:
        return Fd(fds[word[_SLOT]]) if word[_SLOT] >= 0 else Fd(-1)
    return Failure(word[_FAILURE])


def send(channel: socket.socket, message: Any) -> None:
    """``message`` is on its way: values that JSON can say, bytes, tuples, descriptors (``Fd``) and failures."""
    fds: list[int] = []
    payload = json.dumps(_pack(message, fds)).encode()
    if len(payload) <= _INLINE:
        socket.send_fds(channel, [payload], fds)
        return
    with os.fdopen(os.memfd_create("message", os.MFD_CLOEXEC), "wb") as large:
        large.write(payload)
        large.flush()
        socket.send_fds(channel, [_ELSEWHERE], [*fds, large.fileno()])


def receive(channel: socket.socket) -> Any:
    """The next message (JSON: never code, whoever sent it); EOFError when the other side is gone."""
    payload, fds, flags, _ = socket.recv_fds(channel, _INLINE, _MAX_FDS)
    if not payload:
        raise EOFError("it has ended")
    if flags & socket.MSG_CTRUNC:
        for fd in fds:
            os.close(fd)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    for fd in fds:
        os.set_inheritable(fd, False)
    if payload == _ELSEWHERE:
        with os.fdopen(fds.pop(), "rb") as large:
            large.seek(0)
            payload = large.read()
    return json.loads(payload, object_hook=lambda word: _unpack(word, fds))
