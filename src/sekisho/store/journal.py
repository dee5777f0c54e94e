"""What was learned and isn't in the domain policy yet, line by line, so that no sudden end loses it (law 5).

Each learning run appends to a journal of its own, ``learned-PID.journal``, in domain policy
syntax, and holds a lock on it. A journal that nobody holds was left by a run that was killed:
whoever loads the policy takes it in, whoever saves it removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

from sekisho.errors import PolicyError
from sekisho.policy.model import AclEntry, Domain, Policy
from sekisho.policy.parser import parse_domain_policy
from sekisho.policy.printer import print_acl

_SUFFIX: Final = ".journal"
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class Journal:
    """One run's journal; the file is there only while it holds something."""

    def __init__(self, directory: Path) -> None:
        """Nothing is written yet. No other run, in whatever PID namespace, has a journal of this name."""
        self.path = directory / f"learned-{os.getpid()}-{os.urandom(6).hex()}{_SUFFIX}"
        self._fd = -1
        self._size = 0
        self._domain: Domain | None = None

    def add(self, domain: Domain, entry: AclEntry) -> None:
        """``entry`` of ``domain`` outlives us from now on; raises OSError, and holds what it held, when it can't be."""
        if self._fd < 0:
            self._open()
        text = print_acl(entry) + "\n"
        if domain is not self._domain:
            text = f"\n{domain.name}\nuse_profile {domain.profile}\n\n{text}"
        self._write(text.encode("ascii"))
        self._domain = domain

    def _open(self) -> None:
        # The lock comes before the name, so that nobody takes a journal in that has just been made.
        temporary = self.path.with_suffix(".new")
        fd = os.open(temporary, _FLAGS, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            os.rename(temporary, self.path)
        except OSError:
            os.close(fd)
            raise
        self._fd = fd

    def _write(self, raw: bytes) -> None:
        left = memoryview(raw)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError:
            # Half a line could read as another name than the one that was learned.
            os.ftruncate(self._fd, self._size)
            raise
        self._size += len(raw)

    def saved(self) -> None:
        """All of it is in the domain policy: the journal is empty again."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            self._size = 0
            self._domain = None

    def close(self) -> None:
        """The journal is gone; to be called when all of it has been saved."""
        if self._fd >= 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            os.close(self._fd)
            self._fd = -1


def take_in(fd: int, directory: Path, policy: Policy) -> list[str]:
    """``policy`` has what killed runs left in the directory open as ``fd``; the names of their journals."""
    taken = []
    for name in sorted(os.listdir(fd)):
        if name.endswith(_SUFFIX):
            text = _left_behind(fd, name)
            if text is not None:
                _apply(text, policy, str(directory / name))
                taken.append(name)
    return taken


def remove(fd: int, names: list[str]) -> None:
    """The journals ``names`` are gone: what they held has been saved."""
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=fd)


def _left_behind(fd: int, name: str) -> str | None:
    """The text of a journal that nobody writes to any more, up to its last whole line; None for any other."""
    try:
        journal = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
    except OSError:
        return None
    with open(journal, "rb") as file:
        try:
            fcntl.flock(journal, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            # Where the whole system is held to this policy nobody but managers may lock what is here.
            return None
        whole, _, _ = file.read().rpartition(b"\n")
        return whole.decode("ascii", "replace") + "\n"


def _apply(text: str, policy: Policy, source: str) -> None:
    """Block by block, so that one that a crash has spoiled doesn't take the others with it."""
    for block in text.split("\n<"):
        body = block if block.startswith("<") else "<" + block
        if block.strip():
            _apply_block(body.split("\n"), policy, source)


def _apply_block(lines: list[str], policy: Policy, source: str) -> None:
    """What can be read of one domain's lines; nothing without the domain's name and profile.

    A domain that the policy has already keeps its profile: the administrator may have changed it since.
    """
    known = policy.domains.get(lines[0])
    if len(lines) < 2 or not lines[1].startswith("use_profile "):
        return
    if known is not None and not known.deleted:
        lines = [lines[0], "", *lines[2:]]
    _apply_entries(lines, policy, source)


def _apply_entries(lines: list[str], policy: Policy, source: str) -> None:
    try:
        parse_domain_policy("\n".join(lines) + "\n", policy, source=source)
    except PolicyError as error:
        bad = {each.line for each in (error, *error.others)}
        if not bad & {1, 2}:
            _apply_entries(["" if number in bad else line for number, line in enumerate(lines, 1)], policy, source)
