"""``make bench``: what mediation costs here, as medians of interleaved runs, printed as Markdown.

usage: python bench/run.py [--quick] [--rounds N] [--sandlock PYTHON] [--write FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import memory
import workloads
from ways import ENVIRONMENT, Way, Workshop
from workloads import Workload

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
PATIENCE = 300
Figures = dict[str, dict[str, list[float]]]
"""By row and way: every value measured."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How much is measured."""

    rounds: int
    scale: float
    quick: bool


def main() -> int:
    """The figures are printed, and written where ``--write`` says."""
    arguments = parser().parse_args()
    rounds = arguments.rounds or (2 if arguments.quick else 7)
    setting = Setting(rounds, 0.1 if arguments.quick else 1.0, arguments.quick)
    with new_folder() as folder:
        workshop = Workshop(folder, arguments.sandlock)
        text = "\n".join(report(workshop, workshop.ways(), setting))
    if arguments.write:
        put(Path(arguments.write), text)
    return 0


@contextlib.contextmanager
def new_folder() -> Iterator[Path]:
    """A folder that is there as long as it is used; its name is an ordinary one, no pattern is learned for it."""
    folder = Path(tempfile.gettempdir(), "sekisho-bench")
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise SystemExit(f"{folder} is there: remove it, or wait for the benchmark that uses it") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def parser() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    result = argparse.ArgumentParser(description="What mediation costs here.")
    result.add_argument("--quick", action="store_true", help="few rounds of few calls: for development, not for print")
    result.add_argument("--rounds", type=int, default=0, help="how often everything is measured (7; 2 if quick)")
    result.add_argument("--sandlock", default="", metavar="PYTHON", help="a Python that has sandlock installed")
    result.add_argument("--write", default="", metavar="FILE", help="put the figures between the marks in FILE")
    return result


def report(workshop: Workshop, ways: Sequence[Way], setting: Setting) -> Iterator[str]:
    """Every table, printed line by line as soon as it is known."""
    for part in (conditions, single_calls, whole_programs, start_up, memory_use, deciding, parsing):
        for line in part(workshop, ways, setting):
            print(line, flush=True)
            yield line


