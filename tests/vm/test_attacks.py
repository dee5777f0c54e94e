"""What was written to get around the supervisor, tried on the engine in the kernel: first it works, then it doesn't."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.bypass.arena import HERE, compile_c
from tests.bypass.guest import slug
from tests.vm.machine import Machine

REPOSITORY = Path(__file__).resolve().parents[2]
PREPARED = "mount -t bpf bpf /sys/fs/bpf; mount -t securityfs securityfs /sys/kernel/security"
BUILT = (
    ("attacks.c", ()),
    ("prog.c", ("-static",)),
    ("prog.c", ("-DSTATUS=42",)),
    ("prog.c", ("-static", "-DSTATUS=10")),
    ("prog.c", ("-static", "-DSTATUS=42")),
)
"""Source and flags of all that the arena has."""
TRIES = 300
NAMES = re.findall(r'^    \{"(\w+)", ', (HERE / "attacks.c").read_text(), re.MULTILINE)
HARMLESS = {
    "another_listener": "nobody supervises by seccomp, so nobody loses by another listener",
    "clone_parent": "domains are the kernel's business, whoever is the parent",
    "clone3_parent": "as clone_parent",
    "landlock": "it takes rights away, from nobody but who asks for it",
    "forged_arguments": "nothing is decided by what proc says of a process",
    "fsopen_tmpfs": "it is asked for when it is mounted somewhere",
}
"""What is no way around this engine, and why."""
DOCUMENTED = {
    "accepted": "it is handed over, but nothing can be sent or received on it",
    "accepted_into_a_shared_table": "as accepted",
    "accepted_before_a_friend": "as accepted",
    "received": "no hook has both a datagram and who receives it",
    "received_peeking": "as received",
    "received_as_a_message": "as received",
    "received_second_of_recvmmsg": "as received",
}
"""What docs/bypasses.md and docs/system.md tell of."""
OPEN = {
    "proc_environ": "the daemon's environment can be read by who may read such files",
}
"""What is still to be stopped."""


def cases() -> list[object]:
    """Every attack that there is something to be said of."""
    open_ones = {name: pytest.mark.xfail(reason=reason, strict=True) for name, reason in OPEN.items()}
    names = [name for name in NAMES if name not in HARMLESS and name not in DOCUMENTED]
    return [pytest.param(name, marks=[open_ones[name]] if name in open_ones else []) for name in names]


@pytest.fixture(scope="module")
def outcomes() -> Callable[[str], dict[str, dict[str, str]]]:
    """What the attacks come to on a kernel, tried when they are first asked for."""
    return cache(attacked)


def attacked(kernel: str) -> dict[str, dict[str, str]]:
    """What all attacks come to, with nothing in force and with the arena's policy in force."""
    with TemporaryDirectory() as name:
        for source, flags in BUILT:
            compile_c(source, Path(name) / slug(source, flags), *flags)
        command = f"{PREPARED}; PYTHONPATH=src:. python3 -B -m tests.bypass.guest {name} attacks.c {TRIES}"
        machine = Machine(kernel, share=(Path(name),), memory=2048)
        ended = machine.run(command, timeout=1200, directory=REPOSITORY)
    assert ended.status == 0, f"{ended.stderr}\n{ended.console[-2000:]}"
    told: dict[str, dict[str, str]] = json.loads(ended.stdout.splitlines()[-1])
    return told


@pytest.mark.oracle
@pytest.mark.needs("gcc")
@pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k)) for k in ("6.1", "6.12", "6.18")])
@pytest.mark.parametrize("name", cases())
def test_stopped(outcomes: Callable[[str], dict[str, dict[str, str]]], kernel: str, name: str) -> None:
    found = outcomes(kernel)

    assert found["without"][name] in ("succeeded", "impossible", "failed")
    assert found["under"].get(name) in ("failed", "killed", "impossible")


def test_every_exception_is_an_attack() -> None:
    assert set(NAMES) >= HARMLESS.keys() | DOCUMENTED.keys() | OPEN.keys()
