"""An automaton gone through as the kernel side does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

OTHER: Final = 256
ACCEPT: Final = 257
SYMBOL_SHIFT: Final = 23
VALUE: Final = (1 << SYMBOL_SHIFT) - 1


def walk(cells: Sequence[int], origin: int, raw: bytes) -> int:
    """The accept number that the automaton whose region begins at ``origin`` gives ``raw``; 0 for none."""
    state = 0
    for byte in raw:
        cell = cells[origin + state + byte]
        if cell >> SYMBOL_SHIFT != byte + 1:
            cell = cells[origin + state + OTHER]
            if cell >> SYMBOL_SHIFT != OTHER + 1:
                return 0
        state = cell & VALUE
    cell = cells[origin + state + ACCEPT]
    return cell & VALUE if cell >> SYMBOL_SHIFT == ACCEPT + 1 else 0
