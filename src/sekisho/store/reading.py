"""The files of a policy directory as a Policy; every error in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from sekisho.errors import PolicyError, UserError
from sekisho.learn.rewrite import DEFAULT_REWRITE, RewriteRules
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy, parse_manager, parse_profile
from sekisho.policy.stat import Statistics, parse_stat
from sekisho.store import files
from sekisho.store.defaults import DOMAIN_POLICY, EXCEPTION_POLICY, MANAGER, POLICY_FILES, PROFILE, REWRITE, STAT


def read_policy(fd: int, directory: Path) -> Policy:
    """The policy of the directory open as ``fd``; raises the first error there is."""
    policy = Policy()
    for name in POLICY_FILES:
        _read_into(policy, fd, directory, name)
    check_profiles(policy, directory)
    return policy


def read_statistics(fd: int, directory: Path) -> Statistics:
    """The counters of stat.conf, all zero where there is no such file."""
    text = _whole(fd, directory, STAT)
    return parse_stat(text, source=str(directory / STAT)) if text else Statistics()


def read_rewrite_rules(fd: int, directory: Path) -> RewriteRules:
    """The rules of rewrite.conf, the default ones where there is no such file."""
    text = _whole(fd, directory, REWRITE)
    return RewriteRules.parse(DEFAULT_REWRITE if text is None else text, str(directory / REWRITE))


def find_errors(fd: int, directory: Path) -> list[UserError]:
    """Every error of every file; none means that the policy can be loaded."""
    policy = Policy()
    errors: list[UserError] = []
    for name in POLICY_FILES:
        errors += _errors_of(partial(_read_into, policy, fd, directory, name))
    errors += _errors_of(partial(read_statistics, fd, directory))
    errors += _errors_of(partial(read_rewrite_rules, fd, directory))
    return errors or _errors_of(lambda: check_profiles(policy, directory))


def _errors_of(step: Callable[[], object]) -> list[UserError]:
    try:
        step()
    except PolicyError as error:
        return [error, *error.others]
    except UserError as error:
        return [error]
    return []


def _read_into(policy: Policy, fd: int, directory: Path, name: str) -> None:
    text = _whole(fd, directory, name)
    if (text is None and name in _NEEDED) or (text == "" and name in _NEVER_EMPTY):
        state = "is missing" if text is None else "is empty"
        hint = "the directory is half-written: put the file back, or start anew with another directory"
        raise UserError(f"{directory / name} {state}", hint)
    try:
        _PARSERS[name](text or "", policy, source=str(directory / name))
    except PolicyError as error:
        raise _told(error, text or "", directory) from None


def _whole(fd: int, directory: Path, name: str) -> str | None:
    """The text of a file, None where there is none; raises UserError for one that something has cut short.

    What we write is there whole or not at all, but disks fail and editors crash: half a name would grant something
    else, a domain without its profile would be held to nothing.
    """
    text = files.read(fd, directory, name)
    if text:
        last = text.rstrip("\n").rpartition("\n")[2]
        begun = _BEGUN.fullmatch(last) if name == PROFILE else None
        if not text.endswith("\n"):
            message, hint = f"ends in the middle of a line ({last[-40:]!r})", "end its last line, if that is whole"
        elif name == DOMAIN_POLICY and last.startswith("<"):
            message, hint = f"ends after the name of a domain ({last})", "say which profile that has (use_profile)"
        elif begun is not None and f"\n{begun[1]}CONFIG" not in f"\n{text}":
            message, hint = "ends in the middle of a profile", f"say what that means ({begun[1]}CONFIG={{ mode=... }})"
        else:
            return text
        raise UserError(f"{directory / name} {message}: it has been cut short", f"put the whole file back, or {hint}")
    return text


def _told(error: PolicyError, text: str, directory: Path) -> PolicyError:
    """``error``, or for a text of an older TOMOYO what that takes: each of its lines would be wrong."""
    from sekisho.convert.dialect import Dialect, detect  # only a text with errors is worth importing that

    dialect = detect([text])
    if dialect is Dialect.TODAY:
        return error
    message = f"{error.message}: this looks like the policy of TOMOYO {dialect}"
    hint = f"write today's with: sekisho policy convert -o NEW {directory}"
    return PolicyError(error.file, error.line, error.column, message, hint)


def check_profiles(policy: Policy, directory: Path) -> None:
    """Every domain's profile is defined; otherwise nothing would be held to anything, so that is an error."""
    for domain in policy.domains.values():
        if not domain.deleted and domain.profile not in policy.namespaces[domain.namespace].profiles:
            message = f"{directory / DOMAIN_POLICY}: domain '{domain.name}' has profile {domain.profile}"
            prefix = "" if domain.namespace == "<kernel>" else f"{domain.namespace} "
            hint = f"define it: {prefix}{domain.profile}-CONFIG={{ mode=... }}"
            raise UserError(f"{message}, which {directory / PROFILE} doesn't define", hint)


_PARSERS: Final = {
    PROFILE: parse_profile,
    EXCEPTION_POLICY: parse_exception_policy,
    DOMAIN_POLICY: parse_domain_policy,
    MANAGER: parse_manager,
}
_BEGUN: Final = re.compile(r"((?:<\S* )?[0-9]+-)(?:COMMENT|PREFERENCE)\s*=.*")
_NEEDED: Final = (PROFILE, EXCEPTION_POLICY, DOMAIN_POLICY)
_NEVER_EMPTY: Final = (PROFILE, DOMAIN_POLICY)
