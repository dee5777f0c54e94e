"""The commands that README and guide show are run, in order, in one place per document.

A ``console`` block is a transcript: after each ``$ command`` stands what it prints, where that matters (then each
line has to be in the output), and ``[N]`` where its exit status isn't 0.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sekisho.cli.main import COMMANDS

DOCUMENTS = ["README.md", "docs/guide.md"]
FOR_ROOT = pytest.param(
    "docs/tools.md", marks=[pytest.mark.root, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]
)
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIES = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d+ entr(?:y|ies)|\s+")


@dataclass(frozen=True)
class Step:
    """One command of a transcript, the lines shown after it, and its exit status."""

    command: str
    output: list[str]
    status: int


def steps(document: str) -> Iterator[Step]:
    for block in BLOCK.findall(document):
        for chunk in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = chunk.splitlines()
            status = next((int(line[1:-1]) for line in lines if re.fullmatch(r"\[\d+\]", line)), 0)
            yield Step(command, [line for line in lines if line and not re.fullmatch(r"\[\d+\]", line)], status)


def even(text: str) -> str:
    """``text`` without what differs from run to run."""
    return VARIES.sub(" ", text).strip()


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DOCUMENTS, FOR_ROOT])
def test_transcripts_are_true(name: str, repository: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin", "LC_ALL": "C.UTF-8"}
    for step in steps((repository / name).read_text()):
        result = subprocess.run(
            ["bash", "-c", step.command],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        output = result.stdout + result.stderr

        assert step.status == result.returncode, f"$ {step.command}\n{output}"
        shown = [even(line) for line in output.splitlines()]
        assert [] == [line for line in step.output if even(line) not in shown], f"$ {step.command}\n{output}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_only_commands_that_exist(name: str, repository: Path) -> None:
    named = set(re.findall(r"(?:\$ |`|bin/)sekisho (\w+)", (repository / name).read_text()))

    assert set() == named - set(COMMANDS)
    assert set(COMMANDS) - {"doctor"} <= named


@pytest.mark.parametrize("name", [*DOCUMENTS, "docs/tools.md"])
def test_links_lead_somewhere(name: str, repository: Path) -> None:
    document = repository / name
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text())

    assert [] == [link for link in links if not (document.parent / link).exists()]


def test_make_targets_of_the_readme_exist(repository: Path) -> None:
    named = set(
        re.findall(
            r"\bmake (\w+)\b(?= )",
            "\n".join(re.findall(r"^    make .*$", (repository / "README.md").read_text(), re.M)),
        )
    )
    targets = set(re.findall(r"^(\w+):", (repository / "Makefile").read_text(), re.MULTILINE))

    assert {"demo", "test"} <= named <= targets
