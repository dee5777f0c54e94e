"""TOMOYO's policy editor, driven key by key: nothing is pressed before what was pressed last is seen to be done."""

from __future__ import annotations

import re

from tests.interface.tools.terminal import Terminal

TITLES = {
    "e": "Exception Policy Editor",
    "d": "Domain Transition Editor",
    "a": "Domain Policy Editor",
    "p": "Profile Editor",
    "m": "Manager Policy Editor",
    "n": "Namespace Selector",
    "s": "Statistics",
}
"""The screens, by the key that comes after ``w``."""


class Editor:
    """tomoyo-editpolicy in ``terminal``."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.see = terminal.see
        self.miss = terminal.miss
        self.at = terminal.at

    def open(self, key: str) -> None:
        """The screen that ``w`` and ``key`` lead to."""
        self.terminal.press("w")
        self.see("Press one of below keys")
        self.terminal.press(key)
        self.is_at(key)

    def is_at(self, key: str) -> None:
        """The screen of ``key`` is there, drawn to its end."""
        self.see(f"^<<< {TITLES[key]} >>>")
        self.miss("Press one of below keys|Press '\\?' to escape")

    def press(self, key: str, at: str) -> None:
        """A key that leads to a line with ``at``."""
        self.terminal.press(key)
        self.at(at)

    def find(self, text: str) -> None:
        """The cursor is in the first line with ``text``."""
        self._fill("f", "Search>", text)
        self.at(re.escape(text))

    def add(self, text: str) -> None:
        """``text`` is entered as a new entry."""
        self._fill("a", "Enter new entry>", text)

    def set(self, prompt: str, text: str) -> None:
        """``text`` is answered to ``s``, which asks with ``prompt``."""
        self._fill("s", prompt, text)

    def mark(self) -> None:
        """The line of the cursor is marked."""
        self.press(" ", "^&")

    def delete(self, answer: str = "y") -> None:
        """What is marked is deleted; or isn't, if ``answer`` is no."""
        self.terminal.press("d")
        self.see(r"Delete selected .*\('Y'es/'N'o\)")
        self.terminal.press(answer)
        self.miss("Delete selected")

    def quit(self) -> None:
        """The editor has ended well."""
        self.terminal.press("q")
        assert 0 == self.terminal.end()

    def _fill(self, key: str, prompt: str, text: str) -> None:
        self.terminal.press(key)
        self.see(f"^{prompt}")
        self.terminal.press(text)
        self.see(rf"^{prompt}.*{re.escape(text.rstrip())}")
        self.terminal.press("enter")
        self.miss(f"^{prompt}")
