"""Two learned policies, compared line by line; what docs/differences.md explains is set apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from sekisho.policy.acl import parse_acl
from sekisho.policy.model import Policy
from sekisho.policy.parse_domain import parse_domain_policy
from sekisho.policy.printer import print_acl, print_domain_policy

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs/differences.md"
_ROW: Final = re.compile(
    r"^\| `([\w-]+)` \| (each|supervisor|system) \| (kernel|sekisho) \| `(.+?)` \| (?:`(.+?)` )?\| .+ \|$"
)
Entries = dict[str, set[str]]
"""The lines of each domain, of one operation each."""


@dataclass(frozen=True)
class Rule:
    """A row of the first table."""

    name: str
    engine: str
    which: str
    entry: re.Pattern[str]
    beside: str

    def covers(self, which: str, entry: str, others: Iterable[str]) -> bool:
        """Whether this explains that only ``which`` has ``entry``, where the domain has ``others``, too."""
        found = self.entry.fullmatch(entry) if which == self.which else None
        if not found:
            return False
        beside = re.sub(r"\\(\d)", lambda m: re.escape(found[int(m[1])] or ""), self.beside)
        return not beside or any(re.fullmatch(beside, other) for other in others if other != entry)


@cache
def rules(engine: str) -> tuple[Rule, ...]:
    """The rules that the document lists for ``engine``."""
    rows = filter(None, map(_ROW.match, DOCUMENT.read_text().splitlines()))
    plain = [[(each or "").replace("\\|", "|") for each in row.groups()] for row in rows]
    found = (Rule(name, whose, which, re.compile(entry), beside) for name, whose, which, entry, beside in plain)
    return tuple(rule for rule in found if rule.engine in ("each", engine))


BY_DESCRIPTOR: Final = re.compile(r'file execute (proc:/\S+)( exec\.realpath="([^"]*)".*)')


def named_by_file(learned: dict[str, list[str]]) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """
    What the kernel has learned, with programs that it calls by a link of procfs called by their files, as Sekisho and
    kernels from 6.14 on do: their entries and domains. Besides, whose entries those are.
    """
    found = [(name, BY_DESCRIPTOR.fullmatch(line)) for name, lines in learned.items() for line in lines]
    files = {f"{name} {match[1]}": match[3] for name, match in found if match}
    renamed: dict[str, list[str]] = {}
    for name, lines in learned.items():
        words = name.split(" ")
        there = [files.get(" ".join(words[: end + 1]), word) for end, word in enumerate(words)]
        renamed.setdefault(" ".join(there), []).extend(BY_DESCRIPTOR.sub(r"file execute \3\2", line) for line in lines)
    return renamed, [(name, match[0]) for name, match in found if match]


@cache
def decision_rules() -> tuple[str, ...]:
    """The differences between decisions that the document lists."""
    return tuple(re.findall(r"^\| `([\w-]+)` \| (?:allows|refuses) \|", DOCUMENT.read_text(), re.MULTILINE))


@cache
def text_rules() -> tuple[str, ...]:
    """The differences between texts that the document lists."""
    return tuple(re.findall(r"^\| `([\w-]+)` \| (?:something|nothing) \|", DOCUMENT.read_text(), re.MULTILINE))


@dataclass(frozen=True)
class Difference:
    """An entry that only one of the two learned."""

    domain: str
    which: str
    entry: str
    rule: str | None
    """What explains it."""


def differences(kernel: dict[str, list[str]], sekisho: str, engine: str) -> Iterator[Difference]:
    """How the domains that the kernel learned differ from the policy file of an engine of Sekisho."""
    kernel, called = named_by_file(kernel)
    for name, entry in called:
        rule = next((each.name for each in rules(engine) if each.covers("kernel", entry, ())), None)
        yield Difference(name, "kernel", entry, rule)
    sides = {"kernel": {name: one_by_one(lines) for name, lines in kernel.items()}, "sekisho": domains(sekisho)}
    for name in sorted(set().union(*sides.values())):
        both = set().union(*(side.get(name, set()) for side in sides.values()))
        for which, other in (("kernel", "sekisho"), ("sekisho", "kernel")):
            if name in sides[which] and name not in sides[other]:
                yield Difference(name, which, "the domain", None)
            for entry in sorted(sides[which].get(name, set()) - sides[other].get(name, set())):
                rule = next((each.name for each in rules(engine) if each.covers(which, entry, both)), None)
                yield Difference(name, which, entry, rule)


def domains(text: str) -> Entries:
    """The lines of each domain of a policy file, but for the kernel's own."""
    policy = Policy()
    parse_domain_policy(text, policy)
    found: dict[str, list[str]] = {}
    name = ""
    for line in print_domain_policy(policy).split("\n"):
        if line.startswith("<"):
            name = line
            found[name] = []
        elif line:
            found[name].append(line)
    return {name: one_by_one(lines) for name, lines in found.items() if name != "<kernel>"}


def one_by_one(lines: Iterable[str]) -> set[str]:
    """``lines`` with joined operations taken apart."""
    found = set()
    for line in lines:
        if line.startswith(("use_", "quota_exceeded", "transition_failed")):
            found.add(line)
            continue
        entry = parse_acl(line)
        found |= {print_acl(replace(entry, operations=(each,))) for each in entry.operations}
    return found
