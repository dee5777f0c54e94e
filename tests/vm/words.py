"""Random words of policy that lie near given ones: patterns, numbers, addresses, conditions. For tests/vm/pairs.py."""

from __future__ import annotations

import ipaddress
import re
from random import Random
from typing import Final

from sekisho.names.word import encode

COMPONENTS: Final = (
    b"a", b"ab", b"abc", b"file.txt", b"x-1", b"12", b"0af", b"a b", "é".encode(), b"t\\m", b"lib.so.6", b".hidden",
    b"A", b"a.b.c", b"77b", b"tmpXY12", b"G", b"longer-name_1", b"\xff\x01", b"@G", b"{a}", b"*",
)  # fmt: skip
OPERATORS: Final = ("\\*", "\\@", "\\?", "\\$", "\\X", "\\A", "\\+", "\\x", "\\a")
_CHARACTER: Final = re.compile(r"\\[0-7]{3}|\\.|.")


class Words:
    """Words drawn from one source of chance; groups that they name are collected with their members."""

    def __init__(self, chance: Random, serial: int) -> None:
        """No groups yet; ``serial`` keeps their names apart from other batches'."""
        self.chance = chance
        self.serial = serial
        self.groups: list[str] = []

    def maybe(self, share: float) -> bool:
        """True about ``share`` of the time."""
        return self.chance.random() < share

    def component(self) -> bytes:
        """Part of a name."""
        return self.chance.choice(COMPONENTS)

    def path(self, most: int = 4) -> bytes:
        """A raw pathname that need not exist."""
        return b"/" + b"/".join(self.component() for _ in range(self.chance.randint(1, most)))

    def pattern(self, name: str) -> str:
        """``name`` with parts replaced, often by what matches them."""
        parts = name.split("/")
        for _ in range(self.chance.choice((1, 1, 1, 2, 2, 3))):
            place = self.chance.randrange(len(parts))
            parts[place] = self._component_pattern(parts[place])
        if len(parts) > 2 and self.maybe(0.2):
            first = self.chance.randrange(1, len(parts))
            last = self.chance.randint(first, len(parts))
            inner = self.chance.choice(("\\*", parts[first] or "a", "\\@", "\\*\\-" + (parts[first] or "a")))
            parts[first:last] = [f"\\{{{inner}\\}}"]
            if parts[-1].startswith("\\{"):
                parts.append(self.chance.choice(("\\*", "", "a")))
        return "/".join(parts)

    def _component_pattern(self, text: str) -> str:
        characters = _CHARACTER.findall(text)
        if not characters:
            return self.chance.choice(("", "", "\\*", "\\@"))
        first = self.chance.randrange(len(characters))
        last = self.chance.randint(first, min(len(characters), first + 4)) if self.maybe(0.7) else len(characters)
        middle = "".join(characters[first:last])
        fitting = [op for op in OPERATORS if re.fullmatch(_MEANING[op], middle)]
        operator = self.chance.choice(fitting if fitting and self.maybe(0.7) else OPERATORS)
        made = "".join(characters[:first]) + operator + "".join(characters[last:])
        if self.maybe(0.15):
            without = self.chance.choice((text, "\\*", "a\\*", "\\?", f"{characters[0]}\\*", "\\$"))
            made += "\\-" + without
        return made

    def name(self, word: str, *, groups: bool = True) -> str:
        """A name, pattern or group that may match ``word``."""
        if groups and self.maybe(0.15):
            return self.group("path_group", lambda: self.name(word, groups=False))
        if self.maybe(0.55):
            return self.pattern(word)
        return word if self.maybe(0.8) else encode(self.path())

    def number(self, value: int, *, groups: bool = True, most: int = 2**32) -> str:
        """A number, range or group that may hold ``value``."""
        if groups and self.maybe(0.15):
            return self.group("number_group", lambda: self.number(value, groups=False, most=most))
        near = max(0, min(most, value + self.chance.choice((0, 0, 0, 1, -1, 5, -5, 64, -300, 4096))))
        if self.maybe(0.5):
            return self.digits(value if self.maybe(0.7) else near)
        low, high = sorted((near, max(0, min(most, value + self.chance.choice((0, 1, -1, 7, 100, -2, 70000))))))
        return f"{self.digits(low)}-{self.digits(high)}"

    def digits(self, value: int) -> str:
        """``value`` in a radix."""
        return self.chance.choice(("{}", "{}", "0{:o}", "0x{:X}")).format(value)

    def address(self, word: str, *, groups: bool = True) -> str:
        """An address, range or group that may hold the address ``word``."""
        if groups and self.maybe(0.2):
            return self.group("address_group", lambda: self.address(word, groups=False))
        value = ipaddress.ip_address(word)
        kind = type(value)
        last = 2**value.max_prefixlen - 1
        ends = sorted(max(0, min(last, int(value) + self.chance.choice((0, 0, 1, -1, 255, -256, 2**20)))) for _ in "12")
        if self.maybe(0.5):
            return str(kind(ends[0]))
        return f"{kind(ends[0])}-{kind(ends[1])}"

    def group(self, kind: str, member: object) -> str:
        """``@NAME`` of a new group of a few members, now and then one that nobody defined."""
        name = f"G{self.serial}_{len(self.groups)}"
        if self.maybe(0.9):
            assert callable(member)
            self.groups += [f"{kind} {name} {member()}" for _ in range(self.chance.randint(1, 3))]
        return f"@{name}"


_MEANING: Final = {
    "\\*": r".*", "\\@": r"[^.]*", "\\?": r"\\[0-7]{3}|\\.|.", "\\$": r"\d+", "\\X": r"[0-9A-Fa-f]+",
    "\\A": r"[A-Za-z]+", "\\+": r"\d", "\\x": r"[0-9A-Fa-f]", "\\a": r"[A-Za-z]",
}  # fmt: skip
