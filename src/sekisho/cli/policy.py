"""``sekisho policy``: show, check, format."""

from __future__ import annotations

import argparse

from sekisho.cli import options
from sekisho.cli.output import print_json
from sekisho.cli.selection import find_domain
from sekisho.errors import PolicyError, UserError
from sekisho.policy.model import Domain, Policy
from sekisho.policy.printer import print_acl, print_domain


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho policy``."""
    parser.description = (
        "Show, check or format the policy.\n\n"
        "  show    print the domain policy of DOMAIN, or all of it, as text\n"
        "  check   read every file and tell every error as file:line:column\n"
        "  format  rewrite every file canonically; its meaning stays the same"
    )
    options.add_directory(parser)
    options.add_json(parser)
    parser.add_argument("action", choices=("show", "check", "format"), metavar="show|check|format")
    text = "show: a domain's name, or its last words where they are unmistakable"
    parser.add_argument("domain", nargs="*", metavar="DOMAIN", help=text)


def run(arguments: argparse.Namespace) -> int:
    """What was asked for is done; 2 where check found errors."""
    if arguments.action == "show":
        return _show(arguments)
    if arguments.domain:
        raise UserError(f"policy {arguments.action} takes no domain", "leave it out")
    if arguments.action == "check":
        return _check(arguments)
    return _format(arguments)


def _show(arguments: argparse.Namespace) -> int:
    policy = options.directory(arguments).load()
    domains = _chosen(policy, " ".join(arguments.domain))
    if arguments.json:
        print_json([_describe(domain) for domain in domains])
        return 0
    print("\n".join(print_domain(domain).rstrip("\n") + "\n" for domain in domains), end="")
    return 0


def _chosen(policy: Policy, name: str) -> list[Domain]:
    if name:
        return [find_domain(policy, name)]
    return [domain for domain in policy.domains.values() if not domain.deleted]


def _describe(domain: Domain) -> dict[str, object]:
    return {
        "domain": domain.name,
        "profile": domain.profile,
        "groups": sorted(domain.groups),
        "quota_exceeded": domain.quota_exceeded,
        "transition_failed": domain.transition_failed,
        "entries": [print_acl(entry) for entry in domain.entries],
    }


def _check(arguments: argparse.Namespace) -> int:
    directory = options.directory(arguments)
    errors = directory.errors()
    if arguments.json:
        print_json({"directory": str(directory.path), "errors": [_describe_error(error) for error in errors]})
    else:
        for error in errors:
            print(error)
        if not errors:
            print(f"{directory.path}: no errors")
    return 2 if errors else 0


def _describe_error(error: UserError) -> dict[str, object]:
    place: dict[str, object] = {}
    if isinstance(error, PolicyError):
        place = {"file": error.file, "line": error.line, "column": error.column}
    return {**place, "message": error.message, "hint": error.hint}


def _format(arguments: argparse.Namespace) -> int:
    directory = options.directory(arguments)
    changed = directory.format()
    if arguments.json:
        print_json({"directory": str(directory.path), "rewritten": changed})
    else:
        for name in changed:
            print(f"{directory.path / name}: rewritten")
    return 0
