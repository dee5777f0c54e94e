"""The fences of workers: what a domain's policy says, given to the kernel as well (Landlock).

A fence is made when a domain first needs it, and holds whoever acts in that domain's place, never the domain's own
programs: those may do more as soon as policy says so, and a process under Landlock never could.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from stat import S_ISDIR
from typing import Final

from sekisho.engine.supervisor import bounds
from sekisho.engine.supervisor.acting.fence import Fence, can_enter
from sekisho.engine.supervisor.bounds import Bounds
from sekisho.engine.supervisor.objects.filesystems import served
from sekisho.engine.supervisor.system import landlock, libc
from sekisho.policy.model import Domain, Policy

_PIN: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC, libc.RESOLVE_NO_SYMLINKS)
_MOST: Final = 128
"""Fences kept, each a descriptor: the one that was made first goes."""
Footing = tuple[tuple[int, int, int], ...]
"""Device, inode and rights of what a fence stands on, in the order of its bounds' paths."""


class Kind(Enum):
    """What is done inside a fence: Landlock can't say both in one (see ``bounds``)."""

    USE = "use"
    MOVE = "move"


_BOUNDS: Final[dict[Kind, Callable[[Policy, Domain], Bounds]]] = {Kind.USE: bounds.of_use, Kind.MOVE: bounds.of_moving}


@dataclass(frozen=True, slots=True)
class _Made:
    """A fence, the bounds it was made from, and what it stands on: it counts for objects, not for their names."""

    fence: Fence
    bounds: Bounds
    footing: Footing


@dataclass(frozen=True, slots=True)
class _Known:
    """What was made for a domain of this generation, profile and number of entries; None where nothing can be withheld
    from it."""

    generation: int
    profile: int
    entries: int
    made: _Made | None


class Fences:
    """The fences of one policy's domains. ``dropped`` is told each that counts no longer, before it is closed."""

    def __init__(self, policy: Policy, dropped: Callable[[Fence], None]) -> None:
        self._policy = policy
        self._dropped = dropped
        self._known: dict[tuple[Domain, Kind], _Known] = {}

    @cached_property
    def _withheld(self) -> dict[Kind, tuple[int, int]]:
        """The rights to files, and to the network, that can be withheld here; found out when first needed."""
        files, network = landlock.known()
        if not files or not can_enter():
            return dict.fromkeys(Kind, (0, 0))
        return {
            Kind.USE: (files & ~landlock.REFER, network),
            Kind.MOVE: (files if files & landlock.REFER else 0, 0),
        }

    def of(self, domain: Domain, kind: Kind) -> Fence | None:
        """The fence for ``domain``; None where nothing that Landlock can withhold is enforced."""
        known = self._known.get((domain, kind))
        if known is None or (known.generation, known.profile) != (domain.generation, domain.profile):
            if known is not None and self._is_only_longer(domain, known):
                made = known.made
            else:
                made = self._made(domain, kind, known.made if known is not None else None)
            known = _Known(domain.generation, domain.profile, len(domain.entries), made)
            self._keep((domain, kind), known)
        return known.made.fence if known.made is not None else None

    def _is_only_longer(self, domain: Domain, known: _Known) -> bool:
        """Whether the domain has but got entries since that make no difference, one with each generation."""
        more = len(domain.entries) - known.entries
        return (
            known.generation >= 0
            and known.profile == domain.profile
            and more == domain.generation - known.generation
            and not bounds.concerns(self._policy, domain, domain.entries[known.entries :])
        )

    def _keep(self, key: tuple[Domain, Kind], known: _Known) -> None:
        self._known[key] = known
        if len(self._known) > _MOST:
            self._drop(self._known.pop(next(iter(self._known))).made)

    def renewed(self, domain: Domain, kind: Kind) -> Fence | None:
        """Another fence for ``domain`` where names have come to mean other objects since the last, else None."""
        known = self._known.get((domain, kind))
        if known is None or known.made is None or known.made.footing == _footing(known.made.bounds):
            return None
        del self._known[domain, kind]
        self._drop(known.made)
        return self.of(domain, kind)

    def forget(self) -> None:
        """Policy may have changed in any way."""
        self._known = {key: replace(known, generation=-1) for key, known in self._known.items()}

    def close(self) -> None:
        """No fence is left."""
        for known in self._known.values():
            self._drop(known.made)
        self._known.clear()

    def _drop(self, made: _Made | None) -> None:
        if made is not None:
            made.fence.stands = False
            self._dropped(made.fence)
            os.close(made.fence.ruleset)

    def _made(self, domain: Domain, kind: Kind, former: _Made | None) -> _Made | None:
        wanted = self._bounds(domain, kind)
        if former is not None and former.bounds == wanted:
            return former
        made = _build(wanted)
        self._drop(former)
        return made

    def _bounds(self, domain: Domain, kind: Kind) -> Bounds:
        wanted = _BOUNDS[kind](self._policy, domain)
        files, network = self._withheld[kind]
        wanted.files &= files
        wanted.network &= network
        wanted.paths = {path: left for path, left in wanted.paths.items() if (left.here | left.nearest) & wanted.files}
        return wanted


