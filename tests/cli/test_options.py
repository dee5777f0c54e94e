from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from sekisho.cli import options
from sekisho.cli.main import command_parser, parse
from sekisho.errors import UserError
from sekisho.policy.model import Mode


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["ls", "-l"], ["ls", "-l"]),
        (["--", "ls", "-l"], ["ls", "-l"]),
        (["-P", "d", "--", "ls", "-P", "x"], ["ls", "-P", "x"]),
        (["-P", "d", "ls", "--", "-l"], ["ls", "--", "-l"]),
        (["--", "--help"], ["--help"]),
    ],
)
@pytest.mark.parametrize("name", ["learn", "run"])
def test_nothing_of_the_command_is_looked_into(name: str, arguments: list[str], expected: list[str]) -> None:
    assert expected == options.command(parse(command_parser(name), arguments))


@pytest.mark.parametrize("arguments", [[], ["--"], ["-P", "d"], ["--", ""]])
def test_a_missing_command_is_an_error(arguments: list[str]) -> None:
    with pytest.raises(UserError, match="no command given; name it after --"):
        options.command(parse(command_parser("run"), arguments))


def test_every_mode_has_its_word() -> None:
    assert {"disabled", "learning", "permissive", "enforcing", "profile"} == set(options.MODES)
    assert Mode.ENFORCING is options.MODES[parse(command_parser("run"), ["true"]).mode]


def test_the_directory_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert tmp_path / "x" == options.directory(argparse.Namespace(directory="x")).path
    assert tmp_path / "sekisho" == options.directory(argparse.Namespace(directory=None)).path
    with pytest.raises(UserError, match="-P needs the name of a directory"):
        options.directory(argparse.Namespace(directory=""))


def test_options_may_stand_after_operands() -> None:
    arguments = parse(command_parser("policy"), ["show", "-P", "d", "/bin/x", "--json"])

    assert ("show", ["/bin/x"], "d", True) == (
        arguments.action, arguments.operand, arguments.directory, arguments.json,
    )  # fmt: skip
