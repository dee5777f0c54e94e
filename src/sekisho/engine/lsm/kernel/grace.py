"""Waiting until every program that was running in the kernel has ended: a grace period of RCU.

Who changes a map of maps is kept waiting for one by every kernel since Linux 5.0. membarrier(2) isn't such a way:
with one processor it doesn't wait, though programs may be preempted there, and it fails where processors
run without ticks.
Programs that sleep aren't waited for.
"""

from __future__ import annotations

import os
import struct
from typing import Final, Self

from sekisho.engine.lsm.kernel import call
from sekisho.engine.lsm.kernel.call import address, bpf, called

_ARRAY, _ARRAY_OF_MAPS = 2, 12
_WORD: Final = 4


class Grace:
    """The means to wait."""

    def __init__(self, prefix: str = "") -> None:
        """Nobody has been waited for yet; names of maps begin with ``prefix``. Raises OSError."""
        self._inner = _make(_ARRAY, f"{prefix}inner", 0)
        try:
            self._outer = _make(_ARRAY_OF_MAPS, f"{prefix}grace", self._inner)
        except BaseException:
            os.close(self._inner)
            raise

    def wait(self) -> None:
        """What ran before this call has come to its end. Raises OSError."""
        key, value = bytes(_WORD), struct.pack("<I", self._inner)
        bpf(call.MAP_UPDATE, bytearray(struct.pack("<IIQQQ", self._outer, 0, address(key), address(value), 0)))

    def close(self) -> None:
        """The descriptors are gone."""
        os.close(self._outer)
        os.close(self._inner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make(kind: int, name: str, inner: int) -> int:
    attributes = struct.pack("<IIIIIII16s", kind, _WORD, _WORD, 1, 0, inner, 0, called(name))
    return bpf(call.MAP_CREATE, bytearray(attributes))
