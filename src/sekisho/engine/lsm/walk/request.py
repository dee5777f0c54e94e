"""A request as the kernel side has it in its scratch memory, and the answer it finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from sekisho.engine.lsm import layout


@dataclass(slots=True)
class RawFacts:
    """What conditions look at: ``values`` by enum fact; texts are raw bytes."""

    have: int = layout.HAVE_TASK
    handler: int = 0
    values: list[int] = field(default_factory=lambda: [0] * (len(layout.FACTS) + 1))
    argv: tuple[bytes, ...] = ()
    envp: tuple[bytes, ...] = ()
    realpath: bytes = b""
    target: bytes = b""


@dataclass(slots=True)
class RawRequest:
    """``asked`` are bits of ``family``; names and numbers stand in the order of the grammar."""

    domain: int
    family: layout.Family
    asked: int
    names: tuple[bytes, ...] = ()
    numbers: tuple[int, ...] = ()
    version: int = 0
    address: bytes = bytes(16)
    port: int = 0
    target: int = 0
    ignore_first: bool = False
    facts: RawFacts = field(default_factory=RawFacts)


@dataclass(slots=True)
class Answer:
    """``granted``, ``refused`` and ``logged`` are among what was asked for.

    ``list`` and ``entry`` say which entry granted the lowest operation that a rule granted; list 0: none did, all
    was granted plainly or not at all. ``candidate`` is the id of the name that an executed program goes by, 0 for
    its own; ``preference`` and ``target`` say where it then goes. ``move`` is where the caller has to go
    (``move_kind`` says what it is the id of), as the granting rule of the highest operation that has one says.
    """

    granted: int = 0
    refused: int = 0
    logged: int = 0
    list: int = 0
    entry: int = 0
    candidate: int = 0
    preference: int = 0
    target: int = 0
    move: int = 0
    move_kind: int = 0
