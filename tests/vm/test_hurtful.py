"""What would hurt the machine that tests run on, with real programs: the clock, its name, modules, kexec, reboot.

Each is learned, done again under the learned policy, and refused when its line is taken away: only the machine's own
state tells.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.engine.supervisor.supervised import Supervised
from tests.vm.machine import Machine

pytestmark = [pytest.mark.vm("6.12"), pytest.mark.root, pytest.mark.needs("busybox")]

MODULE = """
import glob, lzma, os
found = glob.glob(f"/usr/lib/modules/{os.uname().release}/kernel/drivers/net/dummy.ko*")[0]
data = open(found, "rb").read()
open("/tmp/dummy.ko", "wb").write(lzma.decompress(data) if found.endswith(".xz") else data)
"""
KEXEC = """
import ctypes, os, sys
kernel = os.open(f"/boot/vmlinuz-{os.uname().release}", os.O_RDONLY)
flags = 4 | int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
failed = libc.syscall(320, ctypes.c_long(kernel), ctypes.c_long(-1), ctypes.c_long(1), b"", ctypes.c_long(flags))
sys.exit(ctypes.get_errno() if failed else 0)
"""
"""Loads a kernel, or unloads it (KEXEC_FILE_UNLOAD)."""


class Play:
    """A script for the machine: policy in ``folder``, which is the host's, so that both sides see it."""

    def __init__(self, folder: Path) -> None:
        self.supervised = Supervised(folder / "policy")
        self.folder = folder
        self.lines = [
            "export PYTHONPATH=" + shlex.quote(str(self.supervised.sources)),
            "export PYTHONDONTWRITEBYTECODE=1",
        ]

    def then(self, verb: str, *command: str) -> None:
        """``command`` runs under supervision; its status is said."""
        words = self.supervised.arguments(verb, *command)
        self.lines.append(f"{shlex.join(words)} </dev/null >/dev/null 2>>{self.folder}/said; echo status $?")

    def say(self, command: str) -> None:
        """What ``command`` says is said."""
        self.lines.append(command)

    def without(self, line: str) -> None:
        """Policy lacks ``line`` from now on."""
        self.lines.append(f"sed -i '/^{line}$/d' {self.folder}/policy/domain_policy.conf")

    def played(self, timeout: float = 240) -> tuple[list[str], int | None]:
        """(what was said, the status of the last command; None if the machine was gone before)."""
        ended = Machine(share=(self.folder,)).run("\n".join(self.lines), timeout=timeout, directory=self.folder)
        assert not ended.timed_out, ended.console
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended.stdout.splitlines(), ended.status

    def said(self) -> str:
        """What supervisors and commands had to say."""
        return (self.folder / "said").read_text()


def three_times(play: Play, capability: str, commands: Sequence[Sequence[str]], state: str) -> None:
    """Learned, enforced, and enforced without its line; ``state`` shows what has come of each."""
    for verb, command in zip(("learn", "run", "run"), commands, strict=True):
        if command is commands[2]:
            play.without(f"capability {capability}")
        play.then(verb, *command)
        play.say(state)


def test_the_clock_and_the_name(tmp_path: Path) -> None:
    play = Play(tmp_path)
    dates = [("date", "-u", "-s", f"{year}-02-03") for year in ("2031", "2032", "2033")]
    three_times(play, "SYS_TIME", dates, "date -u +%Y")
    names = [("hostname", name) for name in ("one", "two", "three")]
    three_times(play, "SYS_SETHOSTNAME", names, "uname -n")

    said, status = play.played()

    clock = ["status 0", "2031", "status 0", "2032", "status 1", "2032"]
    name = ["status 0", "one", "status 0", "two", "status 1", "two"]
    assert (clock + name, 0) == (said, status), play.said()
    assert ["capability SYS_TIME", "capability SYS_SETHOSTNAME"] == play.supervised.rejected()


def test_modules(tmp_path: Path) -> None:
    play = Play(tmp_path)
    (tmp_path / "module.py").write_text(MODULE)
    play.say(f"{shlex.quote(play.supervised.python)} {tmp_path}/module.py")
    loaded = "grep -c ^dummy /proc/modules"
    insert, remove = ("busybox", "insmod", "/tmp/dummy.ko"), ("busybox", "rmmod", "dummy")
    for verb in ("learn", "run"):
        for command in (insert, remove):
            play.then(verb, *command)
            play.say(loaded)
    play.without("capability use_kernel_module")
    play.then("run", *insert)
    play.say(loaded)

    said, _ = play.played()

    assert ["status 0", "1", "status 0", "0"] * 2 + ["status 1", "0"] == said, play.said()
    # What busybox tries next isn't in policy, either.
    assert "capability use_kernel_module" == play.supervised.rejected()[0]


def test_another_kernel(tmp_path: Path) -> None:
    play = Play(tmp_path)
    (tmp_path / "kexec.py").write_text(KEXEC)
    load, unload = ((play.supervised.python, "-I", "-S", f"{tmp_path}/kexec.py", flags) for flags in "01")
    loaded = "cat /sys/kernel/kexec_loaded"
    for verb in ("learn", "run"):
        for command in (load, unload):
            play.then(verb, *command)
            play.say(loaded)
    play.without("capability SYS_KEXEC_LOAD")
    play.then("run", *load)
    play.say(loaded)

    said, _ = play.played()

    assert ["status 0", "1", "status 0", "0"] * 2 + ["status 1", "0"] == said, play.said()
    assert ["capability SYS_KEXEC_LOAD"] == play.supervised.rejected()


def test_reboot(tmp_path: Path) -> None:
    """The machine ends in the middle of the script whenever it may be rebooted."""
    reboot = ("busybox", "reboot", "-f")
    play = Play(tmp_path)
    play.then("learn", *reboot)
    assert ([], None) == play.played()
    # The machine went before policy could be saved: what was learned stands in the journal until the next run.
    play.supervised.learn("true")

    again = Play(tmp_path)
    again.then("run", *reboot)
    assert ([], None) == again.played()
    assert [] == again.supervised.rejected()

    refused = Play(tmp_path)
    refused.without("capability SYS_REBOOT")
    refused.then("run", *reboot)
    said, status = refused.played()

    assert (["status 1"], 0) == (said, status), refused.said()
    assert ["capability SYS_REBOOT"] == refused.supervised.rejected()
