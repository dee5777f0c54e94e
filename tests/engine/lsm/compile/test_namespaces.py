"""Control directives as keys, and aggregators as a list; what they mean is tested with the walk."""

from __future__ import annotations

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.interning import Ids
from sekisho.engine.lsm.compile.namespaces import aggregators, controls
from sekisho.engine.lsm.compile.regions import Cells
from sekisho.policy.model import Namespace, TransitionControl


def test_directives_about_the_same_share_a_key() -> None:
    ids = Ids()
    lines = [("keep_domain", None, None), ("no_keep_domain", None, None), ("reset_domain", "/a", "/b")]
    lines += [("initialize_domain", "/a", "<kernel> /b"), ("keep_domain", "/" + "a" * 5000, None)]
    made = controls(Namespace("<kernel>", transitions=[TransitionControl(*line) for line in lines]), ids)

    a, b = ids.name(b"/a", layout.SPACE_NAME), ids.name(b"/b", layout.SPACE_NAME)
    bits = layout.CONTROL_BITS
    assert {
        (0, 0): bits["keep_domain"] | bits["no_keep_domain"],
        (a, layout.CONTROL_LAST | b): bits["reset_domain"],
        (a, ids.domain("<kernel> /b")): bits["initialize_domain"],
    } == made


def test_the_first_aggregator_names_a_program() -> None:
    ids = Ids()
    pairs = [("/b", "/1"), (r"/\*", "/2"), ("/a", "/3"), ("/b", "/4"), (f"/{'a' * 5000}", "/5")]
    made = aggregators(Namespace("<kernel>", aggregators=pairs), ids, Cells())

    one, two = ids.name(b"/1", layout.SPACE_NAME), ids.name(b"/2", layout.SPACE_NAME)
    assert {
        ids.name(b"/b", layout.SPACE_NAME): one,
        ids.name(b"/a", layout.SPACE_NAME): two,
        layout.FOUND_ACCEPT | 1: two,
    } == {operand: found.last for operand, found in made.found.items()}
    assert made.header.automaton == made.origins[0] + 1
