"""What is found out about a machine for the whole-system engine: here by what its files say, in machines by trying."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.engine.lsm.kernels import on_each
from tests.vm.machine import PLAIN, Machine

from sekisho.engine.lsm import doctor
from sekisho.engine.lsm.hooks import PROGRAMS
from sekisho.engine.lsm.kernel.kinds import Flavour

REPOSITORY = Path(__file__).resolve().parents[3]
DYNAMIC = "Linux version 6.1.0 #1 SMP PREEMPT_DYNAMIC Debian"


def test_the_list_of_lsms_is_told_with_the_line_to_boot_with(tmp_path: Path) -> None:
    lsms = tmp_path / "lsm"
    assert "mount -t securityfs" in doctor.of_list(lsms).detail
    lsms.write_text("lockdown,capability,yama,apparmor\n")
    assert doctor.of_list(lsms).detail.endswith("boot with lsm=lockdown,yama,apparmor,bpf")
    lsms.write_text("lockdown,bpf\n")
    assert "lockdown,bpf" == doctor.of_list(lsms).detail


@pytest.mark.parametrize(
    ("version", "model", "release", "flavour", "said"),
    [
        (DYNAMIC, "none voluntary (full)", "6.1.0", Flavour.LSM, "a decision is missed"),
        (DYNAMIC, "none (voluntary) full", "6.1.0", Flavour.LSM, "none is missed"),
        (DYNAMIC, "", "6.1.0", Flavour.LSM, "which preemption is in use can't be read"),
        ("Linux version 6.1.0 #1 SMP PREEMPT Arch", "", "6.1.0", Flavour.LSM, "a decision is missed"),
        ("Linux version 6.1.0 #1 SMP Alpine", "", "6.1.0", Flavour.LSM, "none is missed"),
        (DYNAMIC, "none voluntary (full)", "6.2.0", Flavour.LSM, ""),
        (DYNAMIC, "none voluntary (full)", "6.12.3", Flavour.MODIFY_RETURN, "a decision is missed"),
    ],
)
def test_missed_decisions_are_told(version: str, model: str, release: str, flavour: Flavour, said: str) -> None:
    detail = doctor.of_preemption(version, model, release, flavour).detail

    assert detail.startswith(said) if said else not detail


def test_what_a_kernel_lacks_is_told_by_what_it_means() -> None:
    everything = list(doctor.of_hooks(()))
    found = {finding.name: finding for finding in doctor.of_hooks(("task_alloc", "sb_umount", "protect_map"))}

    assert all(finding.ok for finding in everything)
    assert "task denied_execute_handler" in everything[-2].detail
    assert "task auto_execute_handler: no hook can run another program" in everything[-1].detail
    assert "missing: task_alloc" == found["hooks that follow tasks"].detail
    assert "file unmount (this kernel lacks sb_umount)" in found["hooks of operations"].detail
    assert "missing: protect_map" == found["hooks that protect the engine"].detail


def test_many_operations_are_counted() -> None:
    names = tuple(name for name, program in PROGRAMS.items() if not program.purpose)
    told = next(finding for finding in doctor.of_hooks(names) if finding.name == "hooks of operations")

    assert not told.ok
    assert "more (this kernel lacks" in told.detail


def test_an_ordinary_user_is_told_what_can_be_read_and_to_be_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    findings = doctor.examine()

    assert ("root", False, "run: sudo sekisho doctor --system") == (
        findings[-1].name, findings[-1].ok, findings[-1].hint,
    )  # fmt: skip
    assert not any(finding.ok and finding.hint for finding in findings)


@on_each("6.18")
@pytest.mark.parametrize("lsms", [PLAIN, "landlock,lockdown,yama"])
def test_it_is_tried_in_the_kernel(kernel: str, lsms: str) -> None:
    mounts = "mount -t bpf bpf /sys/fs/bpf; mount -t securityfs securityfs /sys/kernel/security; "
    command = f"{{ {mounts} }} 2>/dev/null; PYTHONPATH=src python3 -B -m sekisho doctor --system --json"
    ended = Machine(kernel, lsm=lsms).run(command, directory=REPOSITORY)
    found = {each["name"]: each for each in json.loads(ended.stdout)}

    how = "lsm" if "bpf" in lsms.split(",") else "modify-return"
    assert (f"runs, as {how}", True) == tuple(
        found["a program for the kernel's hooks"][key] for key in ("detail", "ok")
    )
    assert all(found[f"hooks {which}"]["ok"] for which in ("that follow tasks", "of operations")), found
    assert found["BPF file system"]["ok"] and found["types of the kernel (BTF)"]["ok"]
    assert ("not there" in found["bpf among the kernel's LSMs"]["detail"]) == (how != "lsm")
