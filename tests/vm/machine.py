"""One command in a throw-away virtual machine with a stock Debian kernel.

    outcome = Machine(kernel="6.12").run("uname -r")

The guest's root is this host's file tree, read-only under an overlay, so that the same programs stand at the same
paths and what they write is gone afterwards; or, where ``packages`` are named, a Debian of its own on ext4.
Everything is emulated in software: no /dev/kvm, no root, no network. ``python -m tests.vm`` is the same as a command.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.vm.images import BENCH, BOOTED, FULL, SMALL, debian_image, image_name
from tests.vm.initramfs import second_stage
from tests.vm.kernels import CannotStart, Kernel, cached, find_kernel, package_pattern, run

KERNELS: Final = ("6.12", "6.1", "6.18")
STARTS: Final = 3
"""So often a machine is started at most."""
IMAGES: Final = {"small": SMALL, "full": FULL, "bench": BENCH, "booted": BOOTED}
SYSTEM_PATH: Final = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
PLAIN: Final = "landlock,lockdown,yama,bpf"
"""The LSMs that Debian starts by default, AppArmor apart."""
KERNEL_LINE: Final = (
    "console=ttyS0 panic=-1 mitigations=off random.trust_cpu=on no_timer_check cryptomgr.notests "
    "8250.nr_uarts=1 net.ifnames=0 quiet loglevel=4 tsc=unstable clocksource=acpi_pm"
)
"""The processor's counter is measured at boot: wrongly on a busy host, where the clock then runs much too fast."""


@dataclass(frozen=True)
class Outcome:
    """What came of a command in the machine."""

    status: int | None
    """Its exit status; None if the machine ended before the command did (it rebooted, or its kernel died)."""
    stdout: str
    stderr: str
    console: str
    """What the kernel said."""
    timed_out: bool = False


