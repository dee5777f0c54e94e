"""What an engine asks: the request, and the facts that conditions may look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sekisho.policy.grammar import Operation


class FileType(StrEnum):
    """The kinds of inode that conditions name (spec e)."""

    SOCKET = "socket"
    SYMLINK = "symlink"
    FILE = "file"
    BLOCK = "block"
    DIRECTORY = "directory"
    CHAR = "char"
    FIFO = "fifo"


@dataclass(frozen=True, slots=True)
class Inode:
    """A file's attributes; ``perm`` is mode & 07777; ``major``/``minor`` are the file system's device.

    ``dev_major``/``dev_minor`` are a device node's own numbers, None for anything else.
    """

    uid: int
    gid: int
    ino: int
    major: int
    minor: int
    perm: int
    type: FileType
    dev_major: int | None = None
    dev_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """The caller's ids: pid and ppid as its pid namespace shows them, the rest in the initial user namespace."""

    pid: int = 0
    ppid: int = 0
    uid: int = 0
    gid: int = 0
    euid: int = 0
    egid: int = 0
    suid: int = 0
    sgid: int = 0
    fsuid: int = 0
    fsgid: int = 0
    global_pid: int = 0
    execute_handler: bool = False
    """It runs as an execute handler (condition ``task.type=execute_handler``)."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The program image being executed: its true path (encoded), and its raw argument and environment strings."""

    realpath: str
    argv: tuple[bytes, ...]
    envp: tuple[bytes, ...]


class Facts:
    """Everything a condition or an audit record may look at. Engines override what is dear to compute.

    Attributes are None where the object doesn't exist or the request has no such object.
    """

    task: Task = Task()
    path1: Inode | None = None
    path1_parent: Inode | None = None
    path2: Inode | None = None
    path2_parent: Inode | None = None
    execution: Execution | None = None
    symlink_target: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks to do ``operation`` on ``arguments``: encoded names, plain ints, addresses as text.

    The arguments stand in the order of ``operation.operands``.
    """

    operation: Operation
    arguments: tuple[str | int, ...]
    facts: Facts = field(default_factory=Facts, compare=False)
    ignore_first: bool = False
    """``file mount`` only: the device string is recorded but not compared (spec c.1)."""
