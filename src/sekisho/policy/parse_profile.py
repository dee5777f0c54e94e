"""Profile text into a policy: ``[<namespace> ]PROFILE_VERSION=…`` and ``[<namespace> ]N-KEY=VALUE``.

::

    N-COMMENT=free text
    N-PREFERENCE={ max_audit_log=1024 max_learning_entry=2048 enforcing_penalty=10 }
    N-CONFIG={ mode=learning grant_log=no reject_log=yes }
    N-CONFIG::file={ … }    N-CONFIG::file::open={ … }    … =use_default
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, TypeVar

from sekisho.names.word import is_correct_namespace
from sekisho.policy.edit import ensure_namespace
from sekisho.policy.grammar import PROFILE_OPERATIONS
from sekisho.policy.lines import LINE, Fault, read_lines, suggest
from sekisho.policy.model import Config, Mode, Policy, Profile

VERSION: Final = 20150505
_OLDER: Final = 20110903
"""TOMOYO 2.5's, which 2.6 reads as its own."""

CONFIG_NAMES: Final = (*PROFILE_OPERATIONS, "file", "network", "misc", "ipc", "capability")
"""Everything CONFIG:: can name, in the order the kernel prints it: categories come last."""

_LINE: Final = re.compile(r"\s*(?:(?P<namespace><\S*)\s+)?(?P<key>[^\s=]*)\s*(?P<equals>=?)\s*(?P<value>.*)")
_KEY: Final = re.compile(r"([0-9]{1,3})-(COMMENT|PREFERENCE|CONFIG)(?:::(\S+))?")
_WORD: Final = re.compile(r"\S+")
_MODES: Final = {mode.word: mode for mode in Mode}
_SWITCHES: Final = {"yes": True, "no": False}
_LIMITS: Final = ("max_audit_log", "max_learning_entry", "enforcing_penalty")
_MAX: Final = 2**32 - 1
_DIGITS: Final = 20
"""More are no number that anybody means, and int() takes no more than some thousands."""

_Value = TypeVar("_Value")
Words = list[tuple[int, str, str]]
"""``key=value`` words: column, key, value."""


def parse_profile(text: str, policy: Policy, *, source: str = "profile.conf") -> None:
    """Everything that ``text`` says is in ``policy``; if any of it is wrong, nothing is.

    Raises:
        PolicyError: the first wrong line, with the others in ``others``.
    """
    reader = _Reader(policy)
    read_lines(text, source, reader.read)
    for name, profiles in reader.staged.items():
        namespace = ensure_namespace(policy, name)
        namespace.profiles = profiles
        namespace.profile_version = VERSION
        namespace.generation += 1


class _Reader:
    """Applies lines to copies of the profiles, since what a line does depends on what earlier lines said."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.staged: dict[str, dict[int, Profile]] = {}

    def read(self, raw: str) -> None:
        found = _LINE.fullmatch(raw)
        assert found is not None  # it fits any line
        name = found["namespace"] or "<kernel>"
        if not is_correct_namespace(name):
            raise Fault(0, f"expected a namespace such as <kernel>, found {name!r}")
        key, key_at, value, value_at = found["key"], found.start("key"), found["value"].rstrip(), found.start("value")
        if not found["equals"]:
            raise Fault(LINE, f"expected = after {key!r}", "", found.end("key"))
        if key == "PROFILE_VERSION":
            _check_version(value, value_at)
            self._profiles(name)
            return
        parts = _KEY.fullmatch(key)
        if parts is None or int(parts[1]) > 255 or (parts[3] and parts[2] != "CONFIG"):
            raise Fault(
                LINE,
                f"unknown key {key!r}",
                "write PROFILE_VERSION, or N-COMMENT, N-PREFERENCE, N-CONFIG, N-CONFIG::… with N from 0 to 255",
                key_at,
            )
        if parts[3] and parts[3] not in CONFIG_NAMES:
            hint = suggest(parts[3], CONFIG_NAMES, "see docs/language.md, Profiles, for all there are")
            raise Fault(LINE, f"unknown operation {parts[3]!r}", hint, key_at + parts.start(3))
        profile = self._profiles(name).setdefault(int(parts[1]), Profile())
        if parts[2] == "COMMENT":
            profile.comment = one_line(value)
        elif parts[2] == "PREFERENCE":
            _preference(profile, _key_values(value, value_at))
        else:
            _config(profile, parts[3] or "", value, value_at)

    def _profiles(self, name: str) -> dict[int, Profile]:
        if name not in self.staged:
            namespace = self._policy.namespaces.get(name)
            present = namespace.profiles if namespace else {}
            self.staged[name] = {
                number: replace(profile, configs=dict(profile.configs)) for number, profile in present.items()
            }
        return self.staged[name]


def one_line(text: str) -> str:
    """``text`` with each run of blanks and control characters as one space, and none at the ends."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip(" ")


def _check_version(value: str, at: int) -> None:
    if value not in (str(VERSION), str(_OLDER)):
        raise Fault(
            LINE, f"expected PROFILE_VERSION={VERSION}, found {value!r}", "sekisho policy convert writes today's", at
        )


def _key_values(value: str, at: int) -> Words:
    """The words of ``{ key=value … }``; the braces may be missing, as in the kernel."""
    words: Words = []
    for found in _WORD.finditer(value):
        word = found.group()
        if word in ("{", "}"):
            continue
        key, equals, text = word.partition("=")
        if not equals:
            raise Fault(LINE, f"expected key=value inside {{ }}, found {word!r}", "", at + found.start())
        words.append((at + found.start(), key, text))
    return words


def _preference(profile: Profile, words: Words) -> None:
    for at, key, text in words:
        if key not in _LIMITS:
            raise Fault(LINE, f"unknown preference {key!r}", f"there are: {' '.join(_LIMITS)}", at)
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) <= _MAX):
            raise Fault(LINE, f"expected a number up to {_MAX} after {key}=, found {text!r}", "", at + len(key) + 1)
        setattr(profile, key, int(text))


def _config(profile: Profile, name: str, value: str, at: int) -> None:
    if value == "use_default":
        if not name:
            raise Fault(LINE, "CONFIG is what the others default to, it needs a mode", "write { mode=disabled }", at)
        profile.configs.pop(name, None)
        return
    config = profile.configs.get(name)
    mode = config.mode if config else None
    grant_log, reject_log = (config.grant_log, config.reject_log) if config else (True, True)
    for place, key, text in _key_values(value, at):
        if key == "mode":
            mode = _one_of(_MODES, key, text, place)
        elif key == "grant_log":
            grant_log = _one_of(_SWITCHES, key, text, place)
        elif key == "reject_log":
            reject_log = _one_of(_SWITCHES, key, text, place)
        else:
            raise Fault(LINE, f"unknown key {key!r}", "there are: mode grant_log reject_log", place)
    if mode is None:
        raise Fault(LINE, "expected mode=… where no mode was set before", f"modes are: {' '.join(_MODES)}", at)
    profile.configs[name] = Config(mode, grant_log, reject_log)


def _one_of(choices: dict[str, _Value], key: str, text: str, at: int) -> _Value:
    if text not in choices:
        raise Fault(LINE, f"expected {key}={'|'.join(choices)}, found {text!r}", "", at + len(key) + 1)
    return choices[text]
