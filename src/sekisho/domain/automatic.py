"""Transitions that nobody asks for: by condition on every access, by an entry that has granted (TOMOYO 1.8)."""

from __future__ import annotations

from typing import Final

from sekisho.decide.request import Facts
from sekisho.decide.view import view_of
from sekisho.domain.transition import ManualTransition, assignable
from sekisho.policy.model import Domain, Policy

_KEYWORD: Final = "task auto_domain_transition"


def has_automatic(policy: Policy, domain: Domain) -> bool:
    """Whether ``domain`` has any ``task auto_domain_transition`` at all, its groups' included."""
    return any(_KEYWORD in index.tables for index in view_of(policy, domain).indexes)


def automatic_transition(policy: Policy, domain: Domain, facts: Facts) -> ManualTransition | None:
    """Where the first ``task auto_domain_transition`` whose condition holds sends a task in ``domain``."""
    view = view_of(policy, domain)
    for index in view.indexes:
        table = index.tables.get(_KEYWORD)
        for slot in table.slots() if table is not None else ():
            if slot.holds(facts, view.namespace):
                return _to(policy, domain, slot.entry.operands[0].text)
    return None


def entry_transition(policy: Policy, domain: Domain, text: str) -> ManualTransition:
    """Where ``auto_domain_transition="text"`` of an entry sends the task that the entry granted something."""
    return _to(policy, domain, text if text.startswith("<") else f"{domain.name} {text}")


def _to(policy: Policy, domain: Domain, name: str) -> ManualTransition:
    usable, creates = assignable(policy, domain, name)
    return ManualTransition(name, creates, None if usable else "ENOENT")
