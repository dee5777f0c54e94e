"""Runs in a virtual machine: names of files on a file system that a program serves, and on one that lies over others.

The program tells the kernel that two names are one file, which it may: whoever is granted one isn't granted the other.
"""

from __future__ import annotations

import ctypes
import errno
import lzma
import os
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.engine.lsm.enforced import Engine, report

from sekisho.engine.lsm import hooks

HELD, LEARNS = "<kernel> /held", "<kernel> /learns"
SERVED, LOWER, OVER = Path("/run/served"), Path("/run/lower"), Path("/run/over")
POLICY = f"""
<kernel>
use_profile 0

{HELD}
use_profile 3
file read {SERVED}/granted
file read {OVER}/file

{LEARNS}
use_profile 1
"""
PROGRAMS = {"file_open", "task_alloc", "path_mknod", "path_unlink", "path_rename"}
LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, INTERRUPT = (
    1,
    2,
    3,
    14,
    15,
    17,
    18,
    25,
    26,
    27,
    36,
)
ROOT, FILE = 1, 2
TEXT = b"served"


def attributes(node: int) -> bytes:
    """``struct fuse_attr``."""
    mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o644
    return struct.pack("<QQQQQQIIIIIIIIII", node, len(TEXT), 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(operation: int, node: int) -> bytes | None:
    """What a request is answered with; every name is one and the same file. None: it wants no answer."""
    if operation == INIT:
        return struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 0, 0, 0, 0)
    if operation == LOOKUP:
        return struct.pack("<QQQQII", FILE, 0, 0, 0, 0, 0) + attributes(FILE)
    if operation == GETATTR:
        return struct.pack("<QII", 0, 0, 0) + attributes(node)
    if operation in (OPEN, OPENDIR):
        return struct.pack("<QII", 1, 0, 0)
    if operation == READ:
        return TEXT
    return None if operation in (FORGET, INTERRUPT) else b""


def load() -> None:
    """The kernel has FUSE, which some have as a module."""
    found = next(Path(f"/usr/lib/modules/{os.uname().release}/kernel/fs/fuse").glob("fuse.ko*"), None)
    if Path("/dev/fuse").exists() or found is None:
        return
    data = found.read_bytes()
    module = Path("/tmp/fuse.ko")
    module.write_bytes(lzma.decompress(data) if found.suffix == ".xz" else data)
    subprocess.run(["busybox", "insmod", module], check=True)


def serve() -> None:
    """The file system is there, served by a process of its own."""
    load()
    SERVED.mkdir()
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"served", bytes(SERVED), b"fuse", 0, options):
        raise OSError(ctypes.get_errno(), "fuse")
    if os.fork():
        return
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError:
            os._exit(0)  # it is mounted no more
        _, operation, unique, node = struct.unpack_from("<IIQQ", request)
        reply = answer(operation, node)
        if reply is not None:
            error = 0 if reply else -errno.ENOSYS
            os.write(device, struct.pack("<IiQ", 16 + len(reply), error, unique) + reply)


def lie_over() -> None:
    """A file system over another one's directory."""
    base = Path("/run/base")
    base.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", base], check=True)
    for folder in (LOWER, base / "upper", base / "work", OVER):
        folder.mkdir()
    (LOWER / "file").write_text("lower")
    words = f"lowerdir={LOWER},upperdir={base}/upper,workdir={base}/work"
    subprocess.run(["mount", "-t", "overlay", "-o", words, "none", OVER], check=True)


def read(path: Path) -> Callable[[], object]:
    """Thrice, so that what is remembered of it counts."""

    def act() -> None:
        for _ in range(3):
            path.read_bytes()

    return act


def main() -> None:
    """Prints what came of each."""
    serve()
    lie_over()
    engine = Engine(Path(sys.argv[1]), POLICY, PROGRAMS | hooks.REMEMBERING)
    engine.maps.state.remembers = 1
    for name in ("granted", "other", "granted"):
        report(f"held {name}", engine.attempt(HELD, read(SERVED / name)))
    report("held overlay", engine.attempt(HELD, read(OVER / "file")))
    time.sleep(1.1)
    engine.told()
    report("learns overlay", engine.attempt(LEARNS, read(OVER / "file")))
    report("told", ", ".join(engine.told()))
    subprocess.run(["umount", "-l", SERVED], check=True)


if __name__ == "__main__":
    main()
