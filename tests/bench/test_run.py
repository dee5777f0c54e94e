"""The benchmark's own parts that are cheap to run; what they measure is nobody's test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


def python(code: str) -> str:
    """What ``code`` prints, run where the benchmark's modules are found."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=BENCH, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.needs("gcc")
def test_every_single_call_is_measured(tmp_path: Path) -> None:
    code = f"""
import subprocess, pathlib, workloads
work = workloads.calls(pathlib.Path({str(tmp_path)!r}), scale=0)
print(subprocess.run(work.argv, capture_output=True, text=True, check=True).stdout)
print(*workloads.CALLS)
"""
    *lines, _, kinds = python(code).splitlines()

    assert kinds.split() == [line.split()[0] for line in lines]
    assert all(float(line.split()[1]) > 0 for line in lines)


def test_a_table_holds_medians() -> None:
    code = """
import run
ways = [run.Way("native", None), run.Way("enforcing", None)]
print(*run.table({"stat": {"native": [1.0, 9.0, 2.0], "enforcing": [1234.5]}}, ways, 1), sep="\\n")
"""

    assert "| stat | 2.0 | 1,234.5 |" in python(code)


def test_figures_replace_those_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nbelow\n")

    python(f"import run, pathlib; run.put(pathlib.Path({str(page)!r}), 'new')")

    assert page.read_text() == "above\n<!-- figures: begin -->\nnew\n<!-- figures: end -->\nbelow\n"


def test_strace_is_asked_for_the_same_calls() -> None:
    calls = python("import ways; print(ways.traced())").strip().split(",")

    assert {"?openat", "?unlink", "?connect", "?execve", "?newfstatat"} <= set(calls)
    assert "?read" not in calls


def test_the_big_policy_is_what_it_says_and_comes_back_as_it_was() -> None:
    code = """
import parsing
parsing.LINES = 2000
print(*parsing.lines(2000), sep="\\n")
parsing.measure(1)
"""
    *lines, header, parse, _, both = python(code).splitlines()

    assert len(set(lines)) + lines.count("use_profile 3") - 1 == len(lines) == 2000
    assert 0.68 < sum(line.startswith("file ") for line in lines) / 2000
    assert header.startswith("2,000 lines")
    assert parse.split()[0] == "parse"
    assert float(both.split()[1]) > 0
