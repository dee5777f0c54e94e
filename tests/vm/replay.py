"""Answers to batches (tests/vm/pairs.py) against what Sekisho's core says of the same policy and requests.

Who answers is the kernel's TOMOYO, or Sekisho's engine in the kernel, which tells neither what it has read of policy
nor all arguments and variables of a program.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sekisho.audit.record import format_text, make_notice, make_record
from sekisho.decide.decision import Decision
from sekisho.decide.evaluate import decide
from sekisho.decide.request import Execution, Facts, FileType, Inode, Request, Task
from sekisho.domain.transition import enter, plan_execution, plan_manual_transition
from sekisho.names.word import encode
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain, Policy
from sekisho.policy.parse_domain import parse_domain_policy
from sekisho.policy.parse_exception import parse_exception_policy
from sekisho.policy.parse_profile import parse_profile
from sekisho.policy.printer import print_acl, print_domain_policy, print_exception_policy


def differences(batch: dict[str, Any], answer: dict[str, Any]) -> Iterator[str]:
    """What is not said alike of ``batch``, as text for people."""
    policy = policy_of(batch)
    if "read_back" in answer:
        yield from read_back(policy, batch, answer)
    domain = policy.domains[batch["domain"]]
    before: set[tuple[Any, ...]] = set()
    for asked, answered in zip(batch["requests"], answer["answers"], strict=True):
        untold = (asked["operation"], *asked["words"]) in before and is_told_already(answered)
        before.add((asked["operation"], *asked["words"]))
        if not counts(asked, answered):
            continue
        found = unlike(policy, domain, batch, asked, answered, untold=untold)
        if found == "decided-by-another-protocol":
            yield found
        elif found:
            about = f"{batch['domain']}: {asked['operation']} {asked['words']}"
            yield f"{about}\n  kernel: {kernel_view(answered)}\n  {found}"


def counts(asked: dict[str, Any], answered: dict[str, Any]) -> bool:
    """Whether policy was asked; what failed before tells nothing."""
    return bool(answered["audit"]) or asked["operation"] == "task manual_domain_transition"


def is_told_already(answered: dict[str, Any]) -> bool:
    """
    Whether Sekisho's engine in the kernel told of a domain that it made, but not of the request: which is repeated
    then, since it tells of the same once a second.
    """
    return "by_name_only" in answered and all("\nuse_" in text for text in answered["audit"])


def policy_of(batch: dict[str, Any]) -> Policy:
    """The policy of ``batch`` as Sekisho reads it."""
    policy = Policy()
    parse_profile("".join(f"{line}\n" for line in batch["profile"]), policy)
    parse_exception_policy("".join(f"{line}\n" for line in batch["exception"]), policy)
    parse_domain_policy("".join(f"{line}\n" for line in batch["domain_policy"]), policy)
    return policy


def read_back(policy: Policy, batch: dict[str, Any], answer: dict[str, Any]) -> Iterator[str]:
    """Lines that the kernel read, or wrote, otherwise."""
    printed = [line for line in print_domain_policy(policy).split("\n") if line]
    ours = printed[printed.index(batch["domain"]) + 1 :]
    kernel = answer["read_back"][batch["domain"]]
    if ours != kernel:
        yield f"{batch['domain']}: only here: {_less(ours, kernel)}; only in the kernel: {_less(kernel, ours)}"
    ours = [line for line in print_exception_policy(policy).split("\n") if line]
    kernel = [line for line in answer["exception"] if line and "/run/local/command" not in line]
    if sorted(ours) != sorted(kernel):
        yield f"{batch['domain']}: exceptions here: {_less(ours, kernel)}; in the kernel: {_less(kernel, ours)}"


def _less(some: list[str], others: list[str]) -> list[str]:
    return [line for line in some if line not in others]


def unlike(
    policy: Policy,
    domain: Domain,
    batch: dict[str, Any],
    asked: dict[str, Any],
    answered: dict[str, Any],
    *,
    untold: bool = False,
) -> str:
    """How Sekisho's answer differs from the kernel's; nothing where it doesn't. ``untold``: it was granted before."""
    if asked["operation"] == "task manual_domain_transition":
        failure = plan_manual_transition(policy, domain, asked["words"][0], facts_of(batch, asked, answered)).failure
        return "" if (failure is None) is (answered["errno"] == 0) else f"here: {failure}"
    request = request_of(batch, asked, answered)
    decision = decide(policy, domain, request)
    plan = None
    if asked["operation"] == "file execute":
        plan = plan_execution(policy, domain, asked["words"][0], request.facts)
        decision, request = plan.decision, plan.request
    expected = [make_record(0, domain, request, decision)]
    if plan:
        if plan.decision.granted and answered["errno"] == 0 and answered["domain"] != (plan.destination or domain.name):
            return f"here it runs in {plan.destination}"
        if plan.decision.granted and errno.errorcode.get(answered["errno"]) != plan.failure:
            return f"here: {plan.failure}"
        if plan.decision.granted and plan.creates:
            enter(policy, plan, domain)
            made = policy.domains[plan.destination or ""]
            lines = [f"use_profile {made.profile}", *(f"use_group {group}" for group in made.groups)]
            expected += [make_notice(0, made, decision.mode, line, task_alone(request.facts)) for line in lines]
    audit = [text for text in answered["audit"] if f"(global-pid={answered['pid']})" in text]
    granted = untold or "granted=yes" in audit[0]
    if granted and not decision.granted and by_another_protocol(policy, domain, request):
        return "decided-by-another-protocol"
    if granted is not decision.granted:
        return f"here: {said(decision)}"
    if not granted and answered["errno"] != errno.EPERM:
        return "the kernel refused, with another error"
    texts = [without_time(format_text(record)) for record in expected[untold:]]
    told = [without_time(text) for text in audit]
    if answered.get("by_name_only"):
        texts, told = [*map(without_image, texts)], [*map(without_image, told)]
    return "" if told == texts else f"here: {texts}"


