"""A policy directory to look at, and the command called in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sekisho.cli.main import main
from sekisho.store.directory import PolicyDirectory

DOMAINS = r"""<kernel>
use_profile 0
use_group 0


<kernel> /bin/web
use_profile 3
use_group 0

file read /srv/\*
file execute /bin/sh exec.argv[0]="sh"
file read /secret task.uid=0
misc env HOME

<kernel> /bin/web /bin/sh
use_profile 1
quota_exceeded


<kernel> /bin/gone /bin/sh
use_profile 2


"""


@dataclass(frozen=True)
class Result:
    """What a call of the command gave."""

    status: int
    out: str
    err: str


Sekisho = Callable[..., Result]


@pytest.fixture
def sekisho(capsys: pytest.CaptureFixture[str]) -> Sekisho:
    """``sekisho("log", "--denied")`` runs it and gives what it said."""

    def call(*arguments: str | Path) -> Result:
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as error:
            status = int(error.code or 0)
        return Result(status, *capsys.readouterr())

    return call


@pytest.fixture
def directory(policy_directory: Path) -> PolicyDirectory:
    """A policy directory with the domains above."""
    directory = PolicyDirectory(policy_directory)
    directory.create()
    (directory.path / "domain_policy.conf").write_text(DOMAINS)
    (directory.path / "exception_policy.conf").write_text("acl_group 0 file read /lib/libc.so\n")
    return directory
