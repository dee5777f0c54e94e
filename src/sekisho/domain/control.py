"""Transition control: which of the six directives decides where an executed program goes (spec a.3, step 6)."""

from __future__ import annotations

from typing import Final

from sekisho.policy.model import Namespace

_PAIRS: Final = (
    ("no_reset_domain", "reset_domain"),
    ("no_initialize_domain", "initialize_domain"),
    ("no_keep_domain", "keep_domain"),
)
"""In the order they are tried: a match of the first keyword skips the second."""


def transition_kind(namespace: Namespace, domain_name: str, program: str) -> str | None:
    """``reset_domain``, ``initialize_domain``, ``keep_domain``, or None for a child domain.

    Programs and domains are compared as text: a pattern in a directive is nothing but its own text.
    """
    last = domain_name.rpartition(" ")[2]
    kinds = {
        control.kind
        for control in namespace.transitions
        if control.program in (None, program) and control.domain in (None, domain_name, last)
    }
    if not kinds:
        return None
    for negative, positive in _PAIRS:
        if negative not in kinds and positive in kinds:
            return positive
    return None
