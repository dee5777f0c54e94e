"""Enforcement never pauses: what programs see while the daemon dies, comes again, and policy changes all the time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.engine.lsm.guest_endurance import ROLES
from tests.engine.lsm.test_object import bpf
from tests.engine.lsm.test_protection import PREPARED, REPOSITORY, built
from tests.vm.machine import Machine

PROCESSORS = {"6.1": 1, "6.12": 2, "6.18": 2}
"""
Of the machine. Attaching programs patches the kernel's text; QEMU's emulation may let another processor go on with the
breakpoint that stood there for a moment. Linux 6.1 ended, or came upon it for ever, in two runs of two, each after half
an hour.
"""
LONG = 5
"""So often the daemon is killed, and followed, in the long form: ``make endure``."""


def endure(kernel: str, takeovers: int, folder: Path) -> dict[str, str]:
    """What the workers, and the daemon, have to tell at the end."""
    image, workers = folder / "sekisho.bpf.o", folder / "workers"
    bpf.build(image)
    source = Path(__file__).with_name("endurance.c")
    subprocess.run(["gcc", "-static", "-O2", "-Wall", "-Werror", "-o", workers, source], check=True)
    command = f"{{ {PREPARED} ip link set lo up; }} 2>/dev/null; PYTHONPATH=src:. "
    command += f"python3 -B -m tests.engine.lsm.guest_endurance {image} {workers} {takeovers}"
    ended = Machine(kernel, processors=PROCESSORS[kernel]).run(
        command, timeout=400 + 400 * takeovers, directory=REPOSITORY
    )
    assert ended.status == 0, ended.stdout + ended.stderr + ended.console[-8000:]
    print(ended.stdout)
    return dict(line.split(": ", 1) for line in ended.stdout.splitlines())


def assert_never_wrong(told: dict[str, str]) -> None:
    for role in ROLES:
        done, first, second, _ = map(int, told[role].split())
        assert told[f"wrong {role}"] == "none", told
        # It went on, and under both policies.
        assert done > 50, (role, told)
        assert role != "files" or (first and second), told
    assert ("{}", "{}", "1", "none") == (told["ended"], told["missing"], told["folders"], told["trouble"]), told
    assert told["inconsistent, crowded, homeless"] == "0 0 0", told


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One kernel and one takeover (``make kernels``); with ``--long`` (``make endure``) every kernel, and many."""
    long = metafunc.config.getoption("--long")
    kernels = ("6.1", "6.12", "6.18") if long else ("6.12",)
    if "kernel" in metafunc.fixturenames:
        marks = [] if long else [pytest.mark.every]
        cases = [pytest.param(each, LONG if long else 1, marks=[pytest.mark.vm(each), *marks]) for each in kernels]
        metafunc.parametrize(("kernel", "takeovers"), cases)


@built
@pytest.mark.needs("gcc")
@pytest.mark.slow
def test_no_moment_is_unenforced_and_no_decision_wrong(kernel: str, takeovers: int, tmp_path: Path) -> None:
    assert_never_wrong(endure(kernel, takeovers, tmp_path))
