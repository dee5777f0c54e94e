"""BPF_PROG_LOAD and BPF_BTF_LOAD: one program, or the types of an object, given to the kernel."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Final

from sekisho.engine.lsm.kernel import call
from sekisho.engine.lsm.kernel.call import address, bpf, called
from sekisho.engine.lsm.kernel.code import SIZE, Code
from sekisho.engine.lsm.kernel.kinds import Kind

_SLEEPABLE: Final = 1 << 4
_LOG_BYTES: Final = (1 << 24) - 1
_LICENSE: Final = b"Dual BSD/GPL\0"


@dataclass(frozen=True, slots=True)
class Request:
    """A program as the kernel is to have it. ``target`` is the number of what it attaches to, ``types`` a descriptor.

    ``note_sizes`` are those of one function, line, field record of ``code``.
    """

    name: str
    instructions: bytes
    kind: Kind
    target: int = 0
    types: int = 0
    code: Code | None = None
    note_sizes: tuple[int, int, int] = (0, 0, 0)
    license: bytes = _LICENSE
    prefix: str = ""
    """What stands before the name in the kernel."""


def load(request: Request, log: bytearray | None = None) -> int:
    """The descriptor of the program, verified; ``log`` has what the verifier says of it. Raises OSError."""
    attributes = bytearray(144)
    kind = request.kind
    struct.pack_into(
        "<IIQQIIQII16sIII", attributes, 0, kind.type, len(request.instructions) // SIZE,
        address(request.instructions), address(request.license), 1 if log else 0, len(log or b""), address(log or b""),
        0, _SLEEPABLE if kind.sleepable else 0, called(request.prefix + request.name), 0, kind.attach, request.types,
    )  # fmt: skip
    struct.pack_into("<I", attributes, 108, request.target)
    code = request.code
    if code is not None and request.types:
        functions, lines, fields = request.note_sizes
        for at, size, data in ((76, functions, code.functions), (92, lines, code.lines)):
            if data:
                struct.pack_into("<IQI", attributes, at, size, address(data), len(data) // size)
        if code.fields:
            struct.pack_into("<I", attributes, 116, len(code.fields) // fields)
            struct.pack_into("<QI", attributes, 128, address(code.fields), fields)
    return bpf(call.PROG_LOAD, attributes)


def complaint(request: Request, lines: int) -> list[str]:
    """The last lines of what the verifier says of a program that it has refused; none if it says nothing."""
    log = bytearray(_LOG_BYTES)
    try:
        fd = load(request, log)
    except OSError:
        text = log[: log.find(0)].decode(errors="replace")
        return text.splitlines()[-lines:]
    os.close(fd)
    return []


def load_types(data: bytes) -> int:
    """The descriptor of an object's BTF. Raises OSError."""
    return bpf(call.BTF_LOAD, bytearray(struct.pack("<QQIII", address(data), 0, len(data), 0, 0)))
