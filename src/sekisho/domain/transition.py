"""Which domain a program runs in: the execve algorithm (spec a.3) and the manual transition (spec a.4).

Planning has no side effects, so that an engine may plan, ask, wait and plan again; ``enter`` makes the plan true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sekisho.decide.decision import Decision
from sekisho.decide.evaluate import decide
from sekisho.decide.request import Facts, Request
from sekisho.domain.control import transition_kind
from sekisho.names.pattern import compile_pattern
from sekisho.names.word import is_correct_domain
from sekisho.policy.edit import ensure_domain
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain, Mode, Namespace, Policy

_EXECUTE: Final = OPERATIONS["file execute"]
_MANUAL: Final = OPERATIONS["task manual_domain_transition"]
_LENGTH: Final = 4086
"""A domain name must be shorter than this."""


@dataclass(frozen=True, slots=True)
class ExecutionPlan:
    """What executing a program comes to.

    ``decision`` answers ``request``, the execute check; when it isn't allowed nothing else of the plan takes place.
    ``candidate`` is the program as domain names and transition control see it. ``destination`` is the domain to run
    in, None for the current one; ``creates`` means that it doesn't exist yet. ``failure`` is the errno's name with
    which execve fails because the destination can't be had. ``transition_failed`` means that the program runs
    in the current domain because its own can't be had. ``message`` is the kernel's log line for either, else "".
    """

    candidate: str
    decision: Decision
    destination: str | None
    creates: bool
    failure: str | None
    transition_failed: bool
    request: Request
    message: str = ""


@dataclass(frozen=True, slots=True)
class ManualTransition:
    """What writing a domain name to ``self_domain`` comes to: ``failure`` is an errno's name, or None."""

    destination: str
    creates: bool
    failure: str | None


def aggregate(namespace: Namespace, exename: str) -> str:
    """The name that the first matching ``aggregator`` gives the program, else its own."""
    for pattern, name in namespace.aggregators:
        if compile_pattern(pattern).matches(exename):
            return name
    return exename


def plan_execution(policy: Policy, domain: Domain, exename: str, facts: Facts) -> ExecutionPlan:
    """Plans the execution of ``exename`` by a task in ``domain``.

    An entry learned meanwhile may give the program another name: an engine that learns plans again afterwards.
    """
    namespace = policy.namespaces[domain.namespace]
    name = aggregate(namespace, exename)
    request = Request(_EXECUTE, (name,), facts)
    return plan_destination(policy, domain, request, decide(policy, domain, request))


def plan_destination(policy: Policy, domain: Domain, request: Request, decision: Decision) -> ExecutionPlan:
    """Plans where the program goes whose execution ``request`` asks for, ``decision`` being the answer."""
    candidate = decision.matched or str(request.arguments[0])
    preference = decision.entry.preference if decision.entry is not None else None
    if preference is not None:
        destination = _preferred(domain, candidate, preference)
        must_succeed = True
    else:
        kind = transition_kind(policy.namespaces[domain.namespace], domain.name, candidate)
        destination = _controlled(domain, candidate, kind)
        must_succeed = kind == "reset_domain"
    if destination is None:
        return ExecutionPlan(candidate, decision, None, False, None, False, request)
    usable, creates = assignable(policy, domain, destination)
    if usable:
        return ExecutionPlan(candidate, decision, destination, creates, None, False, request)
    if must_succeed:
        message = f"ERROR: Domain '{destination}' not ready."
        return ExecutionPlan(candidate, decision, None, False, "ENOMEM", False, request, message)
    if decision.mode is Mode.ENFORCING:
        return ExecutionPlan(candidate, decision, None, False, "ENOMEM", False, request)
    message = "" if domain.transition_failed else f"ERROR: Domain '{destination}' not defined."
    return ExecutionPlan(candidate, decision, None, False, None, True, request, message)


def _preferred(domain: Domain, candidate: str, preference: str) -> str | None:
    """Where a transition preference leads; None means to stay."""
    if preference == "keep":
        return None
    if preference == "parent":
        return domain.name.rpartition(" ")[0] or domain.name
    if preference.startswith("<"):
        return preference
    destinations = {
        "child": f"{domain.name} {candidate}",
        "initialize": f"{domain.namespace} {candidate}",
        "reset": f"<{candidate}>",
    }
    return destinations.get(preference, f"{domain.name} {preference}")


def _controlled(domain: Domain, candidate: str, kind: str | None) -> str | None:
    """Where transition control leads; None means to stay."""
    if kind == "keep_domain":
        return None
    if kind == "reset_domain":
        return f"<{candidate}>"
    if kind == "initialize_domain":
        return f"{domain.namespace} {candidate}"
    return f"{domain.name} {candidate}"


def assignable(policy: Policy, domain: Domain, name: str) -> tuple[bool, bool]:
    """Whether a task may move from ``domain`` to the domain ``name``, and whether that has to be created."""
    existing = policy.domains.get(name)
    if existing is not None and not existing.deleted:
        namespace = policy.namespaces.get(existing.namespace)
        return namespace is not None and existing.profile in namespace.profiles, False
    # Other namespaces may mean something else by the same numbers of profiles and groups: never create across.
    valid = len(name) < _LENGTH and is_correct_domain(name) and name.partition(" ")[0] == domain.namespace
    return valid, valid


def enter(policy: Policy, plan: ExecutionPlan | ManualTransition, domain: Domain) -> Domain:
    """The domain that the planned transition leads to from ``domain``; it exists afterwards.

    A domain made here has the profile and groups of ``domain`` as they are now.
    """
    if isinstance(plan, ExecutionPlan) and plan.transition_failed and not domain.transition_failed:
        domain.transition_failed = True
        domain.generation += 1
    if plan.destination is None or plan.failure is not None:
        return domain
    existing = policy.domains.get(plan.destination)
    if existing is not None and not existing.deleted:
        return existing
    created = ensure_domain(policy, plan.destination)
    created.profile, created.chosen = domain.profile, domain.chosen
    created.groups = set(domain.groups)
    created.generation += 1
    return created


def creation_lines(domain: Domain) -> list[str]:
    """What the audit log says, in the name of a domain just created: its profile, and each group it uses."""
    return [f"use_profile {domain.profile}", *(f"use_group {group}" for group in sorted(domain.groups))]


def plan_manual_transition(policy: Policy, domain: Domain, name: str, facts: Facts) -> ManualTransition:
    """Plans the move of a task in ``domain`` to the domain it names itself (spec a.4).

    This holds in every mode; nothing of it is learned or logged.
    """
    if not 0 < len(name) < _LENGTH:
        return ManualTransition(name, False, "ENOMEM")
    if not is_correct_domain(name):
        return ManualTransition(name, False, "EINVAL")
    if not decide(policy, domain, Request(_MANUAL, (name,), facts)).granted:
        return ManualTransition(name, False, "EPERM")
    usable, creates = assignable(policy, domain, name)
    return ManualTransition(name, creates, None if usable else "ENOENT")
