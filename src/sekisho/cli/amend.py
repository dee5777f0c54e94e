"""``sekisho policy add`` and ``remove``: a line of a domain, at once, while programs run in it."""

from __future__ import annotations

import argparse
from typing import Final

from sekisho.cli import options
from sekisho.cli.processes import read_text
from sekisho.cli.selection import find_domain
from sekisho.errors import PolicyError, UserError
from sekisho.interface.client import Service, everywhere
from sekisho.policy.model import Domain, Policy
from sekisho.policy.parser import parse_domain_policy
from sekisho.policy.printer import print_acl

_COMMANDS: Final = {"add": "", "remove": "delete "}


def run(arguments: argparse.Namespace) -> int:
    """The line is policy, or isn't any more, in every tree that runs and on disk; 1 where that was so before."""
    if len(arguments.operand) < 2:
        raise UserError(
            f"policy {arguments.action} takes a domain and a line",
            f"write: sekisho policy {arguments.action} '<kernel> /usr/bin/cat' file read /etc/hostname",
        )
    name, *words = arguments.operand
    directory = options.directory(arguments)
    directory.check()
    line = checked(" ".join(words))
    changed = False
    for service in everywhere(directory.path):
        try:
            changed |= amend(service, name, line, _COMMANDS[arguments.action])
        finally:
            service.close()
    if not changed:
        print("that changes nothing")
    return 0 if changed else 1


def checked(line: str) -> str:
    """``line`` as policy has it. Raises UserError where it is no line of a domain."""
    policy = Policy()
    try:
        parse_domain_policy(f"<kernel> /line\n{line}\n", policy)
    except PolicyError as error:
        raise UserError(f"{error.message} (column {error.column} of the line)", error.hint) from None
    entries = policy.domains["<kernel> /line"].entries
    if len(entries) != 1 or len(line.splitlines()) != 1:
        raise UserError(f"{line or 'nothing'} is no line that allows something", "see docs/language.md")
    return print_acl(entries[0])


def amend(service: Service, text: str, line: str, command: str) -> bool:
    """Whether ``line`` being written to the domain that ``text`` means, after ``command``, changed what it may do."""
    domain = _domain(service, text)
    file = service.open("domain_policy", administrator=True)
    try:
        file.write(f"select domain={domain.name}\n{command}{line}\n".encode())
    except OSError as error:
        raise UserError(f"{domain.name} can't be changed: {error.strerror}") from None
    finally:
        file.close()
    return list(map(print_acl, _domain(service, domain.name).entries)) != list(map(print_acl, domain.entries))


def _domain(service: Service, text: str) -> Domain:
    policy = Policy()
    parse_domain_policy(read_text(service, "domain_policy"), policy)
    return find_domain(policy, text)
