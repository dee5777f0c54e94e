"""What the kernel side keeps from everybody who isn't a manager: bpf/guards.h in Python, and what stands in its map.

Directories are held by file system and inode, so that no other way to them leads around it, and with each of them what
is right in it. What leads to a held directory can't be moved, removed, covered or unmounted.

Nobody but managers can make directories in one that is held; such a directory is held itself once this is reckoned
again, as it is when policy is reloaded.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable, Mapping
from ctypes import c_uint32, c_uint64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

OWN_NAME: Final = "sekisho."
"""So begin the names of the engine's maps and programs in the kernel: by them alone they are held from the moment on
that they are made, before their numbers can be known."""
OWN_DOMAIN: Final = "<sekisho>"
"""The namespace of the domains that the engine's own processes are in; no policy says anything of it."""
INODE, MAP, PROGRAM, LINK, SPACE = range(5)
TREE, WAY, FILES = 1, 2, 4
_SIEVE_WORDS: Final = 1024
_SPREAD: Final = 0x9E3779B97F4A7C15
_CGROUPS: Final = Path("/sys/fs/cgroup")


class GuardKey(ctypes.Structure):
    """``struct guard_key``."""

    _fields_ = (("kind", c_uint32), ("device", c_uint32), ("number", c_uint64))


@dataclass(slots=True)
class Guards:
    """Rows of the map ``guards``: flags by kind, device and number."""

    rows: dict[tuple[int, int, int], int] = field(default_factory=dict)
    _mounts: dict[str, int] = field(default_factory=dict)
    """The devices of mounts, by the numbers that they had when they were first asked for."""

    def add(self, kind: int, number: int, flags: int = TREE, device: int = 0) -> None:
        """One thing more is held, or held in more ways."""
        key = (kind, device, number)
        self.rows[key] = self.rows.get(key, 0) | flags

    def directory(self, path: Path) -> None:
        """``path`` and all below it isn't to be changed. Raises OSError."""
        path = path.resolve(strict=True)
        self._file(path, TREE)
        for below, names, _ in os.walk(path):
            for inside in (Path(below, name) for name in names):
                # what is gone again needs no hold
                with contextlib.suppress(FileNotFoundError):
                    if not inside.is_symlink():
                        self._file(inside, TREE)
        for above in path.parents:
            self._file(above, WAY)

    def control_group(self) -> None:
        """Nobody stops this process by way of its control group; in the root's there is nothing to stop it by."""
        try:
            lines = Path("/proc/self/cgroup").read_text().splitlines()
        except OSError:
            return
        name = next((line[3:] for line in lines if line.startswith("0::")), "/")
        own = _CGROUPS / name.strip("/")
        while own != _CGROUPS and own.is_dir():
            self._file(own, FILES)
            own = own.parent

    def space(self) -> None:
        """The mount namespace of this process is the one in which the engine finds its files."""
        self.add(SPACE, os.stat("/proc/self/ns/mnt").st_ino)

    def _file(self, path: Path, flags: int) -> None:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            device, inode = self._device(fd), os.fstat(fd).st_ino
        finally:
            os.close(fd)
        self.add(INODE, inode, flags, device)

    def _device(self, fd: int) -> int:
        """The file system's own number, as the kernel keeps it: st_dev is another where subvolumes have numbers."""
        fields = Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines()
        mount = next(line.split()[1] for line in fields if line.startswith("mnt_id:"))
        if mount not in self._mounts:
            self._mounts = _devices()
        device = os.fstat(fd).st_dev
        return self._mounts.get(mount, _device(os.major(device), os.minor(device)))

    def sieve(self) -> bytes:
        """``struct sieve``: a bit for each inode."""
        words = [0] * _SIEVE_WORDS
        for kind, device, number in self.rows:
            if kind == INODE:
                place = (number + (device << 32)) * _SPREAD % (1 << 64) >> 48
                words[place >> 6] |= 1 << (place & 63)
        return struct.pack(f"={_SIEVE_WORDS}Q", *words)

    def raw(self) -> Mapping[bytes, bytes]:
        """Keys and values as the map has them."""
        return {
            bytes(GuardKey(kind, device, number)): bytes(c_uint32(flags))
            for (kind, device, number), flags in self.rows.items()
        }


def of(maps: Iterable[int], programs: Iterable[int], links: Iterable[int], directories: Iterable[Path]) -> Guards:
    """Everything of a running engine: its objects by id, its directories, and this process's surroundings."""
    guards = Guards()
    for kind, ids in ((MAP, maps), (PROGRAM, programs), (LINK, links)):
        for number in ids:
            guards.add(kind, number)
    for path in directories:
        guards.directory(path)
    guards.control_group()
    guards.space()
    return guards


def _devices() -> dict[str, int]:
    lines = (line.split(" ", 3) for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return {words[0]: _device(*map(int, words[2].split(":"))) for words in lines}


def _device(major: int, minor: int) -> int:
    return major << 20 | minor
