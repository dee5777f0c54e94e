"""``scripts/test``: both halves of the tests are run, and the failure of either is one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

PYTHON = """\
#!/bin/sh
echo "$*" >>{folder}/called
case "$*" in *"and vm") echo machines; exit {machines};; *) echo others; exit {others};; esac
"""


@pytest.mark.parametrize(
    ("machines", "others", "outcome"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (5, 0, 0), (5, 1, 1), (0, 5, 5), (2, 1, 2)]
)
def test_a_run_is_as_good_as_both_its_halves(
    machines: int, others: int, outcome: int, repository: Path, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text(PYTHON.format(folder=tmp_path, machines=machines, others=others))
    python.chmod(0o755)

    words = ["sh", str(repository / "scripts/test"), str(python), "not oracle"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)

    said = "others\nWaiting for the tests in virtual machines.\nmachines\n"
    assert (outcome, said, "") == (ended.returncode, ended.stdout, ended.stderr)
    assert {"-m pytest -p no:cacheprovider -m not oracle and vm", "-m pytest -m not oracle and not vm"} == set(
        (tmp_path / "called").read_text().splitlines()
    )
