"""The access control rule of the system: what policy says of a request (spec a.5, a.6).

The domain's own entries are asked in their order, then those of each acl_group it uses in ascending number; the
first whose operation, operands and conditions all fit grants. Where none does, the mode says what follows.
"""

from __future__ import annotations

from functools import lru_cache

from sekisho.decide.decision import Decision
from sekisho.decide.request import Request
from sekisho.decide.table import Slot, matched_text, matching_text
from sekisho.decide.view import View, view_of
from sekisho.policy.model import Config, Domain, Mode, Policy

__all__ = ["Decision", "decide"]


def decide(policy: Policy, domain: Domain, request: Request) -> Decision:
    """What ``policy`` says when a task in ``domain`` makes ``request``."""
    view = view_of(policy, domain)
    operation = request.operation
    config = view.config(operation.profile, domain)
    keyword = operation.keyword
    if config.mode is Mode.DISABLED and keyword != "file execute":
        return _refusal(config, True)
    for index in view.indexes:
        table = index.tables.get(keyword)
        if table is None:
            continue
        # By far the most frequent: an exact entry without a condition, and nothing before it that could grant.
        slot = table.exact.get(table.key(request))
        if slot is None:
            if not table.scattered:
                continue
        elif not slot.clauses and slot.serial < table.scattered_from:
            return slot.decision if slot.decision and slot.config is config else _grant(view, slot, config, request)
        return _search(view, keyword, config, request)
    return _refuse(view, keyword, config, request, True)


def _search(view: View, keyword: str, config: Config, request: Request) -> Decision:
    """The decision when conditions, patterns and groups have to be looked at."""
    namespace = view.namespace
    cacheable = True
    for index in view.indexes:
        table = index.tables.get(keyword)
        if table is None:
            continue
        for slot in table.candidates(request):
            if slot.tests and not slot.fits(request, namespace):
                continue
            if slot.clauses:
                cacheable = False
                if not slot.holds(request, namespace):
                    continue
            if not cacheable:
                return _decision(view, slot, config, request, cacheable=False)
            return _grant(view, slot, config, request)
    return _refuse(view, keyword, config, request, cacheable)


def _grant(view: View, slot: Slot, config: Config, request: Request) -> Decision:
    """A grant that rests on no condition, remembered with its entry for the next time."""
    if slot.config is not config:
        slot.config, slot.decision, slot.members = config, None, {}
    if len(request.arguments) != 1 or slot.entry.operands[0].group is None:
        if slot.decision is None:
            slot.decision = _decision(view, slot, config, request, cacheable=True)
        return slot.decision
    member = matching_text(slot, str(request.arguments[0]), view.namespace) or ""
    decision = slot.members.get(member)
    if decision is None:
        decision = slot.members[member] = _decision(view, slot, config, request, cacheable=True)
    return decision


def _decision(view: View, slot: Slot, config: Config, request: Request, *, cacheable: bool) -> Decision:
    entry = slot.entry
    arguments = request.arguments
    matched = matching_text(slot, str(arguments[0]), view.namespace) if len(arguments) == 1 else None
    logged = config.grant_log if entry.grant_log is None else entry.grant_log
    logged = logged and config.mode is not Mode.DISABLED
    return Decision(True, config.mode, entry, matched, logged, False, cacheable and entry.transition is None)


def _refuse(view: View, keyword: str, config: Config, request: Request, cacheable: bool) -> Decision:
    if keyword != "file execute":
        return _refusal(config, cacheable)
    matched = None
    for index in view.indexes:
        table = index.tables.get(keyword)
        if table is not None and table.last is not None:
            # The kernel leaves behind what it found on comparing the last entry, whether its condition held or not.
            matched = matched_text(table.last, str(request.arguments[0]), view.namespace)
    if matched is None:
        return _refusal(config, cacheable)
    rejected = config.reject_log and config.mode is not Mode.DISABLED
    return Decision(False, config.mode, None, matched, False, rejected, cacheable)


@lru_cache(maxsize=64)
def _refusal(config: Config, cacheable: bool) -> Decision:
    rejected = config.reject_log and config.mode is not Mode.DISABLED
    return Decision(False, config.mode, None, None, False, rejected, cacheable)
