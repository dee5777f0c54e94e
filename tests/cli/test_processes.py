from __future__ import annotations

import pytest

from sekisho.cli.processes import ProcessLine, lineage, parse_line, read_processes


class Given:
    """An interface whose every file reads ``text``, in pieces."""

    def __init__(self, text: str) -> None:
        self.pieces = [text[at : at + 7].encode() for at in range(0, len(text), 7)]
        self.closed = False

    def open(self, name: str, **_: object) -> Given:
        assert ".tree" == name
        return self

    def read(self, size: int) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("line", "process"),
    [
        ("12 1 3 enforcing - <kernel> /bin/sh /bin/ls", ProcessLine(12, 1, 3, "enforcing", "<kernel> /bin/sh /bin/ls")),
        ("12 1 0 disabled handler <kernel>", ProcessLine(12, 1, 0, "disabled", "<kernel>", handler=True)),
        ("12 1 0 disabled Q7 <kernel>", ProcessLine(12, 1, 0, "disabled", "<kernel>", waiting=7)),
        ("12 1 0 disabled handler,Q7 <kernel>", ProcessLine(12, 1, 0, "disabled", "<kernel>", handler=True, waiting=7)),
    ],
)
def test_a_line(line: str, process: ProcessLine) -> None:
    assert process == parse_line(line)


def test_all_of_them() -> None:
    given = Given("12 1 3 learning - <kernel> /a\n13 12 3 learning - <kernel> /a /b\n")
    found = read_processes(given)  # type: ignore[arg-type]
    assert [12, 13] == [line.pid for line in found]
    assert given.closed


def test_lineage_goes_up_to_where_the_tree_begins() -> None:
    texts = (f"{pid} {parent} 0 disabled - <kernel>" for pid, parent in ((2, 1), (3, 2), (4, 3), (5, 2)))
    lines = [parse_line(text) for text in texts]
    assert [2, 3, 4] == [line.pid for line in lineage(lines, 4)]
    assert [] == lineage(lines, 9)


def test_lineage_ends_even_in_a_circle() -> None:
    lines = [parse_line(text) for text in ("2 3 0 disabled - <kernel>", "3 2 0 disabled - <kernel>")]
    assert [3, 2] == [line.pid for line in lineage(lines, 2)]
