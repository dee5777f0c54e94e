"""In the guest: what who enforces in the kernel answers to each of many requests, and what audit records it writes.

Reads batches (see tests/vm/pairs.py) from standard input, one JSON object a line; answers them in the same order. Raw
bytes are passed as text of as many characters (latin-1). Of every batch a child enters the domain and asks; this
process, a policy manager, prepares what it asks for and reads the audit log after each request. The word after the
program says who is asked (tests/vm/guest/enforcers.py).
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import stat
import sys
from pathlib import Path
from typing import Any

from tests.vm.guest import ask
from tests.vm.guest.enforcers import ENFORCERS, Both, Enforcer

TREE = "/oracle"
KINDS = {
    stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket", stat.S_IFCHR: "char", stat.S_IFBLK: "block",
}  # fmt: skip
LIBC = ctypes.CDLL(None, use_errno=True)


def raw(text: str) -> bytes:
    """The bytes that ``text`` stands for."""
    return text.encode("latin-1")


def make(path: str, kind: str, mode: int, uid: int, gid: int) -> None:
    """A file of ``kind`` stands at ``path``, as described."""
    name = raw(path)
    if kind == "directory":
        os.makedirs(name, exist_ok=True)
    elif kind.startswith("->"):
        os.symlink(raw(kind[2:]), name)
    elif kind in ("program", "script"):
        Path(os.fsdecode(name)).write_bytes(Path("/bin/true").read_bytes() if kind == "program" else b"#!/bin/true\n")
    else:
        number = next(number for number, word in KINDS.items() if word == kind)
        os.mknod(name, number | 0o600, os.makedev(1, 3) if kind in ("char", "block") else 0)
    os.chown(name, uid, gid, follow_symlinks=False)
    if not kind.startswith("->"):
        os.chmod(name, mode)


def facts(path: str | None, *, follow: bool = False) -> list[object] | None:
    """What conditions may ask of the file at ``path``."""
    try:
        # Links are followed by name: the kernel protects those that others left in directories for all.
        found = os.lstat(os.path.realpath(raw(path)) if follow else raw(path)) if path is not None else None
    except OSError:
        found = None
    if found is None:
        return None
    mode, device = found.st_mode, found.st_rdev
    words: list[object] = [found.st_uid, found.st_gid, found.st_ino, os.major(found.st_dev), os.minor(found.st_dev)]
    words += [mode & 0o7777, KINDS[stat.S_IFMT(mode)]]
    return words + ([os.major(device), os.minor(device)] if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else [])


def parent(path: str | None) -> str | None:
    """The directory that ``path`` is in."""
    return None if path is None else os.path.dirname(path.rstrip("/")) or "/"


class Child:
    """A process in the batch's domain, with its ids and all capabilities."""

    def __init__(self, batch: dict[str, Any], enforcer: Enforcer) -> None:
        """It has entered the domain."""
        self.enforcer = enforcer
        here, there = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(here[1])
            os.close(there[0])
            ask.serve(batch, os.fdopen(here[0]), os.fdopen(there[1], "w", 1), enter=enforcer.enters)
        os.close(here[0])
        os.close(there[1])
        self.requests, self.answers = os.fdopen(here[1], "w", 1), os.fdopen(there[0])
        self.answers.readline()
        enforcer.confine(self.pid, batch["domain"])
        print("go on", file=self.requests)
        self.state: dict[str, Any] = json.loads(self.answers.readline())

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the child says of ``request``."""
        print(json.dumps(request), file=self.requests)
        answer: dict[str, Any] = json.loads(self.answers.readline())
        if "stopped" in answer:
            domains = self.enforcer.where(answer["stopped"])
            print("go on", file=self.requests)
            answer = json.loads(self.answers.readline()) | domains
        return answer

    def end(self) -> None:
        """It is gone."""
        self.requests.close()
        os.waitpid(self.pid, 0)


def all_answers(batch: dict[str, Any], enforcer: Enforcer) -> dict[str, Any]:
    """What comes of ``batch``; where both are asked, ``turned`` is what comes of it with the other enforcing."""
    found = answer(batch, enforcer)
    if isinstance(enforcer, Both):
        enforcer.turn()
        found["turned"] = answer(batch, enforcer)
        enforcer.turn()
    return found


def answer(batch: dict[str, Any], enforcer: Enforcer) -> dict[str, Any]:
    """What comes of ``batch``."""
    LIBC.umount2(TREE.encode(), 2)
    shutil.rmtree(TREE, ignore_errors=True)
    os.mkdir(TREE)
    for each in batch["files"]:
        make(*each)
    begun = enforcer.begin(batch)
    enforcer.forget()
    child = Child(batch, enforcer)
    answers = [one(child, request) for request in batch["requests"]]
    child.end()
    enforcer.end()
    return begun | {"state": child.state, "answers": answers}


def one(child: Child, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to ``request``; what it did is undone."""
    for each in request.get("before", []):
        make(*each)
    first, second = request.get("path1"), request.get("path2")
    follow = request.get("follow", False)
    known = [facts(first, follow=follow), facts(parent(first)), facts(second, follow=follow), facts(parent(second))]
    if follow and first is not None:
        known[1] = facts(parent(os.path.realpath(raw(first)).decode("latin-1")))
    child.enforcer.forget()
    said = child.ask(request)
    said["facts"] = known
    said |= child.enforcer.heard()
    for path in request.get("after", []):
        name = raw(path)
        if os.path.isdir(name) and not os.path.islink(name):
            shutil.rmtree(name, ignore_errors=True)
        elif os.path.lexists(name):
            os.unlink(name)
    return said


def main() -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    "x".encode("idna")
    enforcer = ENFORCERS[sys.argv[1]]()
    for line in sys.stdin:
        print(json.dumps(all_answers(json.loads(line), enforcer)), flush=True)


if __name__ == "__main__":
    main()
