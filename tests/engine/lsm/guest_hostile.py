"""Runs in a virtual machine: what root may try from an enforcing domain, beside what has scenes of its own.

Ways to the kernel's memory and code, executions that fail after they were decided, names that are too long, and more
events and domains than there is room for.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.engine.lsm.enforced import Engine, report
from tests.engine.lsm.guest_transitions import MINE as FOLLOWING
from tests.engine.lsm.guest_transitions import outcome

from sekisho.engine.lsm import layout

FREE, HELD, LEARNS = "<kernel> /free", "<kernel> /held", "<kernel> /learns"
PLACE = Path("/run/hostile")
OLD, NEW = PLACE / "old", PLACE / "new"
"""What may be read in the old domain, and in those of the programs."""
LATE = ("text", "interpreter", "script", "large", "mapped")
"""Programs that can't be run, as the kernel finds out later and later."""
POLICY = (
    rf"""
<kernel>
use_profile 0

{FREE}
use_profile 0

{LEARNS}
use_profile 1

{HELD}
use_profile 3
file read {OLD}
file read {PLACE}/\{{\*\}}/\*
capability use_io_uring
"""
    + "".join(f"file execute {PLACE}/programs/{name}\n" for name in (*LATE, *(f"number{each}" for each in range(6))))
    + "\n"
    + "".join(f"{HELD} {PLACE}/programs/{name}\nuse_profile 3\nfile read {NEW}\n\n" for name in LATE)
)
PROGRAMS = FOLLOWING | {
    "capable", "perf_event_open", "path_truncate", "path_mknod", "inode_init_security_anon", "uring_sqpoll",
}  # fmt: skip
LIBC = ctypes.CDLL(None, use_errno=True)
TRACING, DEBUG = Path("/sys/kernel/tracing"), Path("/sys/kernel/debug")
LONG = "n" * 200
DEPTH = 25
REFUSALS = 5000
"""Of two kilobytes each, for 8 MB."""
ROOM = 3
"""Domains that can still be made."""


