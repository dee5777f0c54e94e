"""In the guest: a process in an enforcing domain that does what it is told and says how that went."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import IO, Any, Never

LIBC = ctypes.CDLL(None, use_errno=True)
KINDS = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW, "seqpacket": 5}


def raw(text: str) -> bytes:
    """The bytes that ``text`` stands for."""
    return text.encode("latin-1")


def call(name: str, *arguments: object) -> None:
    """A function of the C library, whose failure is an OSError."""
    if getattr(LIBC, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def serve(batch: dict[str, Any], requests: IO[str], answers: IO[str], *, enter: bool) -> Never:
    """Enters the batch's domain of the kernel's if told to, takes its ids, and answers every request."""
    if enter:
        descriptor = os.open("/sys/kernel/security/tomoyo/self_domain", os.O_WRONLY)
        os.write(descriptor, batch["domain"].encode("utf-8", "surrogateescape"))
        os.close(descriptor)
    print("here", file=answers)
    requests.readline()
    os.umask(0)
    ids = batch["ids"]
    LIBC.prctl(8, 1, 0, 0, 0)
    os.setgroups([])
    call("setresgid", *ids["gid"][:3])
    call("setresuid", *ids["uid"][:3])
    take_capabilities()
    LIBC.setfsgid(ids["gid"][3])
    LIBC.setfsuid(ids["uid"][3])
    take_capabilities()
    print(json.dumps({"pid": os.getpid(), "ppid": os.getppid()}), file=answers)
    for line in requests:
        print(json.dumps(answer(json.loads(line), requests, answers)), file=answers)
    os._exit(0)


def take_capabilities() -> None:
    """All capabilities are in effect, whatever the ids."""
    header, full = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    full[0:6] = [0xFFFFFFFF, 0xFFFFFFFF, 0, 0x1FF, 0x1FF, 0]
    call("capset", header, full)


def answer(request: dict[str, Any], requests: IO[str], answers: IO[str]) -> dict[str, Any]:
    """The number of the error that ``request`` ends in, 0 for none, and whose request it was."""
    operation, arguments = request["operation"], request["arguments"]
    if operation == "file execute" or operation == "misc env":
        return execute(request, requests, answers)
    if operation.split()[-1] in ("chroot", "mount", "unmount", "pivot_root", "manual_domain_transition"):
        return in_a_child(lambda: perform(operation, arguments))
    return {"errno": attempt(lambda: perform(operation, arguments)), "pid": os.getpid(), "ppid": os.getppid()}


def attempt(action: Callable[[], object]) -> int:
    """The error that ``action`` ends in."""
    try:
        action()
    except OSError as error:
        return error.errno or -1
    return 0


def in_a_child(action: Callable[[], object]) -> dict[str, Any]:
    """As ``attempt``, for what changes the process that does it."""
    pid = os.fork()
    if pid == 0:
        os._exit(attempt(action))
    return {"errno": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "pid": pid, "ppid": os.getpid()}


def execute(request: dict[str, Any], requests: IO[str], answers: IO[str]) -> dict[str, Any]:
    """Executes; the program is asked after while it stands before its first instruction, and goes no further."""
    path, argv, envp = request["program"]
    pid = os.fork()
    if pid == 0:
        LIBC.ptrace(0, 0, 0, 0)
        null = os.open("/dev/null", os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        words = (ctypes.c_char_p * (len(argv) + 1))(*map(raw, argv), None)
        variables = (ctypes.c_char_p * (len(envp) + 1))(*map(raw, envp), None)
        os._exit(attempt(lambda: call("execve", raw(path), words, variables)))
    status = os.waitpid(pid, 0)[1]
    if os.WIFEXITED(status):
        return {"errno": os.WEXITSTATUS(status), "pid": pid, "ppid": os.getpid()}
    print(json.dumps({"stopped": pid}), file=answers)
    requests.readline()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return {"errno": 0, "pid": pid, "ppid": os.getpid()}


def perform(operation: str, arguments: list[Any]) -> None:
    """Does it; an OSError says that it failed."""
    category, *words = operation.split(" ")
    if category == "network":
        network(words, arguments)
    elif category == "task":
        descriptor = os.open("/sys/kernel/security/tomoyo/self_domain", os.O_WRONLY)
        os.write(descriptor, raw(arguments[0]))
    else:
        FILE[words[0]](*(raw(each) if isinstance(each, str) else each for each in arguments))


def network(words: list[str], arguments: list[Any]) -> None:
    """A socket operation on an address that need not exist."""
    kind, operation = KINDS[words[1]], words[2]
    address: bytes | tuple[str, int]
    if words[0] == "unix":
        family, address = socket.AF_UNIX, raw(arguments[0])
    else:
        family = socket.AF_INET6 if ":" in arguments[0] else socket.AF_INET
        port = arguments[1] if words[1] != "raw" else 0
        address = (arguments[0], port)
    with socket.socket(family, kind, arguments[1] if words[1] == "raw" else 0) as each:
        each.setblocking(False)
        if family != socket.AF_UNIX:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if operation == "bind":
            each.bind(address)
        elif operation == "listen":
            each.bind(address)
            each.listen(1)
        elif operation == "connect" or (operation == "send" and len(arguments) > 2):
            each.connect(address)
        else:
            each.sendto(b"x", address)


def mount(device: bytes, directory: bytes, kind: bytes, flags: int) -> None:
    """mount(2) in a name space of its own."""
    call("unshare", 0x20000)
    call("mount", device, directory, kind, ctypes.c_ulong(flags), None)


def unmount(directory: bytes) -> None:
    """umount(2) of a file system mounted before in a name space of its own."""
    call("unshare", 0x20000)
    call("umount2", directory, 0)


def opened(flags: int) -> Callable[[bytes], None]:
    """open(2) with ``flags``."""
    return lambda path: os.close(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY))


def ioctl(path: bytes, command: int) -> None:
    """ioctl(2) on a file opened for it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        fcntl.ioctl(descriptor, command, bytes(64))
    finally:
        os.close(descriptor)


FILE: dict[str, Callable[..., object]] = {
    "read": opened(os.O_RDONLY),
    "write": opened(os.O_WRONLY),
    "append": opened(os.O_WRONLY | os.O_APPEND),
    "getattr": os.lstat,
    "unlink": os.unlink,
    "rmdir": os.rmdir,
    "truncate": lambda path: os.truncate(path, 0),
    "symlink": lambda path, target: os.symlink(target, path),
    "link": lambda old, new: os.link(old, new, follow_symlinks=False),
    "rename": os.rename,
    "create": lambda path, mode: os.mknod(path, 0o100000 | mode),
    "mkdir": os.mkdir,
    "mkfifo": os.mkfifo,
    "mksock": lambda path, mode: os.mknod(path, 0o140000 | mode),
    "mkchar": lambda path, mode, major, minor: os.mknod(path, 0o020000 | mode, os.makedev(major, minor)),
    "mkblock": lambda path, mode, major, minor: os.mknod(path, 0o060000 | mode, os.makedev(major, minor)),
    "chmod": os.chmod,
    "chown": lambda path, uid: os.chown(path, uid, -1),
    "chgrp": lambda path, gid: os.chown(path, -1, gid),
    "ioctl": ioctl,
    "chroot": os.chroot,
    "mount": mount,
    "unmount": unmount,
    "pivot_root": lambda new, old: call("syscall", 155, new, old),
}

if __name__ == "__main__":
    sys.exit("not a program")
