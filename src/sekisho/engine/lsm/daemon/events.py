"""What the kernel side tells, as values of the core."""

from __future__ import annotations

import ctypes
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Final

from sekisho.decide.request import Execution, Facts, FileType, Inode, Request, Task
from sekisho.engine.lsm import layout
from sekisho.names.word import encode
from sekisho.policy.grammar import OPERATIONS, Operand, Operation
from sekisho.policy.model import Mode

_OPERATIONS: Final = tuple(OPERATIONS.values())
_HEADER: Final = ctypes.sizeof(layout.Event)
_TYPES: Final = {
    stat.S_IFSOCK: FileType.SOCKET,
    stat.S_IFLNK: FileType.SYMLINK,
    stat.S_IFREG: FileType.FILE,
    stat.S_IFBLK: FileType.BLOCK,
    stat.S_IFDIR: FileType.DIRECTORY,
    stat.S_IFCHR: FileType.CHAR,
    stat.S_IFIFO: FileType.FIFO,
}
_OBJECTS: Final = (
    (layout.HAVE_PATH1, "path1"),
    (layout.HAVE_PATH1_PARENT, "path1.parent"),
    (layout.HAVE_PATH2, "path2"),
    (layout.HAVE_PATH2_PARENT, "path2.parent"),
)
_FIRST_OF_TASK: Final = layout.FACTS["task.uid"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event as the kernel side wrote it, its texts cut apart; they are raw bytes."""

    header: layout.Event
    texts: tuple[bytes, ...]

    @property
    def kind(self) -> int:
        """``EVENT_...``."""
        kind: int = self.header.kind
        return kind

    @property
    def mode(self) -> Mode:
        """The mode that the request was decided in."""
        return Mode(self.header.mode & 3)


def read(raw: bytes | memoryview) -> Event:
    """The event that ``raw`` holds. Raises ValueError where it is cut short."""
    if len(raw) < _HEADER:
        raise ValueError(f"an event has {_HEADER} bytes at least, this one {len(raw)}")
    header = layout.Event.from_buffer_copy(raw)
    texts = []
    place = _HEADER
    for length in header.lengths:
        texts.append(bytes(raw[place : place + length]))
        place += length
    if place > len(raw):
        raise ValueError(f"an event's texts end at {place}, it has {len(raw)} bytes")
    return Event(header, tuple(texts))


def request_of(event: Event, domain_name: Callable[[int], str | None]) -> Request | None:
    """The request that the event tells of; None for what can't be one (a name that is empty, a domain unknown)."""
    operation = _OPERATIONS[event.header.operation] if event.header.operation < len(_OPERATIONS) else None
    if operation is None:
        return None
    arguments = tuple(_arguments(event, operation, domain_name))
    if None in arguments or "" in arguments:
        return None
    return Request(operation, tuple(each for each in arguments if each is not None), facts_of(event, operation))


def _arguments(
    event: Event, operation: Operation, domain_name: Callable[[int], str | None]
) -> Iterator[str | int | None]:
    header = event.header
    texts, numbers = iter(event.texts), iter(header.numbers)
    inet = operation.operands[:1] == (Operand.ADDRESS,)
    for operand in operation.operands:
        if operand is Operand.NAME:
            yield encode(next(texts))
        elif operand is Operand.DOMAIN:
            yield domain_name(header.other)
        elif operand is Operand.ADDRESS:
            yield _address(header)
        else:
            yield header.port if inet else next(numbers)


def _address(header: layout.Event) -> str:
    raw = bytes(header.address)
    return inet_ntop(AF_INET, raw[12:]) if header.version == 4 else inet_ntop(AF_INET6, raw)


def facts_of(event: Event, operation: Operation | None) -> Facts:
    """What conditions and audit records may look at."""
    facts = Facts()
    raw = event.header.facts
    facts.task = _task(event.header)
    for bit, name in _OBJECTS:
        if raw.have & bit:
            setattr(facts, name.replace(".", "_"), _inode(raw, layout.FACTS[f"{name}.uid"]))
    if operation is None:
        return facts
    _, _, third, argument = event.texts
    if operation.keyword in ("file execute", "misc env"):
        # As much of the image as the event has: its path, and how it is called.
        facts.execution = Execution(encode(third), (argument,) if argument else (), ()) if third else None
    elif operation.keyword == "file symlink":
        facts.symlink_target = encode(third)
    return facts


def _task(header: layout.Event) -> Task:
    raw = header.facts
    ids = [raw.values[place] & 0xFFFFFFFF for place in range(_FIRST_OF_TASK, _FIRST_OF_TASK + len(layout.TASK_FACTS))]
    named = dict(zip(layout.TASK_FACTS, ids, strict=True))
    return Task(**named, global_pid=header.pid, execute_handler=bool(raw.handler))


def _inode(raw: layout.Facts, first: int) -> Inode:
    values = dict(
        zip(layout.INODE_FACTS, (raw.values[first + place] for place in range(len(layout.INODE_FACTS))), strict=True)
    )
    kind = _TYPES.get(values["type"], FileType.FILE)
    node = kind in (FileType.BLOCK, FileType.CHAR)
    return Inode(
        values["uid"],
        values["gid"],
        values["ino"],
        values["major"],
        values["minor"],
        values["perm"],
        kind,
        values["dev_major"] if node else None,
        values["dev_minor"] if node else None,
    )
