"""Runs in a virtual machine: what sockets, signals, tracing and capabilities are refused and told."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.engine.lsm.enforced import Engine, report

from sekisho.engine.lsm.hooks import PROGRAMS
from sekisho.policy.parser import parse_profile

HELD, LEARNS, OTHER = "<kernel> /held", "<kernel> /learns", "<kernel> /other"
POLICY = rf"""
<kernel>
use_profile 0

{HELD}
use_profile 3
network inet stream bind/listen/connect 127.0.0.1 4000-4001
network inet stream bind 127.0.0.1 5000-5001
network inet stream bind/listen/connect ::1 4000
network inet stream accept 127.0.0.1 5000
network inet dgram send 127.0.0.1 4053
network inet raw send/recv 127.0.0.1 1
network inet dgram bind 127.0.0.1 4060-4079
network inet dgram bind ::1 4060-4079
network inet dgram bind :: 4071
network inet dgram send 127.0.0.1 4070-4079
network inet dgram send ::1 4070-4079
network inet dgram recv 127.0.0.1 4060
network inet dgram recv ::1 4060
network inet dgram recv ::ffff:127.0.0.1 4060
network unix dgram recv \000abstract
network unix stream bind/listen/connect /tmp/allowed
network unix dgram bind/send \000abstract
ipc signal 10 {OTHER}
ipc read_memory {OTHER}
capability use_packet
capability use_uts_namespace

{LEARNS}
use_profile 1

{OTHER}
use_profile 0
"""
LOGGING = "PROFILE_VERSION=20150505\n3-CONFIG::network={ mode=enforcing grant_log=yes reject_log=yes }\n"
LOGGED = ("bind6 4000", "dgram 4053")
"""Granted by an address and a port of the domain's own, and put into the log where all grants are."""
MINE = {name for name, program in PROGRAMS.items() if program.operations and not program.purpose and not any(
    operation.startswith("file ") for operation in program.operations)} | {"task_alloc"}  # fmt: skip
LIBC = ctypes.CDLL(None, use_errno=True)
GIVEN = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
"""Made by somebody else."""
NUMBERS = {"process_vm_readv": 310, "process_vm_writev": 311, "pidfd_getfd": 438, "io_uring_setup": 425, "bpf": 321,
           "userfaultfd": 323, "perf_event_open": 298, "ptrace": 101, "fanotify_init": 300, "fanotify_mark": 301,
           "setns": 308, "vhangup": 153, "delete_module": 176}  # fmt: skip


def call(name: str, *arguments: object) -> int:
    """A system call; raises OSError."""
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = LIBC.syscall(NUMBERS[name], *words)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def bound(port: int, family: int = socket.AF_INET, address: str = "127.0.0.1") -> socket.socket:
    """A listening socket."""
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen()
    return server


def talk(port: int) -> None:
    """A client comes from ``port`` to a server of ours, which accepts and sends."""
    with bound(4001) as server:
        server.settimeout(10)
        pid = os.fork()
        if not pid:
            os.execv(sys.executable, [sys.executable, "-c", CLIENT, str(port)])
        peer, _ = server.accept()
        try:
            peer.send(b"x")
        finally:
            peer.close()
            os.waitpid(pid, 0)


VICTIM = """
import signal
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
print(flush=True)
signal.pause()
"""
CLIENT = """
import socket, sys
with socket.socket() as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(sys.argv[1])))
    s.connect(("127.0.0.1", 4001))
    s.recv(1)
"""


def unix(kind: int, bind: str = "", connect: str = "", send: str = "") -> None:
    """What is done with a UNIX socket."""
    with socket.socket(socket.AF_UNIX, kind) as sock:
        if bind:
            sock.bind(bind)
            if kind != socket.SOCK_DGRAM:
                sock.listen()
        if connect:
            sock.connect(connect)
        if send:
            sock.sendto(b"x", send)


def send(kind: int, address: str, port: int, flags: int = 0, protocol: int = 0, family: int = socket.AF_INET) -> None:
    """A datagram, or a connection that begins with data."""
    with socket.socket(family, kind, protocol) as sock:
        sock.sendto(b"\x08\x00\xf7\xff\x00\x00\x00\x00", flags, (address, port))


