"""Lines that today's parser takes: what it refuses is left out, with its own words for a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from sekisho.convert.remark import Fate, Line, Remark
from sekisho.convert.text import in_ascii
from sekisho.errors import PolicyError
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy, parse_manager, parse_profile


class _Parse(Protocol):
    def __call__(self, text: str, policy: Policy, *, source: str) -> None: ...


PARSERS: Final[dict[str, _Parse]] = {
    "domain_policy": parse_domain_policy,
    "exception_policy": parse_exception_policy,
    "profile": parse_profile,
    "manager": parse_manager,
}


def settled(kind: str, file: str, lines: Iterable[Line], remarks: list[Remark]) -> str:
    """The text of all ``lines`` that can stay; ``remarks`` tell of the others.

    Where a domain's name can't stay, neither can what belongs to it: it would fall to the domain before.
    """
    left = list(lines)
    told: set[int] = set()
    while wrong := _wrong(PARSERS[kind], left):
        kept: list[Line] = []
        orphaned = False
        for number, line in enumerate(left, 1):
            if kind == "domain_policy" and _speaks_of_domain(line.text):
                orphaned = number in wrong
            if number in wrong:
                remarks.append(_refused(file, line, wrong[number]))
                told.add(line.number)
            elif orphaned and _is_significant(line.text):
                if line.number not in told:
                    reason = "the line that names its domain is left out"
                    remarks.append(Remark(file, line.number, Fate.LEFT_OUT, line.original, reason))
                told.add(line.number)
            else:
                kept.append(line)
        left = kept
    return "".join(f"{line.text}\n" for line in left)


def _refused(file: str, line: Line, error: PolicyError) -> Remark:
    today = in_ascii(line.text.strip())
    shown = line.original if line.original == today else f"{line.original} (today {today})"
    return Remark(file, line.number, Fate.LEFT_OUT, shown, error.message, error.hint)


def _wrong(parse: Callable[..., None], lines: list[Line]) -> dict[int, PolicyError]:
    try:
        parse("".join(f"{line.text}\n" for line in lines), Policy(), source="")
    except PolicyError as error:
        return {each.line: each for each in error.all}
    foreign = (number for number, line in enumerate(lines, 1) if not line.text.isascii())
    return {
        number: PolicyError("", number, 1, "only ASCII can stand here", "write other bytes as \\ooo")
        for number in foreign
    }


def _speaks_of_domain(text: str) -> bool:
    words = text.split()
    return bool(words) and (words[0].startswith("<") or words[0] == "select")


def _is_significant(text: str) -> bool:
    return bool(text.strip()) and not text.lstrip().startswith("#")
