"""Policy into its canonical text, which the parser reads back as the same policy.

Operations stand in the grammar's order, numbers in the radix they were written in, everything else in order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import AclEntry, Config, Domain, Namespace, Policy
from sekisho.policy.parse_manager import NON_ROOT
from sekisho.policy.parse_profile import CONFIG_NAMES, one_line

_EXECUTE: Final = OPERATIONS["file execute"]


def print_acl(entry: AclEntry) -> str:
    """The entry as one line, without a line end."""
    operations = entry.operations
    words = [operations[0].keyword]
    if len(operations) > 1:
        words[0] += "".join("/" + operation.keyword.rpartition(" ")[2] for operation in operations[1:])
    words.extend([operand.text for operand in entry.operands])
    if entry.preference is not None:
        words.append(entry.preference)
    if entry.conditions:
        words.extend([condition.text for condition in entry.conditions])
    if entry.grant_log is not None:
        words.append(f"grant_log={_yes_no(entry.grant_log)}")
    if entry.transition is not None:
        words.append(f'auto_domain_transition="{entry.transition}"')
    return " ".join(words)


def transition_entries(entries: Iterable[AclEntry]) -> Iterator[AclEntry]:
    """What of ``entries`` has to do with domain transitions: ``file execute`` (nothing merged with it) and ``task``."""
    for entry in entries:
        if _EXECUTE in entry.operations:
            yield replace(entry, operations=(_EXECUTE,))
        elif entry.operations[0].category == "task":
            yield entry


def print_domain(domain: Domain, *, transition_only: bool = False) -> str:
    """The domain as the kernel lists it: name, profile, flags, groups, a blank line, entries, a blank line.

    ``transition_only``, here and below, leaves only entries that have to do with domain transitions (spec g.3).
    """
    lines = [domain.name, f"use_profile {domain.profile}"]
    if domain.quota_exceeded:
        lines.append("quota_exceeded")
    if domain.transition_failed:
        lines.append("transition_failed")
    lines.extend(f"use_group {number}" for number in sorted(domain.groups))
    lines.append("")
    lines.extend(map(print_acl, _shown(domain, transition_only)))
    lines.append("")
    return _text(lines)


def print_domain_policy(policy: Policy, *, transition_only: bool = False) -> str:
    """Every domain that isn't deleted, in order of creation."""
    domains = [domain for domain in policy.domains.values() if not domain.deleted]
    return "".join(print_domain(domain, transition_only=transition_only) for domain in domains)


def print_exception_policy(policy: Policy, *, transition_only: bool = False) -> str:
    """The exception policy of every namespace."""
    return _text(_prefixed(policy, partial(_exceptions, transition_only=transition_only)))


def print_profile(policy: Policy) -> str:
    """The profiles of every namespace."""
    return _text(_prefixed(policy, _profiles))


def print_manager(policy: Policy) -> str:
    """The managers; first, unlike the kernel which keeps it to itself, whether others than root may be one."""
    return _text([NON_ROOT] * policy.manage_by_non_root + policy.managers)


def _shown(holder: Domain, transition_only: bool) -> Iterable[AclEntry]:
    return transition_entries(holder.entries) if transition_only else holder.entries


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _prefixed(policy: Policy, print_namespace: Callable[[Namespace], Iterator[str]]) -> Iterator[str]:
    """The lines of every namespace; each line names it as soon as there is more than ``<kernel>``."""
    is_alone = len(policy.namespaces) == 1
    for namespace in policy.namespaces.values():
        prefix = "" if is_alone and namespace.name == "<kernel>" else f"{namespace.name} "
        for line in print_namespace(namespace):
            yield prefix + line


def _exceptions(namespace: Namespace, *, transition_only: bool) -> Iterator[str]:
    for control in namespace.transitions:
        yield f"{control.kind} {control.program or 'any'} from {control.domain or 'any'}"
    for pattern, name in namespace.aggregators:
        yield f"aggregator {pattern} {name}"
    for keyword, groups in (
        ("path_group", namespace.path_groups),
        ("number_group", namespace.number_groups),
        ("address_group", namespace.address_groups),
    ):
        for group, members in groups.items():
            for member in members:
                yield f"{keyword} {group} {member.text}"
    for ports in namespace.denied_ports:
        yield f"deny_autobind {ports.text}"
    for number, holder in sorted(namespace.acl_groups.items()):
        for entry in _shown(holder, transition_only):
            yield f"acl_group {number} {print_acl(entry)}"


def _profiles(namespace: Namespace) -> Iterator[str]:
    yield f"PROFILE_VERSION={namespace.profile_version}"
    for number, profile in sorted(namespace.profiles.items()):
        yield f"{number}-COMMENT={one_line(profile.comment)}"
        penalty = f"enforcing_penalty={profile.enforcing_penalty} " if profile.enforcing_penalty else ""
        yield (
            f"{number}-PREFERENCE={{ max_audit_log={profile.max_audit_log} "
            f"max_learning_entry={profile.max_learning_entry} {penalty}}}"
        )
        yield f"{number}-CONFIG={_config(profile.configs[''])}"
        for name in CONFIG_NAMES:
            config = profile.configs.get(name)
            if config is not None:
                yield f"{number}-CONFIG::{name}={_config(config)}"


def _config(config: Config) -> str:
    return (
        f"{{ mode={config.mode.word} grant_log={_yes_no(config.grant_log)} reject_log={_yes_no(config.reject_log)} }}"
    )


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
