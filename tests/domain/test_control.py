"""Transition control: the order in which the six directives are tried, and how they are compared."""

from __future__ import annotations

import pytest

from sekisho.domain.control import transition_kind
from sekisho.policy.model import Namespace, Policy
from sekisho.policy.parser import parse_exception_policy

SSHD = "<kernel> /usr/sbin/sshd"


def namespace(*lines: str) -> Namespace:
    policy = Policy()
    parse_exception_policy("".join(f"{line}\n" for line in lines), policy)
    return policy.namespaces["<kernel>"]


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ([], None),
        (["initialize_domain /bin/sh from any"], "initialize_domain"),
        (["keep_domain /bin/sh from any"], "keep_domain"),
        (["reset_domain /bin/sh from any"], "reset_domain"),
        (["keep_domain any from any", "initialize_domain /bin/sh from any"], "initialize_domain"),
        (["initialize_domain any from any", "reset_domain any from any"], "reset_domain"),
        (["no_initialize_domain /bin/sh from any", "initialize_domain /bin/sh from any"], None),
        (["initialize_domain /bin/sh from any", "no_initialize_domain /bin/sh from any", "keep_domain any from any"],
         "keep_domain"),
        (["no_reset_domain any from any", "reset_domain any from any", "initialize_domain any from any"],
         "initialize_domain"),
        (["no_reset_domain any from any", "reset_domain any from any"], None),
        (["no_keep_domain /bin/sh from any", "keep_domain any from any"], None),
        (["no_keep_domain any from any", "initialize_domain any from any"], "initialize_domain"),
        (["initialize_domain /bin/bash from any"], None),
        (["initialize_domain /bin/\\* from any"], None),
        ([f"initialize_domain any from {SSHD}"], "initialize_domain"),
        (["initialize_domain any from /usr/sbin/sshd"], "initialize_domain"),
        (["initialize_domain any from /usr/sbin"], None),
        (["initialize_domain any from <kernel>"], None),
    ],
)  # fmt: skip
def test_the_first_kind_that_matches_decides(lines: list[str], kind: str | None) -> None:
    assert kind == transition_kind(namespace(*lines), SSHD, "/bin/sh")


def test_a_pattern_is_equal_to_itself() -> None:
    made = namespace("initialize_domain /bin/\\* from any")

    assert transition_kind(made, SSHD, "/bin/\\*") == "initialize_domain"


def test_a_bare_namespace_is_its_own_last_component() -> None:
    assert transition_kind(namespace("keep_domain any from <kernel>"), "<kernel>", "/bin/sh") == "keep_domain"
