"""One question put to whoever sits at the terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TextIO

from sekisho.cli.lines import LineInput
from sekisho.cli.output import Colour, coloured
from sekisho.errors import PolicyError
from sekisho.interface.inquiry import Inquiry
from sekisho.learn.choices import Choice
from sekisho.policy.parser import parse_acl
from sekisho.policy.printer import print_acl


class Reply(Enum):
    """What becomes of the request."""

    ALLOW = "allowed once"
    SESSION = "allowed as long as this runs"
    ADD = "added"
    DENY = "denied"
    NEVER = "denied, and not asked again as long as this runs"
    TIMEOUT = "denied: no answer in time"


KEYS: Final = {"a": Reply.ALLOW, "s": Reply.SESSION, "d": Reply.DENY, "": Reply.DENY, "n": Reply.NEVER}

_LONGEST: Final = 1000
_OLDEST, _YOUNGEST = 3, 9
"""Of a question's arguments so many characters are shown, of its ancestors so many at either end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply, and the line of policy to add where that is it."""

    reply: Reply
    line: str = ""


class Dialog:
    """Asks at a terminal, or whatever else gives lines, for ``patience`` seconds a question."""

    def __init__(self, source: LineInput, sink: TextIO, patience: float) -> None:
        self._source = source
        self._sink = sink
        self._patience = patience

    def ask(self, inquiry: Inquiry, tree: Sequence[str], why: Sequence[str], offers: Sequence[Choice]) -> Answer:
        """The answer to ``inquiry``; ``tree`` and ``why`` are shown with it, ``offers`` can be chosen by number."""
        self._source.forget()
        self._say(*_question(inquiry, tree, why))
        for number, choice in enumerate(offers, 1):
            self._say(f"  {number}  add  {print_acl(choice.entry)}    ({choice.meaning})")
        self._say("  e  edit a line and add it       a  allow this once      s  allow it as long as I am here")
        self._say("  d  deny                         n  deny it as long as I am here")
        end = time.monotonic() + self._patience
        while True:
            typed = self._line(f"Answer [d, by itself in {max(0, round(end - time.monotonic()))} s]: ", end)
            if typed is None:
                return Answer(Reply.TIMEOUT)
            answer = self._understand(typed, offers, end)
            if answer is not None:
                return answer

    def _understand(self, typed: str, offers: Sequence[Choice], end: float) -> Answer | None:
        if typed in KEYS:
            return Answer(KEYS[typed])
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= len(offers):
            return Answer(Reply.ADD, print_acl(offers[int(typed) - 1].entry))
        if typed == "e":
            return self._edit(print_acl(offers[0].entry) if offers else "", end)
        self._say(f"Nothing here is called {typed[:20]!a}: type a number from 1 to {len(offers)}, e, a, s, d or n.")
        return None

    def _edit(self, line: str, end: float) -> Answer | None:
        typed = self._source.edit("Line to add (empty: none): ", line, end)
        if typed is None:
            return Answer(Reply.TIMEOUT)
        if not typed:
            return None
        try:
            return Answer(Reply.ADD, print_acl(parse_acl(typed, source="your line")))
        except PolicyError as error:
            self._say(str(error))
            return None

    def _line(self, prompt: str, end: float) -> str | None:
        self._sink.write(prompt)
        self._sink.flush()
        typed = self._source.read(end)
        if typed is None:
            self._say("")
        return typed

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._sink.write(line + "\n")
        self._sink.flush()


def _question(inquiry: Inquiry, tree: Sequence[str], why: Sequence[str]) -> list[str]:
    again = f", asked {inquiry.retry + 1} times" if inquiry.retry else ""
    ids = " ".join(f"{name}={inquiry.task[name]}" for name in ("uid", "gid", "euid", "egid") if name in inquiry.task)
    return [
        "",
        coloured(f"Question {inquiry.serial}{again}: process {inquiry.pid} ({ids})", Colour.NOTE),
        f"  in      {inquiry.domain}",
        f"  asks    {inquiry.line}",
        *(f"  {label:<7} {line}" for label, line in _labelled("with", _cut(inquiry.arguments))),
        *(f"  {label:<7} {line}" for label, line in _labelled("tree", _without_the_middle(tree))),
        *(f"  {label:<7} {line}" for label, line in _labelled("why", why)),
    ]


def _cut(arguments: str) -> list[str]:
    """``arguments``, if any; what asks has no say in how much of the screen it fills."""
    if len(arguments) <= _LONGEST:
        return [arguments] if arguments else []
    return [f"{arguments[:_LONGEST]} ({len(arguments) - _LONGEST} more characters: sekisho log --denied)"]


def _without_the_middle(tree: Sequence[str]) -> list[str]:
    left_out = len(tree) - _OLDEST - _YOUNGEST
    if left_out <= 0:
        return list(tree)
    return [*tree[:_OLDEST], f"({left_out} more)", *tree[-_YOUNGEST:]]


def _labelled(label: str, lines: Sequence[str]) -> list[tuple[str, str]]:
    return [(label if not at else "", line) for at, line in enumerate(lines)]
