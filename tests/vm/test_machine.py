"""The virtual machine that other tests stand on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.vm.images import SMALL
from tests.vm.initramfs import archive, folder, script
from tests.vm.kernels import CannotStart
from tests.vm.machine import Machine, Outcome, absent, is_emulators_fault
from tests.vm.tomoyo import COMMAND, with_tomoyo

on_both = pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k)) for k in ("6.12", "6.1")])


@on_both
def test_a_command_runs_on_a_kernel_of_its_own_over_this_hosts_files(kernel: str, tmp_path: Path) -> None:
    mine = tmp_path / "not-for-good"
    command = f"uname -r; cat; pwd; id -u; echo new >{mine}; echo said >&2; cat {mine}; exit 7"
    ended = Machine(kernel).run(command, stdin="given\n", directory=tmp_path)

    release, *rest = ended.stdout.splitlines()
    assert release.startswith(kernel)
    assert (["given", str(tmp_path), "0", "new"], "said\n", 7) == (rest, ended.stderr, ended.status)
    assert not mine.exists()


@pytest.mark.vm("6.12")
def test_what_is_shared_is_written_for_good(tmp_path: Path) -> None:
    ended = Machine(share=(tmp_path,)).run(f"echo kept >{tmp_path}/file; stat -f -c %T {tmp_path}")

    assert (0, "kept\n") == (ended.status, (tmp_path / "file").read_text())


@pytest.mark.vm("6.12")
def test_a_command_that_takes_too_long_is_ended_with_its_machine() -> None:
    ended = Machine().run("echo begun; sleep 1000", timeout=20)

    assert (None, True, "begun\n") == (ended.status, ended.timed_out, ended.stdout)


@pytest.mark.vm("6.12")
def test_a_machine_that_ends_before_its_command_has_no_status() -> None:
    ended = Machine().run("echo b >/proc/sysrq-trigger; sleep 100")

    assert (None, False) == (ended.status, ended.timed_out)


def test_only_what_the_emulation_did_before_the_command_began_is_its_fault() -> None:
    oops = "[    1.277390] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI\n"

    assert is_emulators_fault(Outcome(None, "", "", oops))
    assert not is_emulators_fault(Outcome(None, "begun\n", "", oops))
    assert not is_emulators_fault(Outcome(None, "", "", "[    1.277390] Oops: 0000 [#1] PREEMPT SMP NOPTI\n"))


@pytest.mark.vm("6.12", "small")
def test_a_debian_of_its_own_stands_on_ext4() -> None:
    ended = Machine(packages=SMALL).run("stat -f -c %T / /tmp; python3 -c 'print(1)'; ls /host/proc/version")

    assert (0, ["ext2/ext3", "ext2/ext3", "1"]) == (ended.status, ended.stdout.splitlines()[:3])


@on_both
def test_tomoyo_runs_in_the_kernel_and_the_command_manages_it(kernel: str) -> None:
    policy = "/sys/kernel/security/tomoyo"
    ended = with_tomoyo(Machine(kernel)).run(
        f"cat {policy}/version {policy}/self_domain; echo '<kernel> /new' >{policy}/domain_policy; "
        f"cat {policy}/domain_policy"
    )

    assert (0, "") == (ended.status, ended.stderr)
    assert ended.stdout.startswith(f"2.6.0{COMMAND}")
    assert "\n<kernel> /new\n" in ended.stdout


@pytest.mark.vm("6.12")
def test_as_a_command_it_passes_on_what_the_command_said(repository: Path) -> None:
    words = [sys.executable, "-m", "tests.vm", "--", "echo", "two  spaces"]
    ended = subprocess.run(words, capture_output=True, text=True, cwd=repository, timeout=300, check=False)

    assert (0, "two  spaces\n", "") == (ended.returncode, ended.stdout, ended.stderr)


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)

    assert ["qemu-system-x86_64", "busybox", "a virtual machine's kernel 6.12"] == absent(["6.12"])
    with pytest.raises(CannotStart, match="no package for kernel 1.0 is known to apt|apt-cache isn't installed"):
        Machine("1.0").run("true")


@pytest.mark.needs("busybox")
def test_archives_are_what_cpio_reads(tmp_path: Path) -> None:
    data = archive([folder("a"), script("a/run", "#!/bin/sh\n"), ("dev/console", 0o20600, b"")])
    listed = subprocess.run(["busybox", "cpio", "-t"], input=data, capture_output=True, check=False)

    assert ["a", "a/run", "dev/console"] == listed.stdout.decode().split()
