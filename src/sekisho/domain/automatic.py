"""Transitions that nobody asks for: by condition on every access, by an entry that has granted (spec c.4).

They hold in every mode. An engine kills whoever can't be had where it has to be: it may not go on where it was.
"""

from __future__ import annotations

from typing import Final

from sekisho.decide.request import Facts
from sekisho.decide.standing import has_standing, standing_entry
from sekisho.domain.transition import ManualTransition, assignable
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain, Policy

_AUTOMATIC: Final = OPERATIONS["task auto_domain_transition"]


def has_automatic(policy: Policy, domain: Domain) -> bool:
    """Whether ``domain`` has any ``task auto_domain_transition`` at all, its groups' included."""
    return has_standing(policy, domain, _AUTOMATIC)


def automatic_transition(policy: Policy, domain: Domain, facts: Facts) -> ManualTransition | None:
    """Where the first ``task auto_domain_transition`` whose conditions hold sends a task in ``domain``, if it moves."""
    entry = standing_entry(policy, domain, _AUTOMATIC, facts)
    if entry is None or policy.domains.get(entry.operands[0].text) is domain:
        return None
    return _to(policy, domain, entry.operands[0].text)


def entry_transition(policy: Policy, domain: Domain, text: str) -> ManualTransition:
    """Where ``auto_domain_transition="text"`` of an entry sends the task in ``domain`` that it granted something.

    A pathname stands for the child domain of that name.
    """
    return _to(policy, domain, text if text.startswith("<") else f"{domain.name} {text}")


def _to(policy: Policy, domain: Domain, name: str) -> ManualTransition:
    usable, creates = assignable(policy, domain, name)
    return ManualTransition(name, creates, None if usable else "ENOENT")
