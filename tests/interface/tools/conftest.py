"""TOMOYO's own tools, as Debian packages them, run by ``sekisho tools`` on a policy directory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.interface.tools.terminal import PATIENCE, Terminal

from sekisho.store.directory import PolicyDirectory

DOMAINS = r"""<kernel>
use_profile 0
use_group 0

file execute /usr/sbin/sshd

<kernel> /usr/sbin/sshd
use_profile 1
use_group 0

file read/write /dev/null
file read /etc/passwd
file execute /bin/bash exec.realpath="/bin/bash" exec.argv[0]="-bash"
network inet stream bind 0.0.0.0 22
file ioctl /dev/tty 0x5401

<kernel> /usr/sbin/sshd /bin/bash
use_profile 3
use_group 0

file read /tmp/a
file read /tmp/\*
file create /tmp/\* 0600
misc env HOME task.uid=0

"""

EXCEPTIONS = r"""initialize_domain /usr/sbin/sshd from any
keep_domain any from <kernel> /usr/sbin/sshd /bin/bash
path_group HOME /home/\*/
number_group PORTS 80-88
address_group LAN 10.0.0.0-10.255.255.255
acl_group 0 file read /lib/libc.so
"""

PROFILES = "PROFILE_VERSION=20150505\n" + "".join(
    f"{number}-COMMENT=-----{mode.capitalize()} Mode-----\n"
    f"{number}-PREFERENCE={{ max_audit_log=1024 max_learning_entry=2048 }}\n"
    f"{number}-CONFIG={{ mode={mode} grant_log=no reject_log=yes }}\n"
    for number, mode in enumerate(("disabled", "learning", "permissive", "enforcing"))
)


@dataclass(frozen=True)
class Tools:
    """Runs commands on the policy directory ``path``."""

    path: Path

    def command(self, *command: str | Path) -> list[str]:
        """What runs ``command`` there."""
        return [sys.executable, "-m", "sekisho", "tools", "-P", str(self.path), "--", *map(str, command)]

    def run(self, *command: str | Path, text: str = "", status: int = 0) -> str:
        """What ``command`` prints, given ``text``; its status has to be ``status``."""
        result = subprocess.run(
            self.command(*command), input=text, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert status == result.returncode, result.stdout + result.stderr
        return result.stdout

    def shell(self, script: str, text: str = "", status: int = 0) -> str:
        """What a shell script prints there."""
        return self.run("sh", "-c", script, text=text, status=status)

    def terminal(self, *command: str | Path) -> Terminal:
        """``command``, in a terminal of its own."""
        return Terminal(self.command(*command))

    def file(self, name: str) -> str:
        """The text of a file of the policy directory."""
        return (self.path / name).read_text()


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    """A policy directory with some of everything; in the end nothing of ours runs any more."""
    tmp_path.chmod(0o755)
    directory = PolicyDirectory(tmp_path / "policy")
    directory.create()
    for name, text in (("domain", DOMAINS), ("exception", EXCEPTIONS)):
        (directory.path / f"{name}_policy.conf").write_text(text)
    (directory.path / "profile.conf").write_text(PROFILES)
    yield Tools(directory.path)
    end = time.monotonic() + PATIENCE
    while left := [line for line in _running() if str(directory.path) in line]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def _running() -> list[str]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.append(Path("/proc", name, "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return found
