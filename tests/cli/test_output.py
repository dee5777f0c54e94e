from __future__ import annotations

import io

import pytest

from sekisho.cli.output import Colour, coloured, print_json, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_columns_are_aligned() -> None:
    assert ["a    1", "bcd  22"] == table([["a", "1"], ["bcd", "22"]])
    assert [] == table([])


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "é"})

    assert '{\n  "name": "\\u00e9"\n}\n' == capsys.readouterr().out


@pytest.mark.parametrize(
    ("environment", "stream", "expected"),
    [
        ({"TERM": "xterm"}, Terminal(), "\x1b[31mno\x1b[0m"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Terminal(), "no"),
        ({"TERM": "dumb"}, Terminal(), "no"),
        ({"TERM": "xterm"}, io.StringIO(), "no"),
    ],
)
def test_colour_only_where_wanted(
    environment: dict[str, str], stream: io.StringIO, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert expected == coloured("no", Colour.BAD, stream)
