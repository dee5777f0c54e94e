"""What a witness saw hostile programs do, held against the policy that they were held to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.vm.differences import named_by_file, one_by_one

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Request
from sekisho.policy.acl import parse_acl
from sekisho.policy.model import Domain, Name, Number, OperandValue, Policy
from sekisho.policy.parse_domain import parse_domain_policy
from sekisho.policy.parse_profile import parse_profile

PROFILES = "PROFILE_VERSION=20150505\n3-CONFIG={ mode=enforcing grant_log=no reject_log=yes }\n"
CONDITION = re.compile(r"(task|exec|path[12](\.parent)?|symlink)\.[a-z]+.*=")
EXECUTED = re.compile(r'file execute (\S+) exec\.realpath="([^"]*)".*')
FLAGS = ("use_", "quota_exceeded", "transition_failed")
NUMBER, SOME = r"\$", "1234567"
r"""From Linux 6.15 on TOMOYO learns ``\$`` for the numbers of processes, pipes and sockets: one stands for all."""


@dataclass(frozen=True)
class Stray:
    """Something that was done in a domain and that no line of its policy allows."""

    domain: str
    line: str


def policy_of(text: str) -> Policy:
    """The policy, every domain of which is enforced; without conditions, of which the witness doesn't tell enough."""
    policy = Policy()
    parse_profile(PROFILES, policy)
    names = [line.split() for line in text.splitlines()]
    bare = [" ".join(word for word in words if not CONDITION.match(word)) for words in names]
    parse_domain_policy("".join(f"{line}\n" for line in bare), policy)
    for domain in policy.domains.values():
        domain.profile = 3
    return policy


def requests(line: str) -> Iterator[Request]:
    """What must have been asked for this line to be learned."""
    entry = parse_acl(line)
    for operation in entry.operations:
        yield Request(operation, tuple(map(argument, entry.operands)), ignore_first=operation.keyword == "file mount")


def argument(operand: OperandValue) -> str | int:
    """The operand as it was asked for: what is learned of a request is one name, number or address."""
    if isinstance(operand, Name):
        return operand.text.replace(NUMBER, SOME)
    return operand.low if isinstance(operand, Number) else operand.text


def is_allowed(policy: Policy, name: str, line: str) -> bool:
    """Whether the domain's policy allows it; a domain without policy allows nothing.

    The witness looks a program's name up once more, which may lead elsewhere by then; its file it doesn't.
    """
    domain = policy.domains.get(name) or Domain(name, 3)
    executed = EXECUTED.fullmatch(line)
    ways = [line, f"file execute {executed[2]}"] if executed else [line]
    return any(all(decide(policy, domain, each).granted for each in requests(way)) for way in ways)


def strays(seen: Mapping[str, Sequence[str]], policy: Policy) -> Iterator[Stray]:
    """What isn't allowed of what was seen."""
    by_file, _ = named_by_file({name: [*lines] for name, lines in seen.items()})
    for name, lines in by_file.items():
        for line in sorted(one_by_one(lines)):
            if not line.startswith(FLAGS) and not is_allowed(policy, name, line):
                yield Stray(name, line)


def on_behalf(seen: Mapping[str, Sequence[str]], policies: Sequence[Policy], own: re.Pattern[str]) -> Iterator[Stray]:
    """
    The same of who acts in the place of programs under ``policies``: what he does on his own account is ``own``, and
    the rest has to be allowed to some domain of theirs.
    """
    for each in strays(seen, policy_of("")):
        theirs = any(is_allowed(policy, name, each.line) for policy in policies for name in policy.domains)
        if not theirs and not own.fullmatch(each.line):
            yield each


def came_to_nothing(seen: Mapping[str, Sequence[str]], stray: Stray) -> bool:
    """Whether a program was executed that did nothing at all: it was killed before its first instruction."""
    executed = EXECUTED.fullmatch(stray.line)
    if not executed:
        return False
    return all(line.startswith((*FLAGS, "misc env ")) for line in seen.get(f"{stray.domain} {executed[1]}", ()))
