"""``sekisho domains``: the tree of domains."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from sekisho.cli import options
from sekisho.cli.output import print_json, table
from sekisho.policy.model import Domain, Policy

_Tree = dict[str, "_Tree"]


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho domains``."""
    parser.description = (
        "Show the tree of domains. A domain is a chain of executed programs; each line is one program, "
        "indented below the one that executed it, with its profile and number of entries."
    )
    options.add_directory(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """The domains are printed."""
    policy = options.directory(arguments).load()
    if arguments.json:
        print_json([describe(policy, domain) for domain in living(policy)])
        return 0
    for line in table(list(rows(policy))):
        print(line)
    return 0


def living(policy: Policy) -> list[Domain]:
    """The domains that aren't deleted, in the order of their making."""
    return [domain for domain in policy.domains.values() if not domain.deleted]


def describe(policy: Policy, domain: Domain) -> dict[str, object]:
    """What ``--json`` tells of one domain."""
    return {
        "domain": domain.name,
        "profile": domain.profile,
        "mode": mode(policy, domain),
        "groups": sorted(domain.groups),
        "entries": len(domain.entries),
        "quota_exceeded": domain.quota_exceeded,
        "transition_failed": domain.transition_failed,
    }


def mode(policy: Policy, domain: Domain) -> str:
    """The mode that the domain's profile gives to whatever it doesn't name."""
    profile = policy.namespaces[domain.namespace].profiles.get(domain.profile)
    return profile.configs[""].mode.word if profile else "undefined"


def rows(policy: Policy) -> Iterator[list[str]]:
    """One row per program of the tree; a program whose domain is gone but has children stands alone."""
    tree: _Tree = {}
    for domain in living(policy):
        branch = tree
        for word in domain.name.split(" "):
            branch = branch.setdefault(word, {})
    yield from _rows(policy, tree, "", 0)


def _rows(policy: Policy, tree: _Tree, above: str, depth: int) -> Iterator[list[str]]:
    for word, branch in tree.items():
        name = f"{above} {word}" if above else word
        domain = policy.domains.get(name)
        shown = "  " * depth + word
        if domain is None or domain.deleted:
            yield [shown, "", "", ""]
        else:
            yield [shown, f"profile {domain.profile}", mode(policy, domain), _entries(domain)]
        yield from _rows(policy, branch, name, depth + 1)


def _entries(domain: Domain) -> str:
    count = len(domain.entries)
    marks = [word for word in ("quota_exceeded", "transition_failed") if getattr(domain, word)]
    return " ".join([f"{count} {'entry' if count == 1 else 'entries'}", *marks])
