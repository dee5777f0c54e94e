"""What an audit record consists of (spec g.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sekisho.decide.request import Inode, Task
from sekisho.policy.model import Mode

MISSING: Final = "refusals_not_logged"
"""What a record says that stands for many which aren't in the log: ``refusals_not_logged N``."""


@dataclass(frozen=True, slots=True)
class Image:
    """A program image: its true path, how many strings it has, and as many of them as fit, as words."""

    realpath: str
    argc: int
    envc: int
    argv: tuple[str, ...]
    envp: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """The facts of one request and the decision on it.

    ``time`` counts seconds since the epoch. ``acl`` is the request in policy syntax, or a line about the domain
    itself: ``use_profile N``, ``use_group N``, ``quota_exceeded``, ``transition_failed``, ``refusals_not_logged N``.
    What a request has no use for is None.
    """

    time: float
    profile: int
    mode: Mode
    granted: bool
    domain: str
    acl: str
    task: Task
    path1: Inode | None = None
    path1_parent: Inode | None = None
    path2: Inode | None = None
    path2_parent: Inode | None = None
    execution: Image | None = None
    symlink_target: str | None = None