@dataclass(frozen=True)
class Machine:
    """How to start; any number of machines may run at once."""

    kernel: str = KERNELS[0]
    """What its version begins with."""
    lsm: str = PLAIN
    packages: tuple[str, ...] = ()
    """Debian packages of an ext4 root; none: this host's files."""
    disk: Path | None = None
    """An image of an ext4 root that is written for good (see ``copied``), instead of packages."""
    boots: bool = False
    """The root's own systemd is process 1, and the command a service of its; takes packages or a disk."""
    share: tuple[Path, ...] = ()
    """Directories that are the host's, at the same path, written for good."""
    append: str = ""
    """More words for the kernel's command line."""
    files: dict[str, str] = field(default_factory=dict)
    """Programs (their text) to stand at /run/local in the guest."""
    memory: int = 1024
    """MiB."""
    processors: int = 2
    counted: bool = False
    """The machine's clock counts the instructions of its one processor, a nanosecond each: whatever else the host does,
    the same takes the same time."""

    def run(self, command: str, *, timeout: float = 120, stdin: str = "", directory: str | Path = "/") -> Outcome:
        """The outcome of ``command``, a shell script run as root, and of its machine, which is gone afterwards."""
        for _ in range(STARTS - 1):
            ended = self._run(command, timeout, stdin, directory)
            if not is_emulators_fault(ended):
                return ended
        return self._run(command, timeout, stdin, directory)

    def _run(self, command: str, timeout: float, stdin: str, directory: str | Path) -> Outcome:
        kernel = find_kernel(self.kernel)
        disk = self.disk or (debian_image(self.packages) if self.packages else None)
        with tempfile.TemporaryDirectory(prefix="sekisho-vm-") as name:
            work = Path(name)
            exchange = work / "exchange"
            exchange.mkdir(mode=0o755)
            for each, text in (("stdin", stdin), ("stdout", ""), ("stderr", ""), ("directory", f"{directory}\n")):
                (exchange / each).write_text(text, "utf-8", "surrogateescape")
            (work / "initrd").write_bytes(kernel.initrd.read_bytes() + self.second_stage(command, disk))
            timed_out = start(self.qemu(kernel, disk, work), work, timeout)
            return outcome(work, timed_out)

    def second_stage(self, command: str, disk: Path | None) -> bytes:
        """The part of the first file system that is this start's own."""
        settings = {"IMAGE": "1" if disk else "", "SHARES": " ".join(map(str, self.share))}
        return second_stage(settings, {"command": f"#!/bin/sh\n{command}\n", **self.files}, boots=self.boots)

    def accelerator(self) -> list[str]:
        """How instructions are gone through."""
        if self.counted:
            return ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
        return ["-accel", "tcg,thread=multi"]

    def qemu(self, kernel: Kernel, disk: Path | None, work: Path) -> list[str]:
        """The command that is the machine."""
        shared = {"host": (Path("/"), True), "kernel": (kernel.tree, True), "exchange": (work / "exchange", False)}
        shared |= {f"share{number}": (path.resolve(), False) for number, path in enumerate(self.share)}
        words = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-M", "q35",
            *self.accelerator(), "-cpu", "max", "-m", str(self.memory), "-smp", str(self.processors),
            "-display", "none", "-monitor", "none", "-serial", f"file:{work}/console",
            "-kernel", str(kernel.image), "-initrd", f"{work}/initrd",
            "-append", f"{KERNEL_LINE} lsm={self.lsm} {self.append}", "-device", "virtio-rng-pci",
        ]  # fmt: skip
        for tag, (path, read_only) in shared.items():
            if re.search(r"[\s,'\"\\$]", str(path)):
                raise CannotStart(f"{path}: can't be shared, qemu takes no such name")
            options = f"local,id={tag},path={path},security_model=none,multidevs=remap"
            words += ["-fsdev", options + (",readonly=on" if read_only else "")]
            words += ["-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
        if disk:
            snapshot = "off" if self.disk else "on"
            words += ["-drive", f"if=none,id=root,format=raw,snapshot={snapshot},file={disk}"]
            words += ["-device", "virtio-blk-pci,drive=root"]
        return words


def absent(needs: Sequence[str]) -> list[str]:
    """What a test marked ``vm(*needs)`` lacks here: ``needs`` are kernels, ``small`` and ``full`` (Debian images)."""
    lacking = [name for name in ("qemu-system-x86_64", "busybox") if shutil.which(name, path=SYSTEM_PATH) is None]
    for need in needs:
        entry = re.escape(image_name(IMAGES[need])) if need in IMAGES else package_pattern(need)
        if not any(re.fullmatch(entry, name) for name in cached()):
            lacking.append(f"a virtual machine's {'Debian' if need in IMAGES else 'kernel'} {need}")
    return lacking


def copied(packages: Sequence[str], folder: Path) -> Path:
    """A disk for ``Machine.disk`` in ``folder``, with what an image of ``packages`` has."""
    run("cp", "--reflink=auto", "--sparse=always", debian_image(packages), folder / "disk")
    return folder / "disk"


def prepare(needs: Sequence[str]) -> None:
    """Everything that tests marked ``vm(*needs)`` take is in the cache."""
    for need in needs:
        if need in IMAGES:
            debian_image(IMAGES[need])
        else:
            find_kernel(need)


def start(words: Sequence[str], work: Path, timeout: float) -> bool:
    """Whether the machine had to be ended because it ran for longer than ``timeout`` seconds."""
    if shutil.which(words[0]) is None:
        raise CannotStart(f"{words[0]} isn't installed; scripts/test-dependencies installs it as root")
    with open(work / "qemu", "wb") as complaints:
        machine = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=complaints, stderr=complaints, cwd=work, start_new_session=True
        )
        try:
            machine.wait(timeout)
        except subprocess.TimeoutExpired:
            return True
        finally:
            machine.kill()
            machine.wait()
    if machine.returncode:
        raise CannotStart(f"{shlex.join(words)}\nfailed: {(work / 'qemu').read_text(errors='replace')}")
    return False


def is_emulators_fault(ended: Outcome) -> bool:
    """Whether the kernel came upon an instruction that it had patched already, before the command said anything.

    With more than one processor QEMU's emulation may go on with what it translated before a patch: the breakpoint that
    stands there for a moment. No kernel leaves one behind, and no command begins twice that has begun.
    """
    return not ended.stdout and re.search(r"\bint3: 0000 \[#1\]", ended.console) is not None


def outcome(work: Path, timed_out: bool) -> Outcome:
    """What the machine left in ``work``."""

    def text(name: str) -> str:
        path = work / name
        return path.read_text("utf-8", "surrogateescape") if path.exists() else ""

    status = text("exchange/status")
    return Outcome(
        status=int(status) if status else None,
        stdout=text("exchange/stdout"),
        stderr=text("exchange/stderr"),
        console=text("console"),
        timed_out=timed_out,
    )
