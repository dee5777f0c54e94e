"""What the parser refuses is left out, and nothing falls to another domain."""

import pytest

from sekisho.convert.remark import Line, Remark
from sekisho.convert.settle import settled


def settle(text, kind="domain_policy"):
    remarks: list[Remark] = []
    lines = [Line(raw, number, raw.strip()) for number, raw in enumerate(text.split("\n"), 1)]
    return settled(kind, "f", lines, remarks), [(remark.line, remark.reason) for remark in remarks]


def test_correct_text_stays_as_it_is():
    text = "# c\n<kernel>\n use_profile  1\nfile  read /a\n"

    assert settle(text) == (text + "\n", [])


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("domain_policy", "<kernel>", "file raed /a"),
        ("exception_policy", "path_group G /a", "path_group G"),
        ("profile", "0-CONFIG={ mode=disabled }", "0-CONFIG={ mode=x }"),
        ("manager", "/a", "a"),
    ],
)
def test_each_kind_of_text(kind, good, bad):
    text, told = settle(f"{good}\n{bad}\n{good}", kind)

    assert text == f"{good}\n{good}\n"
    assert [line for line, _ in told] == [2]


def test_a_domain_whose_name_is_wrong_goes_with_all_its_lines():
    text, told = settle(
        "<kernel>\nfile read /a\n<kernel> b\nuse_profile 3\n\n# c\nfile read /b\n<kernel> /c\nfile read /c"
    )

    assert text == "<kernel>\nfile read /a\n\n# c\n<kernel> /c\nfile read /c\n"
    assert [line for line, _ in told] == [3, 4, 7]
    assert told[1][1] == "the line that names its domain is left out"


def test_selecting_what_is_not_there_takes_its_lines_along():
    text, told = settle("<kernel>\nselect <kernel> /a\nfile read /a\n<kernel>\nfile read /b")

    assert text == "<kernel>\n<kernel>\nfile read /b\n"
    assert [line for line, _ in told] == [2, 3]


def test_a_line_is_told_once_with_what_it_became():
    remarks: list[Remark] = []
    lines = [
        Line("<kernel> b", 1, "<kernel> b"),
        Line("use_group 0", 1, "<kernel> b"),
        Line("file raed /x", 2, "old /x"),
    ]
    settled("domain_policy", "f", lines, remarks)

    assert [remark.line for remark in remarks] == [1, 2]
    assert remarks[1].text == "old /x (today file raed /x)"