def apart(batch: dict[str, Any], answer: dict[str, Any]) -> Iterator[str]:
    """What the two engines that were put ``batch`` in one run don't say alike of each other's, as text for people."""
    policy = policy_of(batch)
    domain = policy.domains[batch["domain"]]
    before: set[object] = set()
    for asked, ours, kernel in zip(batch["requests"], answer["answers"], answer["turned"]["answers"], strict=True):
        if not counts(asked, kernel) or has_nowhere_to_run(ours):
            continue
        repeated = bool(before & {(asked["operation"], *asked["words"]), ours.get("domain")})
        before |= {(asked["operation"], *asked["words"]), *domains_made(ours)}
        if unlike(policy, domain, batch, asked, kernel) == "decided-by-another-protocol":
            yield "decided-by-another-protocol"
            continue
        about = f"{batch['domain']}: {asked['operation']} {asked['words']}"
        if ours["errno"] != kernel["errno"] or ours.get("domain") != kernel.get("domain"):
            yield f"{about}\n  kernel: {kernel_view(kernel)}\n  here: {kernel_view(ours)}"
        for each, again in ((ours, repeated), (kernel, True)):
            if not beside_each_other(each, repeated=again):
                yield f"{about}\n  {kernel_view(each)}\n  beside: {each.get('domain_beside', '')} {each['beside']}"


def domains_made(answered: dict[str, Any]) -> set[str]:
    """The domains that either engine told of making."""
    return {text.split("\n")[1] for text in (*answered["audit"], *answered["beside"]) if "\nuse_" in text}


def has_nowhere_to_run(answered: dict[str, Any]) -> bool:
    """Whether the kernel's TOMOYO, which is asked first and only watched, found no domain for a program."""
    return answered["errno"] == errno.ENOMEM and not answered["audit"]


