"""Any name and pattern: the matcher says what the rules, read as plainly as possible, say."""

from __future__ import annotations

from tests.names import reference

from sekisho.names.components import OPERATORS, literal_prefix, split_components
from sekisho.names.direct import rest_matcher
from sekisho.names.pattern import Pattern, is_pattern
from sekisho.names.word import decode, encode, is_correct_word, units

WORDS = (
    "\\*",
    "\\@",
    "\\?",
    "\\$",
    "\\+",
    "\\X",
    "\\x",
    "\\A",
    "\\a",
    "\\-",
    "/\\{",
    "\\}/",
    "\\040",
    "\\\\",
    "\n",
    "/a/",
)
SEEDS = (
    b"/tmp/a b.txt\n/tmp/\\*.txt", b"/a/b/c\n/\\{\\@\\-c\\}/\\*", b"/x/x/1\n/\\{x\\}/\\$", b"/aab\n/\\*a\\*\\-\\*a\\@b",
    b"proc:/self/fd/1\nproc:/self/fd/\\$", b"/tmp/ab\n/tmp/ab\\*\\-c",
)  # fmt: skip
_LONGEST = 24
_MOST = 5
"""The plain reading tries every length of every operator: of longer names and more operators it isn't asked."""


_VARIABLE = {unit for unit, (_, many) in OPERATORS.items() if many} | {"\\{"}


def one(data: bytes) -> None:
    """A name of any bytes, a line end, a pattern."""
    raw, _, written = data.partition(b"\n")
    name, pattern = encode(raw), written.decode("latin-1")
    assert decode(name) == raw
    if not is_correct_word(pattern):
        return
    expected = Pattern(pattern).matches(name)
    variable = sum(unit in _VARIABLE for unit in units(pattern))
    if len(raw) <= _LONGEST and len(pattern) <= 2 * _LONGEST and variable <= _MOST:
        assert reference.matches(name, pattern) is expected, (name, pattern)
    prefix = literal_prefix(pattern)
    if is_pattern(pattern) and name.startswith(prefix) and name.endswith("/") is pattern.endswith("/"):
        matches = rest_matcher(split_components(pattern[len(prefix) :]))
        assert matches(name[len(prefix) :]) is expected, (name, pattern)
