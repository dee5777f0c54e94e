"""A machine for the classic-BPF programs that seccomp(2) runs: just the instructions that may stand in one."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_DATA = struct.Struct("<IIQ6Q")
_CODE = struct.Struct("HBBI")
_MAX = 4096
"""BPF_MAXINSNS."""


def data(nr: int, arch: int, args: Sequence[int] = (), instruction_pointer: int = 0) -> bytes:
    """A ``struct seccomp_data``."""
    return _DATA.pack(nr & 0xFFFFFFFF, arch, instruction_pointer, *(*args, *[0] * (6 - len(args))))


def run(program: bytes, seen: bytes) -> int:
    """What ``program`` returns for ``seen``; AssertionError for anything the kernel wouldn't load or run."""
    code: list[tuple[int, int, int, int]] = list(_CODE.iter_unpack(program))
    assert 0 < len(code) <= _MAX
    accumulator, at = 0, 0
    while True:
        assert at < len(code), "a jump leads out of the program"
        opcode, true, false, k = code[at]
        at += 1
        if opcode == 0x06:
            return k
        if opcode == 0x20:
            assert k % 4 == 0 and k + 4 <= len(seen), "a load that isn't in struct seccomp_data"
            accumulator = int.from_bytes(seen[k : k + 4], "little")
        elif opcode == 0x05:
            at += k
        elif opcode in _JUMPS:
            at += true if _JUMPS[opcode](accumulator, k) else false
        else:
            raise AssertionError(f"opcode 0x{opcode:x}")


_JUMPS = {
    0x15: lambda a, k: a == k,
    0x35: lambda a, k: a >= k,
    0x45: lambda a, k: bool(a & k),
}
