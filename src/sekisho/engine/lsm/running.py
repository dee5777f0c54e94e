"""The structures of bpf/layout.h that change as programs run: state, counts, events, tasks. Used by ``layout``."""

from __future__ import annotations

import ctypes
from ctypes import c_uint8, c_uint16, c_uint32, c_uint64
from typing import Final

EVENT_TEXTS: Final = 4
QUESTION_EARLIER: Final = 3
TASK_FACTS: Final = ("uid", "gid", "euid", "egid", "suid", "sgid", "fsuid", "fsgid", "pid", "ppid")
INODE_FACTS: Final = ("uid", "gid", "ino", "major", "minor", "perm", "type", "dev_major", "dev_minor")
OBJECTS: Final = ("path1", "path1.parent", "path2", "path2.parent")
FACTS: Final[dict[str, int]] = {
    word: number
    for number, word in enumerate(
        [
            *(f"task.{name}" for name in TASK_FACTS),
            "exec.argc",
            "exec.envc",
            *(f"{each}.{name}" for each in OBJECTS for name in INODE_FACTS),
        ],
        1,
    )
}
"""What a numeric condition can look at, to its place in ``Facts.values``; 0 is none."""


class State(ctypes.Structure):
    """``struct state``."""

    _fields_ = (
        ("book", c_uint32),
        ("active", c_uint32),
        ("sequence", c_uint32 * 2),
        ("every_task", c_uint32),
        ("heartbeat", c_uint32),
        ("daemon", c_uint32),
        ("daemon_started", c_uint32),
        ("observers", c_uint32),
        ("start", c_uint32),
        ("remembers", c_uint32),
        ("guardian", c_uint32),
        ("guardian_started", c_uint32),
        ("pad", c_uint32 * 3),
    )


class Counts(ctypes.Structure):
    """``struct counts``."""

    _fields_ = (
        ("next_domain", c_uint32),
        ("next_name", c_uint32),
        ("events", c_uint64),
        ("lost", c_uint64),
        ("repeated", c_uint64),
        ("unnameable", c_uint64),
        ("crowded", c_uint64),
        ("refused", c_uint64),
        ("inconsistent", c_uint64),
        ("seed", c_uint64),
        ("homeless", c_uint64),
        ("changed", c_uint64),
        ("next_question", c_uint32),
        ("starts", c_uint32),
        ("moved", c_uint64),
        ("folders_moved", c_uint64),
        ("folders", c_uint64),
        ("owners", c_uint64),
    )


class Setter(ctypes.Structure):
    """``struct setter``."""

    _fields_ = (
        ("domain", c_uint32),
        ("chooser", c_uint32),
        ("process", c_uint32),
        ("pad", c_uint32),
        ("started", c_uint64),
    )


class Facts(ctypes.Structure):
    """``struct facts``."""

    _fields_ = (("have", c_uint32), ("handler", c_uint32), ("values", c_uint64 * (len(FACTS) + 1)))


class Event(ctypes.Structure):
    """``struct event``; the texts follow, one behind the other."""

    _fields_ = (
        ("size", c_uint32),
        ("kind", c_uint8),
        ("operation", c_uint8),
        ("mode", c_uint8),
        ("granted", c_uint8),
        ("domain", c_uint32),
        ("other", c_uint32),
        ("time", c_uint64),
        ("pid", c_uint32),
        ("thread", c_uint32),
        ("repeated", c_uint32),
        ("flags", c_uint32),
        ("numbers", c_uint64 * 3),
        ("address", c_uint8 * 16),
        ("version", c_uint16),
        ("port", c_uint16),
        ("lengths", c_uint16 * EVENT_TEXTS),
        ("question", c_uint32),
        ("facts", Facts),
    )


class Task(ctypes.Structure):
    """``struct task``."""

    _fields_ = (
        ("domain", c_uint32),
        ("pending", c_uint32),
        ("flags", c_uint32),
        ("argc", c_uint32),
        ("asked_name", c_uint64),
        ("asked_file", c_uint64),
        ("asked_error", c_uint64),
        ("question", c_uint64),
        ("start", c_uint32),
        ("pad2", c_uint32),
        ("pad3", c_uint64),
    )


class Question(ctypes.Structure):
    """``struct question``."""

    _fields_ = (
        ("asked", c_uint64 * 2),
        ("call", c_uint64),
        ("earlier", c_uint64 * 2 * QUESTION_EARLIER),
        ("process", c_uint32),
        ("thread", c_uint32),
        ("domain", c_uint32),
        ("verdict", c_uint32),
        ("used", c_uint32),
        ("turns", c_uint32),
    )
