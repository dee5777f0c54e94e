"""Exception policy of older versions as today's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sekisho.convert import names
from sekisho.convert.dialect import Dialect
from sekisho.convert.domains import ENV_GROUP, READ_GROUP
from sekisho.convert.entries import ANY_DEVICE
from sekisho.convert.overwriting import Overwriting
from sekisho.convert.remark import LeftOut, Line, Notes
from sekisho.convert.text import significant_words, text_lines
from sekisho.learn.template import TemplateError, parse_template

_TRANSITIONS: Final = ("initialize_domain", "no_initialize_domain", "keep_domain", "no_keep_domain")

_DEVICES: Final = (
    r"\*", "/", r"/\*", r"/\{\*\}/", r"/\{\*\}/\*", r"\*:/", r"\*:/\*", r"\*:/\{\*\}/", r"\*:/\{\*\}/\*",
)  # fmt: skip


def overwriting(text: str) -> Overwriting:
    """What an exception policy says of overwriting, and its groups of names."""
    found = Overwriting()
    for _, raw in text_lines(text):
        match significant_words(raw):
            case ["deny_rewrite", pattern]:
                found.denied.append(pattern)
            case ["path_group", group, member]:
                found.groups.setdefault(group, []).append(member)
    return found


def any_device() -> list[str]:
    """The lines of a group that any device of a mount is in."""
    return [f"path_group {ANY_DEVICE} {pattern}" for pattern in _DEVICES]


class Exceptions:
    """Converts one exception policy; ``rewrite`` holds the lines of rewrite.conf that ``file_pattern`` became."""

    def __init__(self, dialect: Dialect, notes: Notes) -> None:
        """Remarks go to ``notes``."""
        self._dialect = dialect
        self._notes = notes
        self.rewrite: list[str] = []

    def convert(self, text: str) -> Iterator[Line]:
        """The lines of today's exception policy."""
        for number, raw in text_lines(text):
            self._notes.at(number, raw.strip())
            words = significant_words(raw)
            if words is None or not self._dialect.has_allow_lines:
                yield self._notes.line(names.words(raw, self._dialect, self._notes))
                continue
            prefix = "delete " if words[0] == "delete" else ""
            try:
                for line in self._line(words[1:] if prefix else words):
                    yield self._notes.line(prefix + line)
            except LeftOut as error:
                self._notes.left_out(error.reason, error.advice)

    def _line(self, words: list[str]) -> list[str]:
        if not words:
            raise LeftOut("there is no directive")
        if words[0] in _TRANSITIONS:
            return [self._transition(words[0], words[1:])]
        convert = self._directives().get(words[0])
        if convert is None:
            raise LeftOut(
                f"{words[0]!r} is no directive of exception policy in TOMOYO {self._dialect}",
                "see docs/language.md, Exception policy",
            )
        return convert(words[1:])

    def _directives(self) -> dict[str, Callable[[list[str]], list[str]]]:
        return {
            "path_group": self._path_group,
            "number_group": lambda operands: [" ".join(["number_group", *operands])],
            "address_group": lambda operands: [" ".join(["address_group", *operands])],
            "deny_autobind": lambda operands: [" ".join(["deny_autobind", *operands])],
            "aggregator": lambda operands: [" ".join(["aggregator", *map(self._name, operands)])],
            "allow_read": self._allow_read,
            "allow_env": lambda operands: [" ".join([f"acl_group {ENV_GROUP} misc env", *operands])],
            "file_pattern": self._file_pattern,
            "deny_rewrite": self._deny_rewrite,
            "alias": self._alias,
        }

    def _name(self, word: str) -> str:
        return names.name(word, self._dialect, self._notes)

    def _path_group(self, operands: list[str]) -> list[str]:
        group, rest = operands[:1], operands[1:]
        if len(rest) != 1:
            raise LeftOut("path_group takes a group's name and a member")
        return [" ".join(["path_group", *group, found]) for found in names.names(rest[0], self._dialect, self._notes)]

    def _allow_read(self, operands: list[str]) -> list[str]:
        if len(operands) != 1:
            raise LeftOut("allow_read takes one name")
        found = names.names(operands[0], self._dialect, self._notes)
        return [f"acl_group {READ_GROUP} file read {name_}" for name_ in found]

    def _transition(self, kind: str, words: list[str]) -> str:
        """A transition in its long form."""
        if "from" in words:
            middle = words.index("from")
            program, source = " ".join(map(self._name, words[:middle])), words[middle + 1 :]
        elif kind.endswith("keep_domain"):
            program, source = "any", words
        else:
            program, source = " ".join(map(self._name, words)), ["any"]
        if source and source != ["any"]:
            is_whole = source[0].startswith("<")
            place = names.domain(source, self._dialect, self._notes) if is_whole else " ".join(map(self._name, source))
        else:
            place = " ".join(source)
        return f"{kind} {program} from {place}".rstrip()

    def _file_pattern(self, operands: list[str]) -> list[str]:
        advice = "say what varies as a rule in rewrite.conf"
        if len(operands) != 1:
            raise LeftOut("file_pattern takes one pattern", advice)
        found = self._name(operands[0])
        try:
            parse_template(found, by_chance=False)
        except TemplateError as error:
            raise LeftOut(f"rewrite.conf can't have it: {error}", f"{advice}: {error.hint}") from None
        if (rule := f"name {found}") not in self.rewrite:
            self.rewrite.append(rule)
        self._notes.changed("what is generalised when learning is said in rewrite.conf today", "look it over there")
        return []

    def _deny_rewrite(self, operands: list[str]) -> list[str]:
        self._notes.changed(
            "there is no such line today: domains are granted file append for what it covers, file write for the rest"
        )
        return []

    def _alias(self, operands: list[str]) -> list[str]:
        raise LeftOut("a program that is called by a symbolic link has the link's name today, by itself")
