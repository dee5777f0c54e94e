"""Runs in a virtual machine: what the kernel does for a program later than it was asked for, when others are there.

A file sends signals to whom a program has made its owner, who has become another program since; a connection that
policy refuses is handed over all the same.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.engine.lsm.enforced import Engine, report
from tests.engine.lsm.guest_network import bound, up

from sekisho.engine.lsm.hooks import PROGRAMS

FREE, HELD, LEARNS, OTHER = "<kernel> /free", "<kernel> /held", "<kernel> /learns", "<kernel> /other"
POLICY = rf"""
<kernel>
use_profile 0

{FREE}
use_profile 0

{HELD}
use_profile 3
ipc signal 10 {OTHER}
ipc signal 40 {OTHER}
network inet stream bind/listen/connect 127.0.0.1 4000-5029
network inet stream accept 127.0.0.1 5000
network unix stream bind/listen/connect /tmp/served

{LEARNS}
use_profile 1

{OTHER}
use_profile 0
"""
ASKS = ("ipc ", "network ")
MINE = {name for name, program in PROGRAMS.items() if any(
    operation.startswith(ASKS) for operation in program.operations)} | {"task_alloc"}  # fmt: skip
F_SETSIG, F_SETLEASE, F_NOTIFY, F_SETOWN_EX, FIOSETOWN = 10, 1024, 1026, 15, 0x8901
SECRET = b"secret"
LIBC = ctypes.CDLL(None, use_errno=True)
FLOOD = 17000
"""More owners than are remembered in these machines."""

Ready = Callable[[], object]
"""Makes a file ready for who waits for it."""


def of_a_pipe(own: Callable[[int], object]) -> Callable[[int], Ready]:
    """What makes somebody the owner of a pipe that has nothing to read."""

    def prepare(number: int) -> Ready:
        read, write = os.pipe()
        own(read)
        if number:
            fcntl.fcntl(read, F_SETSIG, number)
        fcntl.fcntl(read, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        return lambda: os.write(write, b"x")

    return prepare


def of_a_socket(number: int) -> Ready:
    one, other = socket.socketpair()
    fcntl.ioctl(one, FIOSETOWN, struct.pack("i", os.getpid()))
    fcntl.fcntl(one, F_SETSIG, number)
    fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    return lambda: (other.send(b"x"), one)


def of_a_lease(number: int) -> Ready:
    Path("/tmp/leased").touch()
    fd = os.open("/tmp/leased", os.O_RDONLY)
    fcntl.fcntl(fd, F_SETSIG, number)
    fcntl.fcntl(fd, F_SETLEASE, fcntl.F_RDLCK)

    def ready() -> None:
        try:
            os.open("/tmp/leased", os.O_WRONLY | os.O_NONBLOCK)
        except BlockingIOError:
            pass

    return ready


def of_a_directory(number: int) -> Ready:
    Path("/tmp/watched").mkdir(exist_ok=True)
    fd = os.open("/tmp/watched", os.O_RDONLY)
    fcntl.fcntl(fd, F_SETSIG, number)
    fcntl.fcntl(fd, F_NOTIFY, 4)
    return lambda: Path(f"/tmp/watched/{time.monotonic()}").touch()


def process(fd: int) -> None:
    """F_SETOWN."""
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())


def thread(fd: int) -> None:
    """F_SETOWN_EX."""
    fcntl.fcntl(fd, F_SETOWN_EX, struct.pack("ii", 0, os.getpid()))


def group(fd: int) -> None:
    """A group of processes."""
    os.setpgid(0, 0)
    fcntl.fcntl(fd, fcntl.F_SETOWN, -os.getpid())


SHARED = os.pipe()
"""What a program and another one have open together."""


def of_what_is_shared(flags: int) -> Callable[[int], Ready]:
    def prepare(number: int) -> Ready:
        process(SHARED[0])
        fcntl.fcntl(SHARED[0], fcntl.F_SETFL, flags | os.O_NONBLOCK)
        return lambda: os.write(SHARED[1], b"x")

    return prepare


def choose(command: int, argument: int) -> Callable[[], object]:
    """The other says what the signal is, or that there be any."""
    return lambda: fcntl.fcntl(SHARED[0], command, argument)


WAYS: dict[str, Callable[[int], Ready]] = {
    "process": of_a_pipe(process),
    "thread": of_a_pipe(thread),
    "group": of_a_pipe(group),
    "socket": of_a_socket,
    "lease": of_a_lease,
    "directory": of_a_directory,
}
"""To become an owner."""
CHOOSING = {
    "signal": (of_what_is_shared(os.O_ASYNC), choose(F_SETSIG, signal.SIGKILL)),
    "any": (of_what_is_shared(0), choose(fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)),
}
"""What the owner does with a file that is shared, and then the other."""


def signalled(
    engine: Engine,
    way: Callable[[int], Ready],
    number: int,
    domain: str,
    becomes: str,
    between: Callable[[], object] | None = None,
) -> str:
    """Whether a program of ``domain``, which has made itself the owner of a file's signals and become another program
    since, is ended when the file is ready."""
    go, ready = os.pipe()
    told, tell = os.pipe()
    pid = os.fork()
    if not pid:
        os.read(go, 1)
        make_ready = way(number)
        os.write(tell, b"x")
        os.read(go, 1)
        helper = os.fork()  # a process of its own, which policy says nothing of
        if not helper:
            os.setpgid(0, 0)
            os.read(go, 1)
            make_ready()
            os._exit(0)
        os.write(tell, struct.pack("i", helper))
        os.waitpid(helper, 0)
        time.sleep(0.3)
        os._exit(0)
    engine.put(pid, domain)
    os.write(ready, b"x")
    os.read(told, 1)
    os.write(ready, b"x")
    (helper,) = struct.unpack("i", os.read(told, 4))
    engine.put(helper, FREE)
    engine.put(pid, becomes)
    if between:
        between()
    os.write(ready, b"x")
    _, status = os.waitpid(pid, 0)
    for fd in (go, ready, told, tell):
        os.close(fd)
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return "spared" if status == 0 else f"status {status}"


def flood() -> None:
    """Owners of more files than are remembered."""
    for _ in range(FLOOD):
        fcntl.fcntl(os.open("/dev/null", os.O_RDONLY), fcntl.F_SETOWN, os.getpid())


def signals(engine: Engine) -> None:
    """What is sent to whom has become another program, by whom and how."""

    def sent(name: str, number: int, domain: str, becomes: str = OTHER, between: Ready | None = None) -> None:
        report(name, signalled(engine, WAYS["process"], number, domain, becomes, between))

    for domain in (FREE, HELD):
        for name, way in WAYS.items():
            report(f"{domain} {name}", signalled(engine, way, signal.SIGKILL, domain, OTHER))
        for name, (way, act) in CHOOSING.items():
            outcome = signalled(engine, way, 0, OTHER, OTHER, lambda: engine.attempt(domain, act))  # noqa: B023
            report(f"{domain} chooses {name}", outcome)
            choose(F_SETSIG, 0)()
            choose(fcntl.F_SETFL, os.O_NONBLOCK)()
            os.read(SHARED[0], 100)
    sent("granted", signal.SIGUSR1, HELD)
    sent("granted, or SIGIO", 40, HELD)
    sent("default", 0, HELD)
    sent("itself", signal.SIGUSR2, HELD, HELD)
    engine.told()
    sent("learns", signal.SIGUSR2, LEARNS)
    report("learned", " ".join(engine.told()))
    flooded = lambda: engine.attempt(HELD, flood)  # noqa: E731
    meanwhile = lambda: sent("before a flood", signal.SIGKILL, HELD, between=flooded)  # noqa: E731
    sent("before a flood, free", signal.SIGKILL, FREE, between=meanwhile)


def spliced(peer: socket.socket) -> bytes:
    read, write = os.pipe()
    os.splice(peer.fileno(), write, len(SECRET))
    return os.read(read, len(SECRET))


def without_copying(peer: socket.socket) -> bytes:
    """TCP_ZEROCOPY_RECEIVE, which copies what is little."""
    into = ctypes.create_string_buffer(100)
    words = ctypes.create_string_buffer(
        struct.pack("QIIIiQiIQQII", 0, 0, 0, 0, 0, ctypes.addressof(into), 100, *[0] * 5)
    )
    length = ctypes.c_int(64)
    if LIBC.getsockopt(peer.fileno(), socket.IPPROTO_TCP, 35, words, ctypes.byref(length)):
        raise OSError(ctypes.get_errno(), "getsockopt")
    return into.raw[: len(SECRET)]


def file_sent(peer: socket.socket) -> bytes:
    Path("/tmp/in").write_bytes(SECRET)
    os.sendfile(peer.fileno(), os.open("/tmp/in", os.O_RDONLY), 0, len(SECRET))
    return SECRET


def pipe_sent(peer: socket.socket) -> bytes:
    read, write = os.pipe()
    os.write(write, SECRET)
    os.splice(read, peer.fileno(), len(SECRET))
    return SECRET


TAKING: dict[str, Callable[[socket.socket], bytes]] = {
    "received": lambda peer: peer.recv(len(SECRET)),
    "read": lambda peer: os.read(peer.fileno(), len(SECRET)),
    "spliced": spliced,
    "without copying": without_copying,
    "written": lambda peer: SECRET[: os.write(peer.fileno(), SECRET)],
    "file sent": file_sent,
    "pipe sent": pipe_sent,
}


def client(connection: socket.socket, address: object) -> None:
    connection.connect(address)  # type: ignore[arg-type]
    connection.send(SECRET)
    connection.settimeout(10)
    connection.recv(100)


def served(server: socket.socket, name: str, make: Callable[[], socket.socket]) -> None:
    """Somebody connects to us and says something, which is taken in that way."""
    address = server.getsockname()
    pid = os.fork()
    if not pid:
        try:
            client(make(), address)
        finally:
            os._exit(0)
    server.settimeout(10)
    peer, _ = server.accept()
    select.select([peer], [], [], 10)
    try:
        if TAKING[name](peer) != SECRET:
            raise OSError(errno.ENODATA, "nothing came")
    finally:
        peer.close()
        os.waitpid(pid, 0)


def over_tcp(name: str, port: int) -> Callable[[], object]:
    def make() -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        return made

    def act() -> None:
        with bound(4001) as server:
            served(server, name, make)

    return act


def over_unix(name: str) -> Callable[[], object]:
    def act() -> None:
        with socket.socket(socket.AF_UNIX) as server:
            Path("/tmp/served").unlink(missing_ok=True)
            server.bind("/tmp/served")
            server.listen()
            served(server, name, lambda: socket.socket(socket.AF_UNIX))

    return act


def connections(engine: Engine) -> None:
    port = 5001
    for name in TAKING:
        for domain in (FREE, HELD):
            port += 1
            report(f"{domain} tcp {name}", engine.attempt(domain, over_tcp(name, port)))
            if name != "without copying":
                report(f"{domain} unix {name}", engine.attempt(domain, over_unix(name)))
    report("friend", engine.attempt(HELD, over_tcp("spliced", 5000)))


def main() -> None:
    """Prints what came of each."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (60000, 60000))
    up()
    engine = Engine(Path(sys.argv[1]), POLICY, MINE & set(sys.argv[2:] or MINE))
    signals(engine)
    connections(engine)


if __name__ == "__main__":
    main()