def hear(receiver: socket.socket, port: int, to: int, address: str = "127.0.0.1") -> None:
    """A datagram comes from ``port``."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with receiver, socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.bind((address, port))
        sender.sendto(b"x", (address, to))
        heard(receiver)


def heard(receiver: socket.socket) -> None:
    receiver.settimeout(0.5)
    try:
        receiver.recv(100)
    except TimeoutError:
        raise PermissionError(errno.EPERM, "nothing came") from None


def ear(port: int, address: str = "127.0.0.1") -> socket.socket:
    """A socket that datagrams are sent to."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    return sock


def handed_on(port: int) -> None:
    """What comes to another's socket once it is received from here."""
    GIVEN.setblocking(False)
    with suppress(BlockingIOError):
        GIVEN.recv(100)
    hear(GIVEN.dup(), port, 4075)


def pair(name: str = "") -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    if name:
        one.bind(name)
    one.send(b"x")
    heard(other)


def receiving() -> dict[str, Callable[[], object]]:
    """Datagrams from ports that are allowed, and from others."""
    return {
        "recv 4060": lambda: hear(ear(4070), 4060, 4070),
        "recv 4061": lambda: hear(ear(4070), 4061, 4070),
        "recv6 4060": lambda: hear(ear(4070, "::1"), 4060, 4070, "::1"),
        "recv6 4061": lambda: hear(ear(4070, "::1"), 4061, 4070, "::1"),
        "recv mapped 4060": lambda: hear(ear(4071, "::"), 4060, 4071),
        "recv mapped 4061": lambda: hear(ear(4071, "::"), 4061, 4071),
        "recv raw": lambda: hear(
            socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_UDP), 4060, 4072, "::1"
        ),
        "recv given 4060": lambda: handed_on(4060),
        "recv given 4061": lambda: handed_on(4061),
        "recv abstract": lambda: pair("\0abstract"),
        "recv anonymous": pair,
    }


def attempts(other: int) -> dict[str, Callable[[], object]]:
    """What is tried, by name."""
    return networking() | receiving() | reaching(other) | privileged(other)


def networking() -> dict[str, Callable[[], object]]:
    """With sockets."""
    return {
        "bind 4001": lambda: bound(4001).close(),
        "bind 4002": lambda: bound(4002).close(),
        "bind6 4000": lambda: bound(4000, socket.AF_INET6, "::1").close(),
        "bind6 4002": lambda: bound(4002, socket.AF_INET6, "::1").close(),
        "connect 4000": lambda: socket.create_connection(("127.0.0.1", 4000)),
        "connect 4002": lambda: socket.create_connection(("127.0.0.1", 4002)),
        "fast open 4002": lambda: send(socket.SOCK_STREAM, "127.0.0.1", 4002, 0x20000000),
        "accept 5000": lambda: talk(5000),
        "accept 5001": lambda: talk(5001),
        "dgram 4053": lambda: send(socket.SOCK_DGRAM, "127.0.0.1", 4053),
        "dgram 4054": lambda: send(socket.SOCK_DGRAM, "127.0.0.1", 4054),
        "dgram mapped": lambda: send(socket.SOCK_DGRAM, "::ffff:127.0.0.1", 4053, family=socket.AF_INET6),
        "raw icmp": lambda: send(socket.SOCK_RAW, "127.0.0.1", 0, protocol=1),
        "raw udp": lambda: send(socket.SOCK_RAW, "127.0.0.1", 0, protocol=17),
        "unix allowed": lambda: unix(socket.SOCK_STREAM, bind="/tmp/allowed"),
        "unix other": lambda: unix(socket.SOCK_STREAM, bind="/tmp/other"),
        "unix connect": lambda: unix(socket.SOCK_STREAM, connect="/tmp/other"),
        "unix anonymous": lambda: unix(socket.SOCK_SEQPACKET, connect="\0nobody"),
        "abstract bind": lambda: unix(socket.SOCK_DGRAM, bind="\0abstract"),
        "abstract other": lambda: unix(socket.SOCK_DGRAM, bind="\0abstract2"),
        "abstract send": lambda: unix(socket.SOCK_DGRAM, send="\0abstract3"),
    }


