from __future__ import annotations

import pytest

from sekisho.learn.template import TemplateError, parse_template


def laid(pattern: str, name: str, *, by_chance: bool = False) -> str:
    components, taken = name.split("/"), set[int]()
    parse_template(pattern, by_chance=by_chance).lay(components, taken)
    return "/".join(components)


@pytest.mark.parametrize(
    ("pattern", "name", "written"),
    [
        ("sed\\?\\?", "/a/sedX1/b/sedY2", "/a/sed\\?\\?/b/sed\\?\\?"),
        ("sed\\?\\?", "sedX1", "sed\\?\\?"),
        ("sed\\?\\?", "/a/sedX", "/a/sedX"),
        ("sed\\?\\?", "/a/sedX.", "/a/sedX."),
        ("/tmp/t\\$", "/tmp/t12/t34", "/tmp/t\\$/t34"),
        ("/tmp/t\\$", "/x/tmp/t12", "/x/tmp/t12"),
        ("proc:/\\$", "proc:/12/stat", "proc:/\\$/stat"),
        ("proc:/\\$", "/proc:/12", "/proc:/12"),
        ("pipe:[\\$]", "pipe:[77]", "pipe:[\\$]"),
        ("d\\x/", "/a/d1", "/a/d1"),
        ("d\\x/", "/a/d1/", "/a/d\\x/"),
        ("d\\x/", "/a/d1/f", "/a/d\\x/f"),
        ("a/b\\+/c", "/a/b1/c", "/a/b\\+/c"),
        ("\\*.\\$", "/a\\040b.12", "/a\\040b.\\$"),
        ("\\@.\\$", "/a.b.12", "/a.b.12"),
        ("x\\a\\A\\X", "/xabcff", "/x\\a\\A\\X"),
        ("(a|b)\\?", "/(a|b)c", "/(a|b)\\?"),
        ("\\040\\?", "/\\040a", "/\\040\\?"),
    ],
)
def test_components_are_covered_whole(pattern: str, name: str, written: str) -> None:
    assert written == laid(pattern, name)


@pytest.mark.parametrize(("name", "found"), [("/tmp/reports", False), ("/tmp/rAb12x", True), ("/tmp/rEports", True)])
def test_chance_needs_a_digit_or_a_capital(name: str, found: bool) -> None:
    assert (laid("/tmp/\\*\\?\\?\\?\\?\\?\\?", name, by_chance=True) != name) is found


def test_a_component_taken_stays() -> None:
    components, taken = ["", "a12"], {1}
    parse_template("a\\$", by_chance=False).lay(components, taken)

    assert components == ["", "a12"]


@pytest.mark.parametrize(
    ("pattern", "offset", "message"),
    [
        ("plain", 0, "would leave names as they are"),
        ("/tmp/\\*", 0, "would leave names as they are"),
        ("/tmp/\\A", 5, "would open a whole directory"),
        ("/t/a\\$\\-b", 6, "\\- has no meaning in a rewrite rule"),
        ("/\\{a\\$\\}/", 1, "\\{ has no meaning in a rewrite rule"),
        ("a\\q\\$", 0, "not a correct name or pattern"),
    ],
)
def test_templates_that_cannot_be_used(pattern: str, offset: int, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(pattern, by_chance=False)

    assert offset == caught.value.offset
    assert message in caught.value.message
