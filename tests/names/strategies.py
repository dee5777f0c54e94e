"""Names and patterns for properties, from an alphabet small enough that they often match."""

from hypothesis import strategies as st

from sekisho.names.word import is_correct_word, units

_LITERALS = ["a", "b", "1", ".", "\\040", "\\\\", "F"]
_OPERATORS = ["\\*", "\\@", "\\?", "\\$", "\\+", "\\X", "\\x", "\\A", "\\a"]

component = st.lists(st.sampled_from(_LITERALS), max_size=5).map("".join)
pattern_component = st.lists(st.sampled_from(_LITERALS * 2 + _OPERATORS * 2 + ["\\-"]), max_size=6).map("".join)
repetition = pattern_component.map(lambda inner: f"\\{{{inner}\\}}")

names = st.lists(component, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
"""Names that begin with a slash; some end in one, some have two in a row."""

_ends = st.sampled_from(["", "\\*", "\\@", "\\*\\@", "a"])
patterns = st.builds(
    lambda parts, end: "/" + "/".join([*parts, end]),
    st.lists(pattern_component | repetition | st.sampled_from(["\\*", "\\@"]), min_size=0, max_size=4),
    pattern_component | _ends,
).filter(is_correct_word)
"""Correct words that begin with a slash and usually hold operators."""

raw_names = st.binary(max_size=12)
"""File names as the system has them, any bytes."""


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    """A name, and a pattern made of it by putting operators in place of characters, so that many match."""
    name = draw(names)
    parts = []
    for part in name[1:].split("/"):
        text = "".join(
            draw(st.sampled_from([unit, unit, *_OPERATORS, unit + "\\*", "\\@" + unit]))
            for unit in units(part)
            if draw(st.integers(0, 7))
        )
        text += draw(st.sampled_from(["", "", "\\-" + part, "\\*", "\\*\\-b\\-\\$"]))
        parts.append(draw(st.sampled_from([text, text, "\\*", f"\\{{{text}\\}}"])))
        if parts[-1].startswith("\\{") and draw(st.booleans()):
            parts.append("\\*")
    pattern = "/" + "/".join(parts) + draw(st.sampled_from(["", "", "/\\*", "\\@"]))
    return name, pattern if is_correct_word(pattern) else "/\\*"