def reaching(other: int) -> dict[str, Callable[[], object]]:
    """Into another process."""
    memory = ctypes.create_string_buffer(8)
    local = struct.pack("QQ", ctypes.addressof(memory), 8)

    def reach(name: str) -> Callable[[], object]:
        return lambda: call(name, other, local, 1, local, 1, 0)

    def pidfd() -> object:
        return call("pidfd_getfd", os.pidfd_open(other), 0, 0)

    return {
        "kill 10": lambda: os.kill(other, signal.SIGUSR1),
        "kill 12": lambda: os.kill(other, signal.SIGUSR2),
        "kill 0": lambda: os.kill(other, 0),
        "kill self": lambda: os.kill(os.getpid(), signal.SIGCONT),
        "read memory": reach("process_vm_readv"),
        "write memory": reach("process_vm_writev"),
        "descriptor": pidfd,
        "attach": lambda: call("ptrace", 16, other, 0, 0),
    }


def privileged(other: int) -> dict[str, Callable[[], object]]:
    """What capabilities are for."""

    def fanotify() -> object:
        group = call("fanotify_init", 0, 0)
        return call("fanotify_mark", group, 1, ctypes.c_ulonglong(0x20), -100, b"/etc")

    def unshare(flags: int) -> Callable[[], object]:
        def act() -> None:
            if LIBC.unshare(flags):
                raise OSError(ctypes.get_errno(), "unshare")

        return act

    def clone(flags: int) -> Callable[[], object]:
        def act() -> None:
            pid = LIBC.syscall(56, flags | signal.SIGCHLD, 0, 0, 0, 0)
            if pid < 0:
                raise OSError(ctypes.get_errno(), "clone")
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)

        return act

    def enter(kind: str) -> Callable[[], object]:
        return lambda: call("setns", os.open(f"/proc/{other}/ns/{kind}", os.O_RDONLY), 0)

    def hostname() -> None:
        socket.sethostname("held")

    return {
        "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
        "ring": lambda: call("io_uring_setup", 1, ctypes.create_string_buffer(120)),
        "bpf": lambda: call("bpf", 0, ctypes.create_string_buffer(128), 72),
        "userfaultfd": lambda: call("userfaultfd", os.O_CLOEXEC),
        "perf": lambda: call("perf_event_open", struct.pack("II", 1, 112) + bytes(104), 0, -1, -1, 0),
        "fanotify": fanotify,
        "unshare user": unshare(0x10000000),
        "unshare mount": unshare(0x00020000),
        "unshare uts": unshare(0x04000000),
        "clone network": clone(0x40000000),
        "clone uts": clone(0x04000000),
        "setns mount": enter("mnt"),
        "setns uts": enter("uts"),
        "hostname": hostname,
        "nice": lambda: os.nice(1),
        "scheduler": lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)),
        "affinity": lambda: os.sched_setaffinity(0, {0}),
        "time": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
        "vhangup": lambda: call("vhangup"),
        "module": lambda: call("delete_module", b"nothing", 0),
    }


def up() -> None:
    """The loopback device carries packets."""
    with socket.socket() as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack("16sH14x", b"lo", 0x41) + bytes(8))


def main() -> None:
    """Prints what came of each attempt where everything is enforced, then what was learned of the same."""
    up()
    engine = Engine(Path(sys.argv[1]), POLICY, MINE)
    other = subprocess.Popen(["sleep", "1000"])
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    engine.put(other.pid, OTHER)
    listener = bound(4000)
    GIVEN.bind(("127.0.0.1", 4075))
    for domain in (HELD, LEARNS):
        victim = subprocess.Popen([sys.executable, "-c", VICTIM], stdout=subprocess.PIPE)
        assert victim.stdout and victim.stdout.readline()
        engine.put(victim.pid, OTHER)
        for name, act in attempts(victim.pid).items():
            for path in ("/tmp/allowed", "/tmp/other"):
                Path(path).unlink(missing_ok=True)
            engine.told()
            outcome = engine.attempt(domain, act)
            asked = engine.told()
            report(f"{domain.split('/')[1]} {name}", outcome + "".join(f" [{line}]" for line in asked))
        victim.kill()
    parse_profile(LOGGING, engine.policy)
    engine.publisher.publish(engine.policy)
    for name, act in attempts(other.pid).items():
        if name in LOGGED:
            engine.told()
            report(f"logs {name}", engine.attempt(HELD, act) + "".join(f" [{line}]" for line in engine.told()))
    listener.close()


if __name__ == "__main__":
    main()
