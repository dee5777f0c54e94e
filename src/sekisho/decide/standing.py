"""Entries that no request asks for: they stand by, and the first whose conditions hold takes effect by itself.

These are ``task auto_domain_transition`` and the execute handlers (spec c.4). They hold in every mode.
"""

from __future__ import annotations

from sekisho.decide.request import Facts
from sekisho.decide.view import view_of
from sekisho.policy.grammar import Operation
from sekisho.policy.model import AclEntry, Domain, Policy


def has_standing(policy: Policy, domain: Domain, operation: Operation) -> bool:
    """Whether ``domain``, or an acl_group it uses, has an entry for ``operation`` at all; it takes no time to say."""
    keyword = operation.keyword
    for index in view_of(policy, domain).indexes:
        table = index.tables.get(keyword)
        if table is not None and table.count:
            return True
    return False


def standing_entry(policy: Policy, domain: Domain, operation: Operation, facts: Facts) -> AclEntry | None:
    """The first entry for ``operation`` whose conditions hold: the domain's own first, then its groups' in order."""
    view = view_of(policy, domain)
    for index in view.indexes:
        table = index.tables.get(operation.keyword)
        for slot in table.ordered() if table is not None else ():
            if all(clause(facts, view.namespace) for clause in slot.clauses):
                return slot.entry
    return None
