"""How much memory a supervisor takes while its program still runs."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path

from ways import SEKISHO, Workshop
from workloads import Workload

from sekisho.store.directory import PolicyDirectory

_PATIENCE = 60.0


def row(workshop: Workshop, work: Workload, environment: dict[str, str]) -> str:
    """A line of the table: what a supervisor takes that has learned ``work``, and waits for more."""
    policy = workshop.folder / f"memory-{work.argv[0].rpartition('/')[2]}"
    PolicyDirectory(policy).create()
    script = f"{shlex.join(work.argv)} >/dev/null; echo done; read line"
    command = [SEKISHO, "learn", "-P", str(policy), "--", "/bin/sh", "-c", script]
    work.prepare()
    with subprocess.Popen(
        command,
        cwd=work.folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as front:
        assert front.stdin and front.stdout
        front.stdout.readline()
        time.sleep(0.5)
        supervisor = _child(front.pid)
        resident, own, shared = _status(supervisor, "VmRSS"), _proportional(supervisor), _proportional(front.pid)
        front.stdin.close()
        front.wait(_PATIENCE)
    entries = sum(len(domain.entries) for domain in PolicyDirectory(policy).load().domains.values())
    both = f"{own + shared:.1f}" if own and shared else "needs root"
    return f"| {work.name} | {entries:,} | {resident:.1f} | {f'{own:.1f}' if own else 'needs root'} | {both} |"


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _status(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def _proportional(pid: int) -> float:
    """PSS; 0 where it mayn't be read."""
    if os.geteuid():
        return 0.0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
