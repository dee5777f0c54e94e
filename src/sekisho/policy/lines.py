"""Policy text cut into lines and words, and faults in them turned into errors with a position.

Readers of single lines raise ``Fault`` with the index of the word at fault; ``read_lines`` knows file, line and
column, and goes on to the next line, so that all errors of a text are told at once.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from sekisho.errors import PolicyError

_WORD: Final = re.compile(r"[!-~]+")
_BLANK: Final = "".join(map(chr, range(0x21)))

LINE: Final = -1
_FOREIGN: Final = re.compile(r"[^\x00-~]")


class Fault(Exception):
    """The word with index ``word`` (one past the last: what is missing) is wrong, from its character ``offset`` on.

    With ``LINE`` for a word, ``offset`` counts from the start of the line.
    """

    def __init__(self, word: int, message: str, hint: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.word = word
        self.message = message
        self.hint = hint
        self.offset = offset


def words_of(raw: str) -> list[str]:
    """The words of a line: what isn't printable ASCII separates them, as in the kernel.

    Raises:
        Fault: a byte above 0x7e, which the kernel would turn into a space and so into another, shorter name.
    """
    if not raw.isascii() or "\x7f" in raw:
        _refuse_foreign(raw)
    return _WORD.findall(raw)


def _refuse_foreign(raw: str) -> None:
    found = _FOREIGN.search(raw)
    assert found is not None
    character = found.group()
    try:
        code = character.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        code = character.encode("utf-8", "surrogatepass")
    escaped = "".join(f"\\{byte:03o}" for byte in code)
    raise Fault(LINE, f"{character!a} can't stand in policy text", f"write it as {escaped}", found.start())


def position_error(fault: Fault, raw: str, source: str, line: int) -> PolicyError:
    """``fault`` as the error that says where in ``raw``, line ``line`` of ``source``, it lies."""
    starts = [found.start() for found in _WORD.finditer(raw)]
    if fault.word == LINE:
        column = fault.offset
    elif fault.word < len(starts):
        column = starts[fault.word] + fault.offset
    else:
        column = len(raw.rstrip())
    return PolicyError(source, line, column + 1, fault.message, fault.hint)


def read_lines(text: str, source: str, read: Callable[[str], None]) -> None:
    """``read`` has been given each line that isn't empty or a ``#`` comment.

    Raises:
        PolicyError: the first error; the others are in its ``others``.
    """
    errors: list[PolicyError] = []
    for number, raw in enumerate(text.split("\n"), 1):
        stripped = raw.lstrip(_BLANK)
        if not stripped or stripped[0] == "#":
            continue
        try:
            read(raw)
        except Fault as fault:
            errors.append(position_error(fault, raw, source, number))
    if errors:
        first, *others = errors
        raise PolicyError(first.file, first.line, first.column, first.message, first.hint, tuple(others))


@contextmanager
def many_values() -> Iterator[None]:
    """Meanwhile nothing looks for garbage: policy is many values without a cycle, and most of the time went there.

    What nothing refers to any more is freed as ever.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def expect_end(words: list[str], at: int) -> None:
    """There is no word at ``at``; a Fault if there is."""
    if at < len(words):
        raise Fault(at, f"nothing more is expected here, found {words[at]!r}", "remove it")


def expect_word(words: list[str], at: int, what: str) -> str:
    """The word at ``at``; a Fault that names ``what`` is expected if there is none."""
    if at < len(words):
        return words[at]
    raise Fault(at, f"expected {what}, found the end of the line")


def suggest(word: str, choices: Iterable[str], otherwise: str) -> str:
    """The hint for an unknown word: the choice that looks like it, or ``otherwise``."""
    from difflib import get_close_matches  # only a text with errors is worth the time that importing takes

    close = get_close_matches(word, choices, 1, cutoff=0.7)
    return f"did you mean {close[0]}?" if close else otherwise
