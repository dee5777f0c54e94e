"""A decision in sentences, for people."""

from __future__ import annotations

from sekisho.decide.conditions import compile_condition
from sekisho.decide.decision import Decision
from sekisho.decide.request import Request
from sekisho.decide.text import request_text
from sekisho.decide.view import View, view_of
from sekisho.policy.model import AclEntry, Domain, Mode, Policy
from sekisho.policy.printer import print_acl

_OUTCOME = {
    Mode.LEARNING: "Learning mode allows it and adds it to the policy.",
    Mode.PERMISSIVE: "Permissive mode allows it and records it.",
    Mode.ENFORCING: "Enforcing mode refuses it.",
}


def missing_line(request: Request) -> str:
    """The entry that would grant just this request."""
    return request_text(request)


def explain(policy: Policy, domain: Domain, request: Request, decision: Decision) -> list[str]:
    """Why ``decision`` is the answer to ``request`` in ``domain``, a sentence each; the missing line comes last."""
    view = view_of(policy, domain)
    operation = request.operation.profile
    if decision.granted and decision.entry is not None:
        return [f"Granted by '{print_acl(decision.entry)}' of {_holder(view, domain, decision.entry)}."]
    if decision.mode is Mode.DISABLED:
        if domain.profile not in view.namespace.profiles:
            return [f"Not checked: profile {domain.profile} of {domain.name} isn't defined."]
        return [f"Not checked: profile {domain.profile} of {domain.name} disables {operation}."]
    searched = [domain.name, *(f"acl_group {number}" for number in sorted(domain.groups))]
    return [
        f"No entry of {', '.join(searched)} grants it.",
        *_near_misses(view, request),
        _OUTCOME[decision.mode],
        f"Missing: {missing_line(request)}",
    ]


def _holder(view: View, domain: Domain, entry: AclEntry) -> str:
    if any(own is entry for own in domain.entries):
        return domain.name
    for number in sorted(domain.groups):
        group = view.namespace.acl_groups.get(number)
        if group is not None and any(member is entry for member in group.entries):
            return f"acl_group {number}"
    return domain.name


def _near_misses(view: View, request: Request) -> list[str]:
    """What would have been granted but for a condition."""
    sentences = []
    for index in view.indexes:
        table = index.tables.get(request.operation.keyword)
        for slot in table.candidates(request) if table is not None else ():
            if not slot.fits(request, view.namespace):
                continue
            failed = next(
                (
                    condition.text
                    for condition in slot.entry.conditions
                    if not compile_condition(condition)(request.facts, view.namespace)
                ),
                None,
            )
            if failed is not None:
                sentences.append(f"'{print_acl(slot.entry)}' would, but {failed} doesn't hold.")
    return sentences
