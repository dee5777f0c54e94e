"""``sekisho policy``: show, add to, check, format, convert."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from sekisho.cli import amend, convert, options
from sekisho.cli.output import print_json
from sekisho.cli.selection import find_domain
from sekisho.errors import PolicyError, UserError
from sekisho.policy.model import Domain, Policy
from sekisho.policy.printer import print_acl, print_domain


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho policy``."""
    parser.description = (
        "Show, change, check, format or convert the policy.\n\n"
        "  show     print the domain policy of DOMAIN, or all of it, as text\n"
        "  add      give DOMAIN (one word, in quotes) a line, at once: what `sekisho log --denied` says is missing\n"
        "  remove   take a line away\n"
        "  check    read every file and tell every error as file:line:column\n"
        "  format   rewrite every file canonically; its meaning stays the same\n"
        "  convert  write the policy of an older TOMOYO in today's language; FILE may be a directory such as /etc/ccs"
    )
    options.add_directory(parser)
    options.add_json(parser)
    parser.add_argument("action", choices=tuple(_ACTIONS), metavar="|".join(_ACTIONS))
    text = (
        "show, add, remove: a domain's name, or its last words where they are unmistakable, and the line; "
        "convert: files or directories"
    )
    parser.add_argument("operand", nargs="*", metavar="DOMAIN|LINE|FILE", help=text)
    convert.configure(parser)


def run(arguments: argparse.Namespace) -> int:
    """What was asked for is done; 2 where check found errors, 1 where convert left something out."""
    is_convert = arguments.action == "convert"
    if not is_convert and (arguments.dialect or arguments.output):
        raise UserError(f"policy {arguments.action} takes no --from and no -o", "leave them out")
    if arguments.operand and arguments.action in ("check", "format"):
        raise UserError(f"policy {arguments.action} takes no domain", "leave it out")
    return _ACTIONS[arguments.action](arguments)


def _show(arguments: argparse.Namespace) -> int:
    policy = options.directory(arguments).load()
    domains = _chosen(policy, " ".join(arguments.operand))
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


_ACTIONS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "show": _show,
    "add": amend.run,
    "remove": amend.run,
    "check": _check,
    "format": _format,
    "convert": lambda arguments: convert.run(arguments, arguments.operand),
}
