from __future__ import annotations

import pytest

from sekisho.interface.prefix import namespace_of
from sekisho.policy.lines import Fault
from sekisho.policy.model import Policy


@pytest.mark.parametrize(
    ("line", "name", "rest"),
    [
        ("path_group G /a", "<kernel>", "path_group G /a"),
        ("<x> 1-COMMENT=<y> z", "<x>", "1-COMMENT=<y> z"),
        ("", "<kernel>", ""),
    ],
)
def test_whose_line_it_is(line: str, name: str, rest: str) -> None:
    policy = Policy()
    namespace, found = namespace_of(policy, line)

    assert (name, rest) == (namespace.name, found)
    assert policy.namespaces[name] is namespace


@pytest.mark.parametrize("line", ["<x>", "<", "<> a", "<x a", "<x\\y> a"])
def test_what_names_none(line: str) -> None:
    policy = Policy()
    with pytest.raises(Fault):
        namespace_of(policy, line)

    assert list(policy.namespaces) == ["<kernel>"]
