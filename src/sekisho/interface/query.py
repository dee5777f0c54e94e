"""``query``: what policy refuses, put to whoever has this file open for reading, and the answers (spec g.7).

::

    Q<serial>-<retry>                    read: a question, its record, a NUL; then the next; nothing after the last
    A<serial>=<n>                        write: 1 allows this once, 3 asks policy again, other numbers refuse
    (anything, an empty line too)        write: the administrator is still there
"""

from __future__ import annotations

import re
from typing import Final

from sekisho.audit.text import format_text
from sekisho.interface.access import Access, Caller
from sekisho.interface.authority import Authority
from sekisho.interface.handle import TextFile

_ANSWER: Final = re.compile(r"A([0-9]{1,10})= ?([0-9]{1,10})")


class Query(TextFile):
    """Open for reading, it makes questions of refusals; the last one that closes refuses what still waits."""

    def __init__(self, authority: Authority, access: Access, *, readable: bool, writable: bool) -> None:
        super().__init__(authority, access, readable=readable, writable=writable)
        self._observes = readable
        self._last = 0
        if readable:
            authority.questions.observe()

    def read(self, caller: Caller, size: int) -> bytes:
        """The next question, or the rest of one; empty after the last, and then from the first again."""
        if not self._unread and size > 0:
            pending = self.authority.questions.pending()
            question = next((each for each in pending if each.serial > self._last), None)
            self._last = question.serial if question is not None else 0
            if question is not None:
                text = f"Q{question.serial}-{question.retry}\n{format_text(question.record)}\0"
                self._unread = text.encode("ascii", "backslashreplace")
        read, self._unread = self._unread[:size], self._unread[size:]
        return read

    def restart(self) -> None:
        """The first question is read next."""
        super().restart()
        self._last = 0

    def line(self, line: str) -> bool:
        """Any line keeps the questions waiting; an answer answers one. None changes policy."""
        questions = self.authority.questions
        questions.keep_alive()
        found = _ANSWER.match(line)
        # Zero is what a question has before it is answered.
        if found is not None and int(found[2]):
            questions.answer(int(found[1]), int(found[2]))
        return False

    def ready(self) -> bool:
        """Whether a question waits."""
        return bool(self._unread) or bool(self.authority.questions.pending())

    def close(self) -> None:
        """One observer less."""
        if self._observes:
            self._observes = False
            self.authority.questions.leave()