def call(number: int, *arguments: object) -> int:
    """A system call; raises OSError."""
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = LIBC.syscall(number, *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def written(path: Path, text: str) -> Callable[[], object]:
    """The text is written to a file that is there."""

    def act() -> None:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.write(fd, text.encode())
        os.close(fd)

    return act


def probe() -> None:
    """A probe of a function of the kernel's."""
    kind = int(Path("/sys/bus/event_source/devices/kprobe/type").read_text())
    name = ctypes.create_string_buffer(b"do_sys_openat2")
    attributes = struct.pack("IIQQQQQIIQQ", kind, 112, 0, 0, 0, 0, 0, 0, 0, ctypes.addressof(name), 0) + bytes(40)
    call(298, attributes, -1, 0, -1, 0)


def opened(path: str, flags: int = os.O_RDONLY) -> Callable[[], object]:
    return lambda: os.open(path, flags)


def module() -> None:
    """init_module(2) of what is no module."""
    try:
        call(175, ctypes.create_string_buffer(64), 64, b"")
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise


LEVERS: dict[str, Callable[[], object]] = {
    "kprobe_events": written(TRACING / "kprobe_events", "p:mine do_sys_openat2\n"),
    "uprobe_events": written(TRACING / "uprobe_events", "p:mine /bin/true:0x1000\n"),
    "set_ftrace_filter": written(TRACING / "set_ftrace_filter", "do_sys_openat2\n"),
    "kprobes off": written(DEBUG / "kprobes/enabled", "0"),
    "perf probe": probe,
    "perf": lambda: call(298, struct.pack("II", 1, 112) + bytes(104), 0, -1, -1, 0),
    "kexec_load": lambda: call(246, 0, 0, 0, 0),
    "kexec_file_load": lambda: call(320, -1, -1, 0, 0, 1),
    "init_module": module,
    "mem": opened("/dev/mem"),
    "mem to write": opened("/dev/mem", os.O_RDWR),
    "port": opened("/dev/port", os.O_RDWR),
    "kcore": opened("/proc/kcore"),
    "kallsyms": opened("/proc/kallsyms"),
    "core_pattern": opened("/proc/sys/kernel/core_pattern", os.O_WRONLY),
    "modprobe": opened("/proc/sys/kernel/modprobe", os.O_WRONLY),
    "overcommit": opened("/proc/sys/vm/overcommit_memory", os.O_WRONLY),
    "sysrq": opened("/proc/sysrq-trigger", os.O_WRONLY),
    "a device made": lambda: os.mknod(PLACE / "kmem", 0o20600, os.makedev(1, 2)),
}


RINGS = {"at once": (0, 0), "by a worker": (0, 16), "by a thread of its own": (2, 0)}
"""Who opens what a ring holds: flags of the ring (IORING_SETUP_SQPOLL) and of the entry (IOSQE_ASYNC)."""


def through_a_ring(path: Path, setup: int, flags: int) -> Callable[[], object]:
    """The file is opened by an entry of a ring, by a path in the caller's memory."""

    def act() -> None:
        given = ctypes.create_string_buffer(120)
        struct.pack_into("5I", given, 0, 0, 0, setup, 0, 1000)
        ring = call(425, 1, given)
        submission, completion = (struct.unpack_from("8I", given, offset) for offset in (40, 80))
        rings = mmap.mmap(ring, max(submission[6] + 4, completion[5] + 32))
        entries = mmap.mmap(ring, 64, offset=0x10000000)
        name = ctypes.create_string_buffer(bytes(path))
        struct.pack_into("BBHiQQIIQ", entries, 0, 18, flags, 0, -100, 0, ctypes.addressof(name), 0, 0, 0)
        struct.pack_into("I", rings, submission[6], 0)
        struct.pack_into("I", rings, submission[1], 1)
        call(426, ring, 1, 1, 3, 0, 0)
        _, result, _ = struct.unpack_from("QiI", rings, completion[5])
        if result < 0:
            raise OSError(-result, os.strerror(-result))

    return act


def elf(*segments: bytes) -> bytes:
    """A program of these segments, which begins nowhere."""
    head = b"\x7fELF\2\1\1" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400000, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    return (head + b"".join(segments)).ljust(4096, b"\0") + b"/nowhere\0".ljust(4096, b"\0")


def segment(kind: int, place: int, offset: int, size: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, 5, offset, place, place, size, size, 4096)


def prepare() -> None:
    PLACE.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", PLACE], check=True)
    for name, where in (("tracefs", TRACING), ("debugfs", DEBUG)):
        subprocess.run(["mount", "-t", name, name, where], check=False)
    OLD.write_text("old")
    OLD.chmod(0o755)
    NEW.write_text("new")
    programs = PLACE / "programs"
    programs.mkdir()
    text = {
        "text": b"no program",
        "interpreter": elf(segment(3, 0, 4096, 9), segment(1, 0x400000, 0, 4096)),
        "script": f"#!{OLD}\n".encode(),
        "large": Path("/bin/true").read_bytes(),
        "mapped": elf(segment(1, 0x7FFFFFFFF000, 0, 1 << 20)),
    }
    for name in LATE:
        (programs / name).write_bytes(text[name])
        (programs / name).chmod(0o755)
    for number in range(2 * ROOM):
        os.link(programs / "large", programs / f"number{number}")


def failing(name: str) -> Callable[[], object]:
    """The program isn't executed; what may be read afterwards is told."""

    def act() -> None:
        arguments = ["x" * 100000] * 100 if name == "large" else ["x"]
        said = outcome(lambda: os.execve(PLACE / "programs" / name, arguments, {}))
        raise OSError(0, f"{said}, old {outcome(opened(str(OLD)))}, new {outcome(opened(str(NEW)))}")

    return act


def deep(engine: Engine) -> None:
    """A file below more directories than a name can have, and one below fewer."""
    here = os.open(PLACE, os.O_RDONLY)
    paths = []
    for level in range(DEPTH):
        os.mkdir(LONG, dir_fd=here)
        here = os.open(LONG, os.O_RDONLY, dir_fd=here)
        if level in (DEPTH // 2, DEPTH - 1):
            os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
            paths.append(here)
    for domain in (FREE, LEARNS, HELD):
        for name, folder in zip(("long", "too long"), paths, strict=True):
            attempt = engine.attempt(domain, lambda: os.open("file", os.O_RDONLY, dir_fd=folder))  # noqa: B023
            report(f"{domain} {name}", attempt)


def flood(engine: Engine) -> None:
    """More refusals than the ring has room for are refusals all the same."""
    folder = PLACE / "/".join([LONG] * 9)

    def act() -> None:
        for number in range(REFUSALS):
            try:
                os.mkfifo(folder / str(number))
            except PermissionError:
                continue
            raise OSError(errno.EEXIST, "it was made")

    report("flood", engine.attempt(HELD, act))
    counts = layout.Counts.from_buffer_copy(engine.loaded.maps["counts"].lookup(bytes(4)) or b"")
    report("lost", str(counts.lost > 0))
    report("after the flood", engine.attempt(HELD, opened(str(NEW))))
    report("granted after the flood", engine.attempt(HELD, opened(str(OLD))))


def program(number: int) -> Callable[[], object]:
    """It isn't there any more to say anything if it is executed."""
    return lambda: os.execve(PLACE / f"programs/number{number}", ["x"], {})


def crowd(engine: Engine) -> None:
    """More domains than there is room for: nobody gets where nobody may be, or stays and does more."""
    counts = engine.loaded.maps["counts"]
    now = layout.Counts.from_buffer_copy(counts.lookup(bytes(4)) or b"")
    now.next_domain = layout.DOMAINS - layout.DOMAINS_BY_KERNEL - ROOM
    counts.update(bytes(4), bytes(now))
    for domain in (HELD, FREE):
        for number in range(2 * ROOM):
            report(f"{domain} number{number}", engine.attempt(domain, program(number)))


def main() -> None:
    """Prints what came of each."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prepare()
    engine = Engine(Path(sys.argv[1]), POLICY, PROGRAMS)
    for domain in (HELD, FREE):
        for name, act in LEVERS.items():
            report(f"{domain} {name}", engine.attempt(domain, act))
    for name, way in RINGS.items():
        for domain, path in ((FREE, NEW), (HELD, OLD), (HELD, NEW)):
            report(f"{domain} {path.name} {name}", engine.attempt(domain, through_a_ring(path, *way)))
    for name in LATE:
        report(f"late {name}", engine.attempt(HELD, failing(name)))
    deep(engine)
    crowd(engine)
    flood(engine)


if __name__ == "__main__":
    main()
