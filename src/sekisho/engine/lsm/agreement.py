"""What one start has in common with the next, which goes on with its tables: sizes alone don't say what is in them."""

from __future__ import annotations

import ctypes
from hashlib import sha256
from typing import Final

from sekisho.engine.lsm import layout

MEANING: Final = 1
"""One more than it was whenever something in the tables that are kept means something else under the same names."""
KEPT: Final = ("name_value", "domain", "child_key", "task", "counts", "setter", "state", "question")
"""The structures that are in maps that the next start goes on with, or looks into before it takes them away."""
_CONSTANTS: Final = ("SPACE_", "NAME_", "KERNEL_", "DOMAIN_", "DOMAINS", "TASK_", "ACTIVE", "QUESTION", "ANSWER_")


def layout_number() -> str:
    """The same for two versions only if each can go on with what the other has in the kernel."""
    said: list[object] = [MEANING, *(_fields(layout.STRUCTURES[name]) for name in KEPT)]
    said += [
        (name, value)
        for name, value in sorted(vars(layout).items())
        if name.startswith(_CONSTANTS) and isinstance(value, int | tuple)
    ]
    return sha256(repr(said).encode()).hexdigest()[:12]


def _fields(structure: type[ctypes.Structure]) -> list[tuple[str, int, int]]:
    places = [(field[0], getattr(structure, field[0])) for field in structure._fields_]
    return [(name, place.offset, place.size) for name, place in places]
