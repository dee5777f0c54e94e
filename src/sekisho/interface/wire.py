"""What goes over the control socket: one message a packet (SOCK_SEQPACKET), one connection an open file.

::

    request   version operation pid user    payload        to the tree
    reply     version kind      errno value payload        from it, one for each request; and READABLE by itself

    OPEN      flags (one byte), the file's name
    READ      how many bytes, at most            the reply's payload: the bytes, none at the end
    WRITE     the bytes                          the reply's value: how many
    POLL      nothing                            the reply's value: 1 if a read would give something now;
                                                 if it is 0, READABLE comes once when that changes

``pid`` and ``user`` are those of the process for which this is done, as the one who asks knows them.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import Final

VERSION: Final = 1

REQUEST: Final = struct.Struct("!BBxxiI")
REPLY: Final = struct.Struct("!BBxxiI")
SIZE: Final = struct.Struct("!I")

MOST: Final = 32768
"""At most so many bytes are read or written with one message."""
LONGEST: Final = MOST + max(REQUEST.size, REPLY.size)


class Operation(IntEnum):
    """What is asked for."""

    OPEN = 1
    READ = 2
    WRITE = 3
    POLL = 4


class Kind(IntEnum):
    """What a message from the tree is."""

    REPLY = 1
    READABLE = 2


class Flag(IntFlag):
    """How a file is opened."""

    READ = 1
    WRITE = 2
    ADMINISTRATOR = 4
    """Sekisho's own commands, which whoever may connect may run: ``manager`` isn't asked about them."""


class BadMessage(Exception):
    """What came is no message of this protocol."""


def request(operation: Operation, pid: int, user: int, payload: bytes = b"") -> bytes:
    """A message to the tree."""
    return REQUEST.pack(VERSION, operation, pid, user) + payload


def reply(kind: Kind, error: int = 0, value: int = 0, payload: bytes = b"") -> bytes:
    """A message from the tree."""
    return REPLY.pack(VERSION, kind, error, value) + payload


def parse_request(message: bytes) -> tuple[int, Operation, int, int, bytes]:
    """Version, operation, pid, user and payload; raises BadMessage."""
    try:
        version, operation, pid, user = REQUEST.unpack_from(message)
        return version, Operation(operation), pid, user, message[REQUEST.size :]
    except (struct.error, ValueError):
        raise BadMessage from None


def parse_reply(message: bytes) -> tuple[int, Kind, int, int, bytes]:
    """Version, kind, errno, value and payload; raises BadMessage."""
    try:
        version, kind, error, value = REPLY.unpack_from(message)
        return version, Kind(kind), error, value, message[REPLY.size :]
    except (struct.error, ValueError):
        raise BadMessage from None
