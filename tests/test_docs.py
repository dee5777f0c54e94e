"""The commands that README and guides show are run, in order, in one place per document: see tests/transcripts.py.

Those of docs/system.md are for root, and for a whole system: a virtual machine is theirs.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from tests.engine.lsm.test_object import bpf
from tests.engine.lsm.test_protection import PREPARED, built
from tests.transcripts import problem, steps
from tests.vm.machine import Machine

from sekisho.cli.main import COMMANDS

DOCUMENTS = ["README.md", "docs/guide.md"]
FOR_ROOT = pytest.param(
    "docs/tools.md", marks=[pytest.mark.root, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]
)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DOCUMENTS, FOR_ROOT])
def test_transcripts_are_true(name: str, repository: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin", "LC_ALL": "C.UTF-8"}
    for step in steps((repository / name).read_text()):
        assert "" == problem(step, tmp_path, environment)


@built
@pytest.mark.slow
@pytest.mark.vm("6.12")
def test_transcripts_of_the_whole_system_are_true(repository: Path, tmp_path: Path) -> None:
    image = tmp_path / "sekisho.bpf.o"
    bpf.build(image)
    program = "/usr/bin/sekisho"
    command = (
        f"{PREPARED} exec 2>&1; cp {image} src/sekisho/engine/lsm/sekisho.bpf.o; export PYTHONPATH=$PWD/src:$PWD; "
        f"printf '#!/bin/sh\nexec python3 -B -m sekisho \"$@\"\n' >{program}; chmod +x {program}; "
        "python3 -B -m tests.transcripts docs/system.md"
    )
    ended = Machine("6.12").run(command, timeout=1500, directory=repository)

    assert (0, "") == (ended.status, ended.stdout)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_only_commands_that_exist(name: str, repository: Path) -> None:
    named = set(re.findall(r"(?:\$ |`|bin/)sekisho (\w+)", (repository / name).read_text()))

    assert set() == named - set(COMMANDS)
    assert set(COMMANDS) - {"doctor"} <= named


@pytest.mark.parametrize(
    "name",
    [*DOCUMENTS, "docs/tools.md", "docs/system.md", "docs/security-model.md", "docs/bypasses.md", "docs/suites.md"],
)
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
