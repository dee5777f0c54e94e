"""Program images: telling one from the next, and what an image was really given (proc(5))."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sekisho.engine.supervisor.system import procfs


@dataclass(frozen=True, slots=True)
class Image:
    """What tells one program image from the next: random addresses make every auxiliary vector its own."""

    auxv: bytes
    executable: str

    @classmethod
    def of(cls, tid: int) -> Image:
        """The image that task ``tid`` runs now."""
        return cls(procfs.read(f"/proc/{tid}/auxv"), os.readlink(f"/proc/{tid}/exe"))


def difference(tgid: int, file: tuple[int, int], argv: tuple[bytes, ...] | None, envp: tuple[bytes, ...]) -> str | None:
    """What of the image that stands in process ``tgid``, but hasn't run yet, isn't what was checked; None when all is.

    ``file`` is (device, inode) of the executable; ``argv`` is None where it can't be foretold.
    """
    if file_of(tgid) != file:
        return "the executed file was swapped"
    # The kernel gives a program that is started without any argument an empty one.
    if argv is not None and _vector(tgid, "cmdline") != (argv or (b"",)):
        return "the arguments of an exec were swapped"
    if _vector(tgid, "environ") != envp:
        return "the environment of an exec was swapped"
    return None


def file_of(tid: int) -> tuple[int, int]:
    """Device and inode of the executable of task ``tid``."""
    status = os.stat(f"/proc/{tid}/exe")
    return status.st_dev, status.st_ino


def _vector(tgid: int, name: str) -> tuple[bytes, ...]:
    data = procfs.read_all(f"/proc/{tgid}/{name}")
    return tuple(data[:-1].split(b"\0")) if data else ()
