"""Mounts of one's own, as root and as anybody else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sekisho

NAMESPACE = """
import os, sys
from pathlib import Path
from sekisho.errors import SekishoError
from sekisho.interface import namespace
try:
    namespace.enter(Path(sys.argv[1]) if sys.argv[1:] else None)
except SekishoError as error:
    sys.exit(str(error))
print(os.geteuid(), os.listdir(namespace.INTERFACE), sorted(os.listdir(namespace.DISK_POLICY)))
"""


def enter(*arguments: str, **how) -> subprocess.CompletedProcess[str]:
    source = str(Path(sekisho.__file__).parent.parent)
    return subprocess.run(
        ["/usr/bin/python3", "-c", NAMESPACE, *arguments],
        env={"PYTHONPATH": source, "PATH": os.environ["PATH"]},
        capture_output=True, text=True, timeout=30, check=False, **how,
    )  # fmt: skip


@pytest.mark.root
@pytest.mark.needs("tomoyo-loadpolicy")
@pytest.mark.parametrize("user", [0, 1234])
def test_the_places_are_ours_and_nobody_elses(user: int, tmp_path: Path) -> None:
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    (tmp_path / "here").touch()
    before = os.listdir("/etc/tomoyo")
    result = enter(str(tmp_path), user=user, group=user, extra_groups=[])

    assert (f"{user} [] ['here']\n", "") == (result.stdout, result.stderr)
    assert before == os.listdir("/etc/tomoyo")


@pytest.mark.root
@pytest.mark.needs("tomoyo-loadpolicy")
def test_a_directory_that_is_not_there_is_told() -> None:
    result = enter("/no/such/directory")

    assert "cannot put /no/such/directory at /etc/tomoyo: No such file or directory\n" == result.stderr


@pytest.mark.root
def test_where_it_is_forbidden_that_is_told() -> None:
    script = f'exec setpriv --bounding-set -all --inh-caps -all {sys.executable} -c "$0"'
    result = subprocess.run(
        ["unshare", "-U", "sh", "-c", script, NAMESPACE], capture_output=True, text=True, timeout=30, check=False
    )

    assert "cannot" in result.stderr
    assert 1 == result.returncode
