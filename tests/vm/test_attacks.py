"""What was written to get around the supervisor, tried on the engine in the kernel: first it works, then it doesn't."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.bypass.arena import names
from tests.bypass.guest import PROGRAMS, compile_all
from tests.engine.lsm.test_protection import WITHOUT_BPF
from tests.vm.machine import PLAIN, Machine

REPOSITORY = Path(__file__).resolve().parents[2]
PREPARED = "mount -t bpf bpf /sys/fs/bpf; mount -t securityfs securityfs /sys/kernel/security"
SOURCES = (*PROGRAMS, "control.c")
NAMES = {name: source for source in SOURCES for name in names(source)}
LSMS = {"lsm": PLAIN, "modify-return": WITHOUT_BPF}
"""The kernel's list of LSMs with which programs are of either flavour."""
HARMLESS = {
    "another_listener": "nobody supervises by seccomp, so nobody loses by another listener",
    "clone_parent": "domains are the kernel's business, whoever is the parent",
    "clone3_parent": "as clone_parent",
    "landlock": "it takes rights away, from nobody but who asks for it",
    "forged_arguments": "nothing is decided by what proc says of a process",
    "fsopen_tmpfs": "it is asked for when it is mounted somewhere",
    "late_arguments": "who is given no arguments gets an empty one by the kernel, before anything is decided",
    "another_trees": "there is one engine for the whole system",
}
"""What is no way around this engine, and why."""
DOCUMENTED = {
    "accepted": "it is handed over, but nothing can be sent or received on it",
    "accepted_into_a_shared_table": "as accepted",
    "accepted_before_a_friend": "as accepted",
    "accepted_by_two": "as accepted",
}
"""What docs/bypasses.md and docs/system.md tell of."""
POINTLESS = {
    "x32": "kernels are built without it",
    "forged_executable": "other than the supervisor's, these kernels don't do it for a program that is mapped",
    "own_from_a_dead_process": "nobody is answered who isn't there any more, whoever it was",
    **{name: "nobody acts in another's place" for name in names("deputy.c") if name != "bound_while_moving"},
}
"""What comes to nothing where nothing is in force either, and why."""
Told = dict[str, Any]


def cases() -> list[str]:
    """Every attack that there is something to be said of."""
    return [name for name in NAMES if name not in HARMLESS and name not in DOCUMENTED]


@pytest.fixture(scope="module")
def outcomes() -> Callable[[str, str], Told]:
    """What the attacks come to on a kernel, tried when they are first asked for."""
    return cache(attacked)


def attacked(kernel: str, flavour: str) -> Told:
    """What all attacks come to, with nothing in force and with the arenas' policies in force."""
    with TemporaryDirectory() as name:
        compile_all(SOURCES, Path(name))
        command = f"{PREPARED}; PYTHONPATH=src:. python3 -B -m tests.bypass.guest {name}"
        machine = Machine(kernel, LSMS[flavour], share=(Path(name),), memory=2048)
        ended = machine.run(command, timeout=1800, directory=REPOSITORY)
    assert ended.status == 0, f"{ended.stderr}\n{ended.console[-2000:]}"
    told: Told = json.loads(ended.stdout.splitlines()[-1])
    return told


pytestmark = [
    pytest.mark.needs("gcc"),
    pytest.mark.parametrize("flavour", LSMS),
    pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k)) for k in ("6.1", "6.12", "6.18")]),
]


@pytest.mark.oracle
@pytest.mark.parametrize("name", cases())
def test_stopped(outcomes: Callable[[str, str], Told], kernel: str, flavour: str, name: str) -> None:
    found, source = outcomes(kernel, flavour), NAMES[name]

    assert found["without"][source][name] == "succeeded" or name in POINTLESS
    assert found["under"][source].get(name) in ("failed", "killed", "impossible")


@pytest.mark.oracle
def test_every_program_is_there(outcomes: Callable[[str, str], Told], kernel: str, flavour: str) -> None:
    """Nothing that could be asked for is missing in either flavour."""
    status = outcomes(kernel, flavour)["status"]

    assert status["flavour"] == flavour
    assert (status["missing"], status["lacking"], status["unprotected"]) == ({}, {}, [])
    assert (status["missed"], status["kernel"]["inconsistent"]) == (0, 0)