def beside_each_other(answered: dict[str, Any], *, repeated: bool) -> bool:
    """
    Whether the engine that watched told of a request what the one did that enforced, as far as it came to it. What is
    repeated Sekisho need not tell again, nor what domains it made for it; and it never hears of a program that has
    nowhere to run, which the kernel refuses in every mode.
    """
    mine = f"(global-pid={answered['pid']})"
    enforcing, watching = (
        [plain(text) for text in each if mine in text and not (repeated and "\nuse_" in text)]
        for each in (answered["audit"], answered["beside"])
    )
    sekisho = enforcing if "by_name_only" in answered else watching
    refused = any("granted=no" in text and "\nuse_" not in text for text in enforcing)
    if not sekisho and (repeated or refused or answered["errno"] == errno.ENOMEM):
        return True
    told = watching[: len(enforcing)] if refused else watching
    return told == enforcing and (refused or answered.get("domain") == answered.get("domain_beside"))


def plain(text: str) -> str:
    """Audit text as of no time, no mode, and no more of a program than Sekisho tells."""
    return without_image(without_time(text)).replace("mode=permissive", "mode=enforcing")


def by_another_protocol(policy: Policy, domain: Domain, request: Request) -> bool:
    """Whether an entry for another kind of socket would grant the same."""
    category, family, _, word = f"{request.operation.keyword}   ".split(" ")[:4]
    others = [row for row in OPERATIONS.values() if row.keyword.startswith(f"{category} {family} ")]
    same = [replace(request, operation=row) for row in others if row.keyword.endswith(f" {word}")]
    return category == "network" and any(decide(policy, domain, each).granted for each in same)


def task_alone(facts: Facts) -> Facts:
    """Only who asks."""
    alone = Facts()
    alone.task = facts.task
    return alone


def said(decision: Decision) -> str:
    """A decision in words."""
    return f"granted by {print_acl(decision.entry)}" if decision.entry else "refused"


def kernel_view(answered: dict[str, Any]) -> str:
    """What the kernel did, for people."""
    return f"error {answered['errno']} {answered.get('domain', '')} {[*map(without_time, answered['audit'])]}"


def without_time(text: str) -> str:
    """Audit text as of no time."""
    return re.sub(r"^#[^#]*#", "#", text.rstrip("\n"), flags=re.MULTILINE)


def without_image(text: str) -> str:
    """Audit text as of a program of which nothing is known but its name."""
    return re.sub(r" exec=\{ .*? \} envp\[\]=\{ .*?\} \}", "", text)


def request_of(batch: dict[str, Any], asked: dict[str, Any], answered: dict[str, Any]) -> Request:
    """What was asked, as Sekisho's engine would put it."""
    about = facts_of(batch, asked, answered)
    return Request(OPERATIONS[asked["operation"]], tuple(asked["words"]), about, asked.get("ignore_first", False))


def facts_of(batch: dict[str, Any], asked: dict[str, Any], answered: dict[str, Any]) -> Facts:
    """What was true when it was asked."""
    facts = Facts()
    names = [prefix + kind for kind in ("uid", "gid") for prefix in ("", "e", "s", "fs")]
    ids = dict(zip(names, batch["ids"]["uid"] + batch["ids"]["gid"], strict=True))
    facts.task = Task(pid=answered["pid"], ppid=answered["ppid"], global_pid=answered["pid"], **ids)
    facts.path1, facts.path1_parent, facts.path2, facts.path2_parent = map(inode, answered["facts"])
    if "program" in asked:
        _, argv, envp = asked["program"]
        facts.execution = Execution(
            asked["realpath"], *(tuple(word.encode("latin-1") for word in w) for w in (argv, envp))
        )
    if "target" in asked:
        facts.symlink_target = encode(asked["target"].encode("latin-1"))
    return facts


def inode(words: list[Any] | None) -> Inode | None:
    """The file of which the guest told this."""
    if words is None:
        return None
    uid, gid, number, major, minor, perm, kind, *device = words
    return Inode(uid, gid, number, major, minor, perm, FileType(kind), *(device or [None, None]))
