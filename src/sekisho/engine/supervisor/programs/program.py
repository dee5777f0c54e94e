"""What execve(2) will really run: the interpreter of a ``#!`` script or of a binfmt_misc format."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import Final

from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.plan import Object
from sekisho.engine.supervisor.system import libc, procfs

_HEAD: Final = 256
_MAX_DEPTH: Final = 5
_BINFMT: Final = "/proc/sys/fs/binfmt_misc"


@dataclass(frozen=True, slots=True)
class Program:
    """``interpreters`` in the order they are read; the last one, or the file itself, is what runs.

    ``argv`` is the argument list the new image will have, None where it can't be foretold. ``failure`` is what execve
    comes to after the last interpreter of the list, None where all of them are there.
    """

    interpreters: tuple[Object, ...]
    image: Object
    argv: tuple[bytes, ...] | None
    failure: OSError | None = None


def name_passed(dirfd: int, path: bytes) -> bytes:
    """The name by which execveat(2) knows the file, and which it passes to an interpreter."""
    if signed(dirfd) == libc.AT_FDCWD or path.startswith(b"/"):
        return path
    return b"/dev/fd/%d" % signed(dirfd) + (b"/" + path if path else b"")


def closes(call: Call, fd: int) -> bool:
    """Whether execve closes the caller's descriptor ``fd``, so that no interpreter opens anything by it."""
    flags = procfs.field(procfs.read(f"/proc/{call.tid}/fdinfo/{signed(fd)}"), b"flags")
    return bool(int(flags, 8) & os.O_CLOEXEC)


def foresee(call: Call, found: Object, path: bytes, argv: tuple[bytes, ...], *, unreachable: bool = False) -> Program:
    """What executing ``found`` as ``path``, which may be ``unreachable`` to interpreters, with ``argv`` leads to."""
    interpreters: list[Object] = []
    expected: tuple[bytes, ...] | None = argv
    image = found
    for _ in range(_MAX_DEPTH):
        head = _read_head(call, image)
        parsed = _script(head)
        if parsed is None:
            handler = None if head.startswith(b"\x7fELF") and not interpreters else _registered(head, path)
            if handler is None:
                break
            parsed, expected = (handler, None), None
        interpreter, argument = parsed
        if expected is not None:
            expected = (interpreter, *((argument,) if argument is not None else ()), path, *expected[1:])
        try:
            if unreachable:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            image = call.object(libc.AT_FDCWD, interpreter)
        except OSError as failure:
            return Program(tuple(interpreters), image, expected, failure)
        path = interpreter
        interpreters.append(image)
    return Program(tuple(interpreters), image, expected)


def _read_head(call: Call, image: Object) -> bytes:
    """The first bytes of a program; nothing where its caller may run but not read it."""
    try:
        fd = call.keep(call.run("reopen", image.fd, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return b""
    try:
        return os.pread(fd, _HEAD, 0)
    except OSError:
        return b""


def _script(head: bytes) -> tuple[bytes, bytes | None] | None:
    """(interpreter, its one argument) of a ``#!`` line as Linux cuts it (fs/binfmt_script.c)."""
    if not head.startswith(b"#!"):
        return None
    line, newline, _ = head[2:].partition(b"\n")
    text = line.strip(b" \t")
    words = text.replace(b"\t", b" ").split(b" ", 1)
    if not words or not words[0] or (not newline and len(words) == 1 and len(head) == _HEAD):
        return None
    interpreter = words[0].split(b"\0", 1)[0]
    rest = text[len(words[0]) :].strip(b" \t").split(b"\0", 1)[0]
    return interpreter, rest or None


def _registered(head: bytes, path: bytes) -> bytes | None:
    """The interpreter that binfmt_misc would start (Documentation/admin-guide/binfmt-misc.rst)."""
    try:
        names = os.listdir(_BINFMT)
    except OSError:
        return None
    for name in names:
        if name in ("register", "status"):
            continue
        try:
            with open(f"{_BINFMT}/{name}", "rb") as lines:
                fields = dict(line.rstrip(b"\n").partition(b" ")[::2] for line in lines)
        except OSError:
            continue
        if b"enabled" in fields and _matches(fields, head, path):
            return fields.get(b"interpreter")
    return None


def _matches(fields: dict[bytes, bytes], head: bytes, path: bytes) -> bool:
    extension = fields.get(b"extension")
    if extension is not None:
        return path.endswith(extension)
    magic = bytes.fromhex(fields.get(b"magic", b"").decode())
    mask = bytes.fromhex(fields[b"mask"].decode()) if b"mask" in fields else b"\xff" * len(magic)
    offset = int(fields.get(b"offset", b"0"))
    window = head[offset : offset + len(magic)]
    return (
        bool(magic)
        and len(window) == len(magic)
        and all(w & m == g & m for w, g, m in zip(window, magic, mask, strict=True))
    )
