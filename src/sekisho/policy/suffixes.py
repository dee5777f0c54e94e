"""What may follow an entry's operands, in any order: conditions, ``grant_log=…``, ``auto_domain_transition="…"``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sekisho.names.word import is_correct_path
from sekisho.policy.conditions import condition_at
from sekisho.policy.lines import Fault
from sekisho.policy.model import Condition
from sekisho.policy.operands import TRANSITION, domain_at, path_at

_MEANT: Final = 'write auto_domain_transition="PATH" or ="<NAMESPACE> PATH…"'


@dataclass(frozen=True, slots=True)
class Suffixes:
    """What stands behind an entry's operands; None where nothing is said."""

    conditions: tuple[Condition, ...]
    grant_log: bool | None
    transition: str | None


def suffixes_at(words: list[str], at: int) -> Suffixes:
    """What the words from ``at`` to the end of the line say."""
    conditions: list[Condition] = []
    grant_log: bool | None = None
    transition: str | None = None
    while at < len(words):
        word = words[at]
        if word.startswith(("grant_log=", "grant_log!=")):
            if grant_log is not None:
                raise Fault(at, "grant_log is given twice", "leave one")
            grant_log, at = _grant_log(word, at), at + 1
        elif word.startswith(("auto_domain_transition=", "auto_domain_transition!=")):
            if transition is not None:
                raise Fault(at, "auto_domain_transition is given twice", "leave one")
            transition, at = _transition(words, at)
        else:
            conditions.append(condition_at(words, at))
            at += 1
    return Suffixes(tuple(conditions), grant_log, transition)


def _grant_log(word: str, index: int) -> bool:
    if word == "grant_log=yes":
        return True
    if word == "grant_log=no":
        return False
    raise Fault(index, f"expected grant_log=yes or grant_log=no, found {word!r}")


def _transition(words: list[str], at: int) -> tuple[str, int]:
    """The destination in quotes that starts at ``at``, and the place after it; a domainname goes on over spaces."""
    if not words[at].startswith(TRANSITION):
        raise Fault(at, f"expected a domainname or a pathname in double quotes, found {words[at]!r}", _MEANT)
    end = at + 1
    if words[at].startswith(TRANSITION + "<"):
        while end < len(words) and is_correct_path(words[end]) and not words[end].startswith(TRANSITION):
            end += 1
    inner = words[at:end]
    inner[0] = inner[0].removeprefix(TRANSITION)
    if not inner[-1].endswith('"'):
        raise Fault(end - 1, f"expected a double quote at the end of {words[end - 1]!r}", _MEANT)
    inner[-1] = inner[-1][:-1]
    try:
        if inner[0].startswith("<"):
            return domain_at(inner, 0)[0], end
        return path_at(inner, 0, "the destination"), end
    except Fault as fault:
        offset = fault.offset + (len(TRANSITION) if fault.word == 0 else 0)
        raise Fault(at + fault.word, fault.message, fault.hint or _MEANT, offset) from None
