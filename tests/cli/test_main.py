from __future__ import annotations

import subprocess
import sys

import pytest

from sekisho import __version__
from sekisho.cli import main as cli
from sekisho.errors import NotSupported, PolicyError, UserError


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sekisho", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_version() -> None:
    result = run("--version")

    assert (0, f"sekisho {__version__}\n", "") == (result.returncode, result.stdout, result.stderr)


def test_help_names_every_command() -> None:
    result = run("--help")

    assert result.returncode == 0
    for name, summary in cli.COMMANDS.items():
        assert name in result.stdout
        assert summary in " ".join(result.stdout.split())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_that_suffices(name: str) -> None:
    result = run(name, "--help")

    assert (0, "") == (result.returncode, result.stderr)
    assert f"usage: sekisho {name}" in result.stdout
    assert all(len(line) <= 120 for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["--nonsense"], ["domains", "extra"], ["run", "-m", "nonsense", "--", "true"]]
)
def test_wrong_usage_is_told_and_gives_2(arguments: list[str]) -> None:
    result = run(*arguments)

    assert (2, "") == (result.returncode, result.stdout)
    assert "usage: sekisho" in result.stderr


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UserError("wrong", "do right"), 2, "sekisho: wrong; do right\n"),
        (NotSupported("not here", "elsewhere"), 3, "sekisho: not here; elsewhere\n"),
        (
            PolicyError("f", 1, 2, "bad", others=(PolicyError("f", 3, 4, "worse"),)),
            2,
            "sekisho: f:1:2: bad\nsekisho: f:3:4: worse\n",
        ),
    ],
)
def test_errors_are_told_on_one_line_each(
    error: Exception, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing:
        def configure(self, parser: object) -> None:
            pass

        def run(self, arguments: object) -> int:
            raise error

    monkeypatch.setattr(cli, "load", lambda name: Failing())

    assert (status, ("", said)) == (cli.main(["domains"]), tuple(capsys.readouterr()))


def test_a_reader_that_goes_away_is_no_error() -> None:
    script = f"{sys.executable} -m sekisho --help | true; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert ("0\n", "") == (result.stdout, result.stderr)


def test_start_up_imports_nothing_that_it_does_not_need() -> None:
    script = "import sys; before = set(sys.modules); import sekisho.cli.main; print(*set(sys.modules) - before)"
    result = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)

    ours = {name for name in result.stdout.split() if name.startswith("sekisho")}
    assert {"sekisho", "sekisho.cli", "sekisho.cli.main", "sekisho.errors"} == ours
    assert not {"importlib.metadata", "json", "dataclasses", "subprocess", "asyncio"} & set(result.stdout.split())
