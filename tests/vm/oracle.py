"""Runs the comparisons in the machine, and keeps their answers as golden files."""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.vm.images import FULL, SMALL
from tests.vm.machine import Machine
from tests.vm.programs import Program
from tests.vm.tomoyo import with_tomoyo

GOLDEN: Final = Path(__file__).resolve().parent / "golden"
CLONE: Final = Path("/host") / Path(__file__).resolve().parents[2].relative_to("/")
"""The source tree, as the guest sees it."""


def learned(
    kernel: str, programs: Sequence[Program], *, full: bool, timeout: float, engine: str = "supervisor"
) -> list[dict[str, Any]]:
    """What the kernel and an engine of Sekisho (tests/vm/guest/engines.py) learn of ``programs``, in one machine."""
    given = {"sources": str(CLONE / "src"), "engine": engine, "programs": [asdict(program) for program in programs]}
    return _answers(kernel, "learn", json.dumps(given), len(programs), full=full, timeout=timeout)


def answered(
    kernel: str, batches: Sequence[dict[str, Any]], *, timeout: float, enforcer: str = "tomoyo"
) -> list[dict[str, Any]]:
    """What the kernel's TOMOYO, or another (tests/vm/guest/enforcers.py), answers to ``batches`` of requests."""
    lines = "".join(f"{json.dumps(batch)}\n" for batch in batches)
    return _answers(kernel, f"decide {enforcer}", lines, len(batches), full=False, timeout=timeout)


def printed(kernel: str, lines: dict[str, list[str]], *, timeout: float) -> dict[str, list[list[str]]]:
    """What the kernel writes of each of ``lines`` of policy."""
    answers: dict[str, list[list[str]]]
    [answers] = _answers(kernel, "texts", json.dumps(lines), 1, full=False, timeout=timeout)
    return answers


def _answers(kernel: str, script: str, stdin: str, many: int, *, full: bool, timeout: float) -> list[Any]:
    machine = with_tomoyo(Machine(kernel, packages=FULL if full else SMALL, memory=2048))
    ended = machine.run(f"cd {CLONE} && python3 -m tests.vm.guest.{script}", stdin=stdin, timeout=timeout)
    lines = ended.stdout.splitlines()
    assert (0, many) == (ended.status, len(lines)), f"{ended.stderr}\n{ended.console[-2000:]}\n{lines[-1:]}"
    return [json.loads(line) for line in lines]


def keep(name: str, content: object) -> None:
    """``content`` is the golden file ``name``."""
    GOLDEN.mkdir(exist_ok=True)
    raw = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    (GOLDEN / f"{name}.json.xz").write_bytes(lzma.compress(raw, preset=9))


def kept(name: str) -> Any:
    """The content of the golden file ``name``."""
    return json.loads(lzma.decompress((GOLDEN / f"{name}.json.xz").read_bytes()))
