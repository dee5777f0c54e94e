"""Entries that can't do here what they say: they are told with file and line, so that nobody relies on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sekisho.engine.lsm.hooks import UNSERVED
from sekisho.policy.model import Domain, Policy
from sekisho.policy.printer import print_acl
from sekisho.store.defaults import DOMAIN_POLICY, EXCEPTION_POLICY

_GROUP: Final = re.compile(r"(?:(?P<namespace><\S*) )?(?P<group>acl_group \d+) ")


def unserved(policy: Policy, directory: Path) -> list[str]:
    """``FILE:LINE: ENTRY: REASON`` of each; where the files in ``directory`` don't have it yet, whose it is instead."""
    held = list(_held(policy))
    places = {**_of_domains(directory / DOMAIN_POLICY), **_of_groups(directory / EXCEPTION_POLICY)} if held else {}
    return [f"{places.get((owner, line), owner)}: {line}: {UNSERVED[keyword]}" for owner, line, keyword in held]


def _held(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Whose entry it is, its line, and its keyword."""
    owners: list[tuple[str, Domain]] = list(policy.domains.items())
    for namespace in policy.namespaces.values():
        owners += ((f"{namespace.name} {group.name}", group) for group in namespace.acl_groups.values())
    for name, owner in owners:
        for entry in owner.entries:
            if (keyword := entry.operations[0].keyword) in UNSERVED:
                yield name, print_acl(entry), keyword


def _of_domains(path: Path) -> dict[tuple[str, str], str]:
    found = {}
    domain = ""
    for number, line in _lines(path):
        if line.startswith("<"):
            domain = line
        elif line.startswith("task "):
            found[domain, line] = f"{path}:{number}"
    return found


def _of_groups(path: Path) -> dict[tuple[str, str], str]:
    found = {}
    for number, line in _lines(path):
        if match := _GROUP.match(line):
            owner = f"{match['namespace'] or '<kernel>'} {match['group']}"
            found[owner, line[match.end() :]] = f"{path}:{number}"
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """With their numbers, blanks as they are in canonical form."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return
    for number, line in enumerate(text.split("\n"), 1):
        yield number, " ".join(line.split())
