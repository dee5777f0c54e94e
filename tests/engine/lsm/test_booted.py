"""Debian is booted, and all it does is learned; booted again, nothing else is left to anybody.

Each kernel takes two starts of systemd under emulation, which is a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.engine.lsm.guest_booted import ATTACKS, IN_GUEST, UNASKED
from tests.engine.lsm.test_object import bpf
from tests.engine.lsm.test_protection import REPOSITORY, built
from tests.vm.images import BOOTED
from tests.vm.machine import Machine, copied

KERNELS = ("6.1", "6.12", "6.18")
on_each = pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k, "booted")) for k in KERNELS])
REFUSED = {"1", "13"}
"""EPERM, and what a process that isn't privileged is told anyway."""


def boot(kernel: str, disk: Path, prepare: str, scene: str) -> dict[str, list[str]]:
    """What the scene tells after the machine has booted from ``disk``; before that, ``prepare`` was done to it."""
    files = {"prepare": f"#!/bin/sh\nexport PATH=/usr/sbin:/usr/bin:/sbin:/bin\n{IN_GUEST} {prepare}\n"}
    machine = Machine(kernel, disk=disk, boots=True, append=UNASKED, files=files)
    ended = machine.run(f"{IN_GUEST} scene {scene}", timeout=1200)
    assert ended.status == 0, ended.stdout + ended.stderr + ended.console
    assert not ended.timed_out, f"it doesn't go down: {ended.console}"
    told: dict[str, list[str]] = {}
    for line in ended.stdout.splitlines():
        what, _, outcome = line.partition(": ")
        told.setdefault(what, []).append(outcome)
    return told


def serves(told: Mapping[str, list[str]], package: str) -> None:
    """Logging in, a page, cron and installing a package have gone as they should."""
    assert told["ssh"] == ["0 vm / root / active"]
    assert told["ssh, terminal"][0].startswith("0 /dev/pts/")
    assert (told["page"], told["no page"], told["hole"]) == (["a page"], ["404"], ["2"])
    assert (told["apt-get"], told["installed"], told["configured"]) == (["0"], [package], [package])
    assert told["cron"] == ["True"]


@built
@on_each
@pytest.mark.oracle
def test_what_a_booted_system_has_done_it_does_again_and_no_more(kernel: str, tmp_path: Path) -> None:
    image = tmp_path / "sekisho.bpf.o"
    bpf.build(image)
    disk = copied(BOOTED, tmp_path)

    serves(boot(kernel, disk, f"install /host{REPOSITORY} /host{image}", "learn"), "first")
    told = boot(kernel, disk, "enforce", "enforce")

    serves(told, "second")
    assert told["failed"] == [""]
    assert {told[f"attack, {what}"][0] for what in ATTACKS} <= REFUSED
    assert told["restart"] == told["SIGKILL"] == told["SIGABRT"] == ["0"]
    assert [told[f"restarted{how}"] for how in ("", " after SIGKILL", " after SIGABRT")] == [["True"]] * 3
    assert (told["unit"], told["attempts meanwhile"]) == (["active"], ["0 of many"])
    assert (told["afterwards, page"], told["afterwards, ssh"]) == (["a page"], ["0 in"])
