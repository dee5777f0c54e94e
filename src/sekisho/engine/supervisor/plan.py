"""What a call is about: the objects and places it names, the facts conditions look at, the plan made of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from sekisho.decide.request import Execution, Facts, Inode, Request, Task
from sekisho.engine.supervisor.acting.here import Fd
from sekisho.engine.supervisor.objects import naming

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call


class Proceed:
    """Let the kernel run the call itself."""


class Later:
    """The answer comes when something else has happened."""


PROCEED: Final = Proceed()
LATER: Final = Later()
Answer = int | Fd | Proceed | Later
"""A value or negative errno, a descriptor to hand over, or one of the two marks above."""


@dataclass(slots=True)
class Plan:
    """What policy is asked about a call, and how it is done in the caller's place when policy says yes."""

    requests: Sequence[Request]
    perform: Callable[[], Answer]
    changes: bool = False
    """It changes what names mean, although calls of its kind mostly don't."""
    always: bool = False
    """It is carried out in every mode: it follows who is who, or nothing else shows who it is about."""
    refusal: int = -errno.EPERM
    """What the caller gets when policy says no."""
    refused: Callable[[], Answer] | None = None
    """What is done instead of refusing the call: a peer is refused, and the call goes on with the next."""


@dataclass(slots=True)
class Object:
    """An existing object: pinned, and known by its canonical name (``path``: as raw bytes)."""

    fd: Fd
    status: os.stat_result
    name: str
    path: bytes

    def parent(self) -> Inode | None:
        """The directory it stands in, as conditions see it; None for what has none (a pipe, the root)."""
        directory = os.path.dirname(self.path)
        if not self.path.startswith(b"/") or directory == self.path:
            return None
        try:
            return naming.inode(os.stat(directory))
        except OSError:
            return None


@dataclass(slots=True)
class Place:
    """A name in a directory, whether or not something stands there."""

    parent: Fd
    status: os.stat_result
    last: bytes


class CallFacts(Facts):
    """The facts of a call; ids are read from /proc only when somebody asks."""

    def __init__(
        self,
        call: Call,
        *,
        path1: Object | os.stat_result | None = None,
        parent1: os.stat_result | None = None,
        path2: os.stat_result | None = None,
        parent2: os.stat_result | None = None,
        execution: Execution | None = None,
        symlink_target: str | None = None,
    ) -> None:
        self._call = call
        self._object = path1 if isinstance(path1, Object) else None
        first = path1.status if isinstance(path1, Object) else path1
        self._stats = (first, parent1, path2, parent2)
        self.execution = execution
        self.symlink_target = symlink_target

    @cached_property
    def task(self) -> Task:  # type: ignore[override]
        """The caller's ids."""
        return self._call.task()

    def _inode(self, index: int) -> Inode | None:
        status = self._stats[index]
        return None if status is None else naming.inode(status)

    @property
    def path1(self) -> Inode | None:  # type: ignore[override]
        """The first object."""
        return self._inode(0)

    @property
    def path1_parent(self) -> Inode | None:  # type: ignore[override]
        """The first object's directory."""
        if self._object is not None and self._stats[1] is None:
            return self._object.parent()
        return self._inode(1)

    @property
    def path2(self) -> Inode | None:  # type: ignore[override]
        """The second object."""
        return self._inode(2)

    @property
    def path2_parent(self) -> Inode | None:  # type: ignore[override]
        """The second object's directory."""
        return self._inode(3)
