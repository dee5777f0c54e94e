"""Commands that documents show, and what they print: read from ``console`` blocks, run, compared.

After each ``$ command`` (``# command`` for root) stands what it prints, where that matters (then each line has to be in
the output), and ``[N]`` where its exit status isn't 0. ``python -m tests.transcripts FILE`` runs root's, one after the
other, and says what is otherwise.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIES = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d+ entr(?:y|ies)|\s+")


@dataclass(frozen=True)
class Step:
    """One command of a transcript, the lines shown after it, and its exit status."""

    command: str
    output: list[str]
    status: int


def steps(document: str, prompt: str = "$") -> Iterator[Step]:
    for block in BLOCK.findall(document):
        for chunk in re.split(rf"^{re.escape(prompt)} ", block, flags=re.MULTILINE)[1:]:
            command, *lines = chunk.splitlines()
            status = next((int(line[1:-1]) for line in lines if re.fullmatch(r"\[\d+\]", line)), 0)
            yield Step(command, [line for line in lines if line and not re.fullmatch(r"\[\d+\]", line)], status)


def even(text: str) -> str:
    """``text`` without what differs from run to run."""
    return VARIES.sub(" ", text).strip()


def problem(step: Step, folder: Path, environment: dict[str, str]) -> str:
    """What is otherwise than the document says; "" if nothing is."""
    result = subprocess.run(
        ["bash", "-c", step.command],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    output = result.stdout + result.stderr
    shown = [even(line) for line in output.splitlines()]
    missing = [line for line in step.output if even(line) not in shown]
    if step.status == result.returncode and not missing:
        return ""
    return f"$ {step.command}\n[{result.returncode}], not there: {missing}\n{output}"


def main() -> None:
    for step in steps(Path(sys.argv[1]).read_text(), "#"):
        print(problem(step, Path("/root"), dict(os.environ)), end="", flush=True)


if __name__ == "__main__":
    main()
