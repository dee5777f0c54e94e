"""``sekisho mode``: another profile for a domain, or for one and all below it, while programs run in it."""

from __future__ import annotations

import argparse
from typing import Final

from sekisho.cli import options
from sekisho.cli.processes import read_text
from sekisho.cli.selection import find_domain
from sekisho.errors import UserError
from sekisho.interface.client import Service, connect, everywhere
from sekisho.policy.model import Domain, Mode, Namespace, Policy
from sekisho.policy.parser import parse_domain_policy, parse_profile

_LARGEST: Final = 255


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho mode``."""
    parser.usage = "sekisho mode [-h] [-P DIR] [--tree PID] [--below] DOMAIN MODE"
    parser.description = (
        "Give a domain another profile. Programs that run in it under the policy directory are held to it from their "
        "next call on; the policy directory has it, too, when this is done. Where nothing runs only that is changed."
    )
    options.add_directory(parser)
    parser.add_argument("--tree", metavar="PID", type=int, help="only in the tree of this supervisor, and on disk")
    parser.add_argument("--below", action="store_true", help="and every domain below it")
    parser.add_argument("domain", metavar="DOMAIN", help="the domain's name, or the last words of it")
    words = ", ".join(mode.word for mode in Mode)
    parser.add_argument("mode", metavar="MODE", help=f"{words} (the first profile of that mode), or a profile's number")


def run(arguments: argparse.Namespace) -> int:
    """The domains have the profile, in every tree that runs and on disk."""
    directory = options.directory(arguments)
    directory.check()
    told: dict[str, str] = {}
    one = arguments.tree is not None
    for service in [connect(directory.path, arguments.tree)] if one else everywhere(directory.path):
        try:
            told |= change(service, arguments.domain, arguments.mode, below=arguments.below)
        finally:
            service.close()
    for name, profile in told.items():
        print(f"{name}: {profile}")
    return 0


def change(service: Service, text: str, mode: str, *, below: bool) -> dict[str, str]:
    """What each domain's profile now is, by name; raises UserError where there is no such domain or profile."""
    policy = Policy()
    parse_profile(read_text(service, "profile"), policy)
    parse_domain_policy(read_text(service, "domain_policy"), policy)
    domain = find_domain(policy, text)
    namespace = policy.namespaces[domain.namespace]
    number = profile_of(namespace, mode)
    chosen = [domain, *_below(policy, domain)] if below else [domain]
    lines = "".join(f"select domain={each.name}\nuse_profile {number}\n" for each in chosen)
    file = service.open("domain_policy", administrator=True)
    try:
        file.write(lines.encode())
    except OSError as error:
        raise UserError(f"the profile of {domain.name} can't be changed: {error.strerror}") from None
    finally:
        file.close()
    shown = f"profile {number} ({namespace.profiles[number].configs[''].mode.word})"
    return {each.name: shown for each in chosen}


def _below(policy: Policy, domain: Domain) -> list[Domain]:
    return [other for other in policy.domains.values() if other.name.startswith(f"{domain.name} ")]


def profile_of(namespace: Namespace, mode: str) -> int:
    """The number of the profile that ``mode`` means, which there is; raises UserError where there is none."""
    profiles = namespace.profiles
    if mode.isascii() and mode.isdigit():
        if len(mode) <= len(str(_LARGEST)) and int(mode) in profiles:
            return int(mode)
        known = " ".join(map(str, sorted(profiles)))
        raise UserError(f"{namespace.name} has no profile {mode}", f"it has {known}: see profile.conf")
    found = [number for number, profile in sorted(profiles.items()) if profile.configs[""].mode.word == mode]
    if found:
        return found[0]
    words = [each.word for each in Mode]
    if mode not in words:
        raise UserError(f"no mode {mode!r}", f"expected {', '.join(words)}, or the number of a profile")
    raise UserError(f"{namespace.name} has no profile whose mode is {mode}", "add one to profile.conf")