def _build(wanted: Bounds) -> _Made | None:
    """Raises OSError where the kernel takes no such ruleset."""
    if not wanted.files and not wanted.network:
        return None
    ruleset = landlock.create(wanted.files, wanted.network)
    try:
        footing = _footing(wanted, lambda fd, rights, status: _leave(ruleset, fd, rights, status))
        for port, rights in wanted.ports.items():
            if rights & wanted.network:
                landlock.leave_port(ruleset, port, rights & wanted.network)
    except BaseException:
        os.close(ruleset)
        raise
    return _Made(Fence(ruleset), wanted, footing)


def _leave(ruleset: int, fd: int, rights: int, status: os.stat_result) -> None:
    landlock.leave_below(ruleset, fd, rights, directory=S_ISDIR(status.st_mode))


def _footing(wanted: Bounds, found: Callable[[int, int, os.stat_result], None] | None = None) -> Footing:
    """What the paths of ``wanted`` lead to now; ``found`` gets each object and what is left on it."""
    footing = []
    elsewhere = served() if wanted.paths else frozenset()
    for path, left in wanted.paths.items():
        fd, rights = _stand(path, left.here & wanted.files, left.nearest & wanted.files)
        fd = _lasting(fd, path, elsewhere)
        if fd < 0:
            footing.append((0, 0, 0))
            continue
        try:
            status = os.fstat(fd)
            footing.append((status.st_dev, status.st_ino, rights))
            if found is not None:
                found(fd, rights, status)
        finally:
            os.close(fd)
    return tuple(footing)


def _stand(path: bytes, here: int, nearest: int) -> tuple[int, int]:
    """(the object at ``path`` or the nearest above it, the rights that are left on it); (-1, 0) for none."""
    rights = here | nearest
    while rights:
        try:
            return libc.openat2(libc.AT_FDCWD, path, _PIN), rights
        except OSError:
            if path == b"/":
                break
            path, rights = _above(path), nearest
    return -1, 0


def _lasting(fd: int, path: bytes, elsewhere: frozenset[int]) -> int:
    """``fd``, what ``path`` has led to; on one of the file systems ``elsewhere`` its root, which stays what it is."""
    while fd >= 0 and os.fstat(fd).st_dev in elsewhere and path != b"/":
        path = _above(path)
        try:
            above = libc.openat2(libc.AT_FDCWD, path, _PIN)
        except OSError:
            continue
        if os.fstat(above).st_dev != os.fstat(fd).st_dev:
            os.close(above)
            break
        os.close(fd)
        fd = above
    return fd


def _above(path: bytes) -> bytes:
    return path[: path.rfind(b"/")] or b"/"
