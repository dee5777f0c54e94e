"""Scenes of mounts, and of names behind them: see scenes.py."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tests.engine.lsm.scenes import ROOM, call, room, scene


@scene
def mounts() -> None:
    """Mounting as mount(2) has it, names below, bind mounts, detached mounts."""
    here = room("mounts")
    for name in ("tmp", "tmp2", "bound", "over", "moved", "gone", "p"):
        os.mkdir(name)
    call("mount", b"none here", b"tmp", b"tmpfs", 0, None)
    call("mount", None, b"tmp2", b"tmpfs", 6, b"size=1m")
    call("mount", b"x", b"tmp2", None, 0x20 | 1, None)
    call("mount", None, b"tmp2", None, 1 << 18, None)
    call("mount", b"proc", b"p", b"proc", 0xC0ED0000, None)
    with suppress(OSError):
        call("mount", None, b"tmp2", None, (1 << 18) | (1 << 19), None)
    with suppress(OSError):
        call("mount", None, b"tmp2", None, (1 << 20) | (1 << 19), None)
    os.makedirs("tmp/a/b")
    Path("tmp/a/b/c").write_text("x")
    os.stat("tmp")
    os.stat("p/self/stat")
    fd = os.open("tmp/a/b", os.O_RDONLY)
    call("umount2", b"tmp", 2)
    os.fstat(fd)
    os.stat("c", dir_fd=fd)
    os.close(os.open("c", os.O_RDWR, dir_fd=fd))
    call("umount2", b"p", 0)
    call("umount2", b"tmp2", 0)
    os.stat(here)


@scene
def binds() -> None:
    """What is mounted from a directory or a file, by each way that a path leads there."""
    here = room("binds")
    for name in ("a", "a/b", "c", "d", "e", "t"):
        os.mkdir(name)
    Path("a/file").write_text("x")
    Path("c/file").write_text("x")
    call("mount", b"none", b"t", b"tmpfs", 0, None)
    os.mkdir("t/inside")
    os.stat("t/inside")
    bind, move, recursive = 1 << 12, 1 << 13, 1 << 14
    call("mount", b"a/b", b"d", None, bind, None)
    call("mount", f"{here}/a/file".encode(), b"c/file", None, bind, None)
    call("mount", b"./t/../t//inside/", b"e", None, bind | recursive, None)
    call("umount2", b"e", 0)
    call("mount", b"/proc", b"e", None, bind | recursive, None)
    call("umount2", b"e", 2)
    call("mount", b"t/inside/../../a/..", b"e", None, bind, None)
    call("umount2", b"e", 0)
    call("mount", b"d", b"e", None, move, None)
    for target in (b"e", b"c/file", b"t"):
        call("umount2", target, 2)


@scene
def bound() -> None:
    """Names below bind mounts that were there before."""
    os.stat(f"{ROOM}/bound/sub")
    os.close(os.open(f"{ROOM}/bound/sub/file", os.O_RDWR))
    os.close(os.open(f"{ROOM}/boundfile", os.O_RDWR))
    os.close(os.open(f"{ROOM}/bound/made", os.O_CREAT | os.O_RDWR))
    os.rename(f"{ROOM}/bound/made", f"{ROOM}/bound/sub/renamed")
    os.close(os.open("/ov/lower", os.O_RDONLY))
    os.stat("/ov/sub")
    os.unlink("/ov/lower")


@scene
def confined() -> None:
    """Names behind chroot(2)."""
    os.makedirs(room("confined") + "/jail/etc")
    os.chroot("jail")
    os.chdir("/etc")
    os.close(os.open("file", os.O_CREAT | os.O_RDWR))
    os.stat("/")
    os.stat("/etc")


@scene
def spaces() -> None:
    """Names in a mount namespace of one's own, after pivot_root."""
    here = room("spaces")
    call("unshare", 0x00020000)
    call("mount", None, b"/", None, 0x4000 | 1 << 18, None)
    os.mkdir("root")
    call("mount", b"fresh", b"root", b"tmpfs", 0, None)
    os.makedirs("root/old")
    Path("root/file").write_text("x")
    os.chdir("root")
    call("syscall", 155, b".", b"old")
    os.stat("/file")
    os.stat("/")
    os.stat("/old" + here)
    call("umount2", b"/old", 2)
    os.close(os.open("/file", os.O_RDWR))
