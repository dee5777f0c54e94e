"""What the machine has to have for the engine, each found out before anything is done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from sekisho.engine.lsm.kernel.kinds import Flavour
from sekisho.errors import NotSupported

BPFFS: Final = Path("/sys/fs/bpf")
LSMS: Final = Path("/sys/kernel/security/lsm")
FTRACE: Final = Path("/proc/sys/kernel/ftrace_enabled")
OBJECT: Final = Path(__file__).resolve().parent.parent / "sekisho.bpf.o"
CALLING: Final = "sysctl kernel.ftrace_enabled=1"
"""What has programs called again."""
_BPFFS_MAGIC: Final = "bpf"


def check(bpffs: Path = BPFFS, mounts: Path = Path("/proc/self/mounts"), loaded: Path = OBJECT) -> None:
    """The engine may be started here. Raises NotSupported with what to do about it."""
    if os.geteuid() != 0:
        raise NotSupported("only root can hold the whole system to its policy", "run it with sudo")
    if not loaded.is_file():
        raise NotSupported(f"{loaded.name} is missing, which is what runs in the kernel", "run: python scripts/bpf.py")
    if not calls_programs():
        raise NotSupported("the kernel calls no programs: kernel.ftrace_enabled is 0", f"run: {CALLING}")
    if not is_mounted(bpffs, mounts):
        raise NotSupported(
            f"no BPF file system is mounted at {bpffs}, where what is in force is kept while nothing runs",
            f"run: mount -t bpf bpf {bpffs}",
        )


def calls_programs(setting: Path = FTRACE) -> bool:
    """Whether the kernel calls programs where its functions begin: ours refuse nothing while that is turned off."""
    try:
        return setting.read_text().strip() != "0"
    except OSError:
        return True


def is_mounted(bpffs: Path = BPFFS, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Whether a BPF file system is mounted there."""
    lines = [line.split() for line in mounts.read_text(errors="replace").splitlines()]
    return any(words[1] == str(bpffs) and words[2] == _BPFFS_MAGIC for words in lines if len(words) > 2)


def flavour(lsms: Path = LSMS) -> Flavour:
    """How programs get to run: as an LSM where bpf is in the kernel's list of them.

    Without the list there is no telling; what then isn't refused the self-test finds out.
    """
    try:
        words = lsms.read_text().strip().split(",")
    except OSError:
        return Flavour.MODIFY_RETURN
    return Flavour.LSM if "bpf" in words else Flavour.MODIFY_RETURN


def processors(possible: Path = Path("/sys/devices/system/cpu/possible")) -> int:
    """One more than the highest number that a processor may have."""
    try:
        return int(possible.read_text().strip().replace("-", ",").split(",")[-1]) + 1
    except (OSError, ValueError):
        return os.cpu_count() or 1
