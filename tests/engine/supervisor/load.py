"""A tree under load, looked at from outside: ``python -m tests.engine.supervisor.load --seconds 600 --processes 1000``.

What is in docs/benchmarks.md comes from there; test_load.py is a short one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.engine.supervisor.supervised import Supervised

from sekisho.engine.supervisor.running.protect import is_marked

PATIENCE = 30.0
"""Seconds that a busy machine may take to begin."""
HERE = Path(__file__).resolve().parent
GROUPS = ("crowd", "flood", "quiet", "alone")
_MOST, _BUCKETS = 4096, 512
_BOARD = struct.Struct(f"7l4l4l{4 * _BUCKETS}l{_MOST}l")


@dataclass(frozen=True)
class Sample:
    """What the supervisor has at one moment."""

    seconds: float
    stage: int
    """0: no crowd yet, 1: the crowd, 2: no crowd any more."""
    resident: float
    """Of memory, in MB."""
    descriptors: int
    threads: int
    workers: int
    running: float
    waiting: float
    """Seconds of a processor that it has had, and that it has waited for one that others had."""


@dataclass(frozen=True)
class Verdicts:
    """How long the calls of one group took, in milliseconds."""

    calls: int
    median: float
    p99: float
    longest: float


@dataclass
class Board:
    """What the processes have seen."""

    stage: int
    wrong: int
    errno_of_wrong: int
    executed: int
    offered: int
    verdicts: dict[str, Verdicts]
    served: list[int]


@dataclass
class Run:
    """One load, and all that was seen of it."""

    status: int
    told: str
    board: Board
    samples: list[Sample]
    seconds: float
    left: int
    """Processes of the tree that are still there."""
    audit: int
    """Bytes of its audit log."""

    def of(self, stage: int) -> list[Sample]:
        """The samples of one stage."""
        return [sample for sample in self.samples if sample.stage == stage]


def _at(counts: list[int], share: float) -> float:
    """The time that ``share`` of the calls took at most, in milliseconds: a bucket's upper end."""
    wanted = share * sum(counts)
    for place, count in enumerate(counts):
        wanted -= count
        if count and wanted <= 0:
            return (1 << place // 8) * (1 + (place % 8 + 1) / 8) / 1000
    return 0.0


def read_board(path: Path) -> Board:
    """The board as it is now."""
    values = list(_BOARD.unpack_from(path.read_bytes()))
    calls, longest, rest = values[7:11], values[11:15], values[15:]
    verdicts = {}
    for index, name in enumerate(GROUPS):
        counts = rest[index * _BUCKETS : (index + 1) * _BUCKETS]
        verdicts[name] = Verdicts(calls[index], _at(counts, 0.5), _at(counts, 0.99), longest[index] / 1000)
    stage, wrong, code, executed, offered, _, _ = values[:7]
    return Board(stage, wrong, code, executed, offered, verdicts, rest[4 * _BUCKETS :])


def _lay_out(folder: Path) -> Supervised:
    for name in ("allowed", "forbidden"):
        (folder / name).mkdir()
    (folder / "allowed/plain").write_text("plain")
    (folder / "forbidden/secret").write_text("secret")
    (folder / "prog.c").write_text("int main(void) { return 10; }\n")
    (folder / "board").write_bytes(bytes(_BOARD.size))
    for source, target in ((HERE / "load.c", "load"), (folder / "prog.c", "allowed/prog")):
        subprocess.run(["gcc", "-O1", "-static", "-pthread", "-o", folder / target, source], check=True, timeout=120)
    policy = Supervised(folder / "policy")
    chain = f"<kernel> {folder}/load"
    lines = {
        "misc env \\*",
        f"file read/getattr {folder}/allowed/plain",
        f"file create {folder}/allowed/made\\$ 0600",
        f"file write/unlink {folder}/allowed/made\\$",
        f"file execute {folder}/allowed/prog",
        f"file read/write {folder}/board",
    }
    policy.write({chain: lines, f"{chain} {folder}/allowed/prog": {"misc env \\*"}})
    return policy


def _supervisor(front: int) -> int:
    """The child of ``front`` that says it is the supervisor."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for child in Path(f"/proc/{front}/task/{front}/children").read_text().split():
            if is_marked(int(child)):
                return int(child)
        time.sleep(0.05)
    raise TimeoutError("no supervisor has come")


def _sample(supervisor: int, board: Path, seconds: float) -> Sample:
    status = Path(f"/proc/{supervisor}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in status if ":" in line)
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    running, waiting, _ = Path(f"/proc/{supervisor}/schedstat").read_text().split()
    stage = struct.unpack_from("l", board.read_bytes())[0]
    return Sample(
        seconds, stage, int(fields["VmRSS"].split()[0]) / 1024, len(os.listdir(f"/proc/{supervisor}/fd")),
        int(fields["Threads"]), len(children) - 1, int(running) / 1e9, int(waiting) / 1e9,
    )  # fmt: skip


def _left(folder: Path) -> int:
    count = 0
    for entry in Path("/proc").iterdir():
        try:
            count += entry.name.isdigit() and os.fsencode(f"{folder}/load") in (entry / "cmdline").read_bytes()
        except OSError:
            continue
    return count


def load(folder: Path, processes: int, seconds: int, every: float) -> Run:
    """A load of so many ``seconds``, with a sample ``every`` so many."""
    policy, board, told = _lay_out(folder), folder / "board", folder / "told"
    arguments = policy.arguments("run", folder / "load", folder, str(processes), str(seconds), board)
    samples: list[Sample] = []
    begun = time.monotonic()
    with told.open("wb") as errors:
        front = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, env=policy.environment()
        )
    try:
        supervisor = _supervisor(front.pid)
        while front.poll() is None and time.monotonic() - begun < 4 * seconds + 60:
            try:
                samples.append(_sample(supervisor, board, time.monotonic() - begun))
            except (OSError, KeyError, ValueError):
                # It has ended.
                break
            time.sleep(every)
        front.wait(60)
    finally:
        front.kill()
        front.wait()
    took = time.monotonic() - begun
    log = folder / "policy/audit.jsonl"
    return Run(front.returncode, told.read_text(), read_board(board), samples, took, _left(folder), log.stat().st_size)


def report(run: Run) -> str:
    """The run as tables."""
    lines = ["| | s | resident, MB | descriptors | threads | workers |", "|---|---:|---:|---:|---:|---:|"]
    for stage, name in enumerate(("before the crowd", "with the crowd", "after the crowd")):
        of = run.of(stage)
        chosen = (
            [of[place] for place in sorted({0, len(of) // 4, len(of) // 2, 3 * len(of) // 4, len(of) - 1})]
            if of
            else []
        )
        lines += [
            f"| {name} | {one.seconds:.0f} | {one.resident:.1f} | {one.descriptors} | {one.threads} | {one.workers} |"
            for one in chosen
        ]
    lines += ["", "| | calls | median, ms | 99th percentile, ms | longest, ms |", "|---|---:|---:|---:|---:|"]
    for name, one in run.board.verdicts.items():
        lines.append(f"| {name} | {one.calls:,} | {one.median:.2f} | {one.p99:.2f} | {one.longest:.1f} |")
    served = [count for count in run.board.served if count]
    if served:
        least, middle, most = min(served), statistics.median(served), max(served)
        lines += ["", f"served to each of the crowd: {least} to {most}, median {middle:.0f}"]
        lines.append(f"offered by the crowd: {run.board.offered:,} turns, served {sum(served):,}")
    last = run.samples[-1]
    lines.append(f"the supervisor ran for {last.running:.0f} s and waited {last.waiting:.0f} s for a processor")
    lines.append(f"wrong: {run.board.wrong} (errno {run.board.errno_of_wrong}), executed: {run.board.executed}")
    lines.append(
        f"{run.seconds:.0f} s, status {run.status}, audit log {run.audit:,} bytes, left {run.left}; {run.told}"
    )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--processes", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = load(Path(folder).resolve(), options.processes, options.seconds, max(0.5, options.seconds / 200))
    print(report(run))
    return run.status or int(run.board.wrong > 0 or run.left > 0)


if __name__ == "__main__":
    sys.exit(main())
