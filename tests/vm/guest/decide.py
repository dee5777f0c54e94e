"""In the guest: what the kernel's TOMOYO answers to each of many requests, and what it writes of them in its audit log.

Reads batches (see tests/vm/pairs.py) from standard input, one JSON object a line; answers them in the same order. Raw
bytes are passed as text of as many characters (latin-1). Of every batch a child enters the domain and asks; this
process, a policy manager, prepares what it asks for and reads the kernel's audit log after each request.
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

from tests.vm.guest import ask, kernel

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

    def __init__(self, batch: dict[str, Any]) -> None:
        """It has entered the domain."""
        here, there = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(here[1])
            os.close(there[0])
            ask.serve(batch, os.fdopen(here[0]), os.fdopen(there[1], "w", 1))
        os.close(here[0])
        os.close(there[1])
        self.requests, self.answers = os.fdopen(here[1], "w", 1), os.fdopen(there[0])
        self.state: dict[str, Any] = json.loads(self.answers.readline())

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the child says of ``request``."""
        print(json.dumps(request), file=self.requests)
        answer: dict[str, Any] = json.loads(self.answers.readline())
        if "stopped" in answer:
            kernel_says = process_domain(answer["stopped"])
            print("go on", file=self.requests)
            answer = json.loads(self.answers.readline())
            answer["domain"] = kernel_says
        return answer

    def end(self) -> None:
        """It is gone."""
        self.requests.close()
        os.waitpid(self.pid, 0)


def process_domain(pid: int) -> str:
    """The domain that the kernel has process ``pid`` in."""
    descriptor = os.open(f"{kernel.FILES}.process_status", os.O_RDWR)
    try:
        os.write(descriptor, f"global-pid {pid}\n".encode())
        return os.read(descriptor, 65536).decode().rstrip("\n").split(" ", 2)[2]
    finally:
        os.close(descriptor)


def answer(batch: dict[str, Any]) -> dict[str, Any]:
    """What the kernel makes of ``batch``."""
    LIBC.umount2(TREE.encode(), 2)
    shutil.rmtree(TREE, ignore_errors=True)
    os.mkdir(TREE)
    for each in batch["files"]:
        make(*each)
    forget_exceptions()
    kernel.write("exception_policy", "".join(f"{line}\n" for line in batch["exception"]))
    kernel.write("profile", "".join(f"{line}\n" for line in batch["profile"]))
    kernel.write("domain_policy", "".join(f"{line}\n" for line in batch["domain_policy"]))
    command = "<kernel> /run/local/command"
    kernel.write("domain_policy", f"select {command}\ntask manual_domain_transition {batch['domain']}\n")
    read_back = kernel.domains(batch["domain"])
    exception = kernel.read("exception_policy").split("\n")
    kernel.read("audit")
    child = Child(batch)
    answers = [one(child, request) for request in batch["requests"]]
    child.end()
    for name in reversed(kernel.domains("<kernel>")):
        if name != "<kernel>" and not name.startswith("<kernel> /run/"):
            kernel.write("domain_policy", f"delete {name}\n")
    forget_exceptions()
    return {"read_back": read_back, "exception": exception, "state": child.state, "answers": answers}


def forget_exceptions() -> None:
    """Nothing but what this process needs is left of the exception policy."""
    for line in kernel.read("exception_policy").split("\n"):
        if line and "/run/local/command" not in line:
            kernel.write("exception_policy", f"delete {line}\n")


def one(child: Child, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to ``request``; what it did is undone."""
    for each in request.get("before", []):
        make(*each)
    first, second = request.get("path1"), request.get("path2")
    follow = request.get("follow", False)
    known = [facts(first, follow=follow), facts(parent(first)), facts(second, follow=follow), facts(parent(second))]
    if follow and first is not None:
        known[1] = facts(parent(os.path.realpath(raw(first)).decode("latin-1")))
    kernel.read("audit")
    said = child.ask(request)
    said["facts"] = known
    said["audit"] = kernel.read("audit").split("\n\0")[:-1]
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
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