def conditions(workshop: Workshop, ways: Sequence[Way], setting: Setting) -> Iterator[str]:
    """What a reader has to know of the machine."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")
    who = "root" if not os.geteuid() else "an ordinary user"
    yield f"Linux {platform.release()}, {os.cpu_count()} x {model}, Python {platform.python_version()}, as {who}; "
    yield f"load average at the beginning {os.getloadavg()[0]:.1f}. Medians of {setting.rounds} interleaved rounds."
    for line in workshop.absent:
        yield f"Not measured: {line}."


def single_calls(workshop: Workshop, ways: Sequence[Way], setting: Setting) -> Iterator[str]:
    """Microseconds per call, all on one CPU and free to move between all."""
    work = workloads.calls(workshop.folder, scale=setting.scale)
    # Enough of each call to see every name that it uses.
    workshop.teach("calls", replace(work, argv=[*work.argv[:2], *(f"{kind}:200" for kind in workloads.CALLS)]))
    chosen = [way for way in ways if "no getattr" not in way.name]
    figures: dict[bool, Figures] = {pinned: defaultdict(lambda: defaultdict(list)) for pinned in (True, False)}
    for _ in range(setting.rounds):
        for pinned in figures:
            for way in chosen:
                for line in run(way, "calls", work, pinned=pinned).stdout.splitlines():
                    kind, nanoseconds = line.split()
                    figures[pinned][kind][way.name].append(float(nanoseconds) / 1000)
    for pinned in figures:
        yield ""
        yield f"### Single calls, {'all on one CPU' if pinned else 'free to move between CPUs'}, in µs per call"
        yield from table(figures[pinned], chosen, 2)


def whole_programs(workshop: Workshop, ways: Sequence[Way], setting: Setting) -> Iterator[str]:
    """Milliseconds per program, and the same without what starting takes."""
    every = [workloads.start(workshop.folder), *workloads.programs(workshop.folder)]
    for number, work in enumerate(every):
        workshop.teach(str(number), work)
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for _ in range(setting.rounds):
        for number, work in enumerate(every):
            for way in ways:
                figures[work.name][way.name].append(elapsed(way, str(number), work) * 1000)
    start = {way.name: median(figures["start-up"][way.name]) for way in ways}
    for row, values in figures.items():
        if row != "start-up":
            for way in ways:
                extra = start[way.name] - start["native"]
                values[way.name] = [value - extra for value in values[way.name]]
    yield ""
    yield "### Whole programs, in ms, start-up (first row) taken off"
    yield from table(figures, ways, 1)


def start_up(workshop: Workshop, ways: Sequence[Way], setting: Setting) -> Iterator[str]:
    """Milliseconds of ``sekisho run -- true`` from the first to the last."""
    work = workloads.start(workshop.folder)
    chosen = [way for way in ways if way.name in ("native", "learning", "enforcing")]
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for _ in range(3 * setting.rounds):
        for way in chosen:
            figures["`-- true`"][way.name].append(elapsed(way, "0", work) * 1000)
    yield ""
    yield "### Start-up, in ms"
    yield from table(figures, chosen, 1)


def memory_use(workshop: Workshop, ways: Sequence[Way], setting: Setting) -> Iterator[str]:
    """Megabytes of the supervisor after real work."""
    yield ""
    yield "### Memory of the supervisor, in MB"
    yield "| after | entries in its policy | resident | proportional | with the front, proportional |"
    yield "|---|---:|---:|---:|---:|"
    for work in workloads.programs(workshop.folder / "for memory"):
        if work.name.startswith(("python3", "git")):
            yield memory.row(workshop, work, ENVIRONMENT)


def deciding(workshop: Workshop, ways: Sequence[Way], setting: Setting) -> Iterator[str]:
    """What bench/decide.py says."""
    yield from said("decide() alone", "decide.py", setting)


def parsing(workshop: Workshop, ways: Sequence[Way], setting: Setting) -> Iterator[str]:
    """What bench/parsing.py says."""
    yield from said("A big policy, parsed and printed", "parsing.py", setting)


def said(title: str, script: str, setting: Setting) -> Iterator[str]:
    """What a script beside this one prints."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *(["3"] if setting.quick else [])]
    yield ""
    yield f"### {title}"
    yield "```"
    yield from subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout.splitlines()
    yield "```"


def run(way: Way, key: str, work: Workload, *, pinned: bool = False) -> subprocess.CompletedProcess[str]:
    """One run, which must succeed."""
    work.prepare()
    cpus = os.sched_getaffinity(0)
    if pinned:
        os.sched_setaffinity(0, {min(cpus)})
    try:
        done = subprocess.run(
            way.command(key, work.argv), cwd=work.folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    finally:
        os.sched_setaffinity(0, cpus)
    if done.returncode:
        raise SystemExit(
            f"{work.name}, {way.name}: exit status {done.returncode}\n{done.stdout[-500:]}{done.stderr[-2000:]}"
        )
    return done


def elapsed(way: Way, key: str, work: Workload) -> float:
    """Seconds that one run took."""
    command = way.command(key, work.argv)
    fixed = Way(way.name, lambda *_: command)
    work.prepare()
    begin = time.perf_counter()
    run(fixed, key, Workload(work.name, work.argv, work.folder, lambda: None))
    return time.perf_counter() - begin


def table(figures: Figures, ways: Sequence[Way], digits: int) -> Iterator[str]:
    """Medians as Markdown."""
    yield "| |" + "".join(f" {way.name} |" for way in ways)
    yield "|---|" + "---:|" * len(ways)
    for row, values in figures.items():
        yield f"| {row} |" + "".join(f" {median(values[way.name]):,.{digits}f} |" for way in ways)


def put(path: Path, text: str) -> None:
    """``text`` stands between the marks in the file at ``path``."""
    before, _, rest = path.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
