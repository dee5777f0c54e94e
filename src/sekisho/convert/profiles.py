"""Profiles of older versions as today's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sekisho.convert.capabilities import INSTEAD
from sekisho.convert.checked import checked_operations
from sekisho.convert.dialect import Dialect
from sekisho.convert.remark import LeftOut, Notes
from sekisho.convert.text import in_ascii, significant_words, text_lines
from sekisho.names.word import is_correct_namespace
from sekisho.policy.edit import ensure_namespace
from sekisho.policy.model import Config, Mode, Policy, Profile
from sekisho.policy.parse_profile import CONFIG_NAMES
from sekisho.policy.printer import print_profile

_KEY: Final = re.compile(
    r"(?:(?P<namespace><\S*>)\s+)?(?:(?P<number>[0-9]{1,3})-)?(?P<key>[^\s=]+)\s*=\s*(?P<value>.*)"
)
_WORD: Final = re.compile(r"([A-Za-z_.0-9]+)\s*=\s*([^\s}]+)|(\w+)")
_MODES: Final = {mode.word: mode for mode in Mode} | {str(mode.value): mode for mode in Mode}

_RENAMED: Final = {
    "file::umount": ("file::unmount",),
    "network::inet_udp_bind": ("network::inet_dgram_bind",),
    "network::inet_udp_connect": ("network::inet_dgram_send", "network::inet_dgram_recv"),
    "network::inet_raw_connect": ("network::inet_raw_send", "network::inet_raw_recv"),
    **{f"network::inet_tcp_{word}": (f"network::inet_stream_{word}",) for word in "bind listen connect accept".split()},
}
_GONE: Final = {
    "file::rewrite": "overwriting is file write today, and file append is apart from it",
    "file::transit": "task manual_domain_transition is checked in every mode",
    **{f"capability::{name}": f"{instead} governs this today" for name, instead in INSTEAD.items()},
}
_ALWAYS: Final = {"task_info", "path_info", "exec.realpath", "exec.argv0", "symlink.target"}
"""What could be turned off in TOMOYO 1.7."""

_MAX: Final = 2**32 - 1
_DIGITS: Final = 20
"""More are no number that anybody means, and int() takes no more than some thousands."""


@dataclass(slots=True)
class _Namespace:
    """Profiles as they are read; ``defaults`` are preferences of all."""

    profiles: dict[int, Profile] = field(default_factory=dict)
    preferences: dict[int | None, dict[str, int]] = field(default_factory=dict)


class Profiles:
    """Converts one profile text."""

    def __init__(self, dialect: Dialect, notes: Notes) -> None:
        """Remarks go to ``notes``."""
        self._dialect = dialect
        self._notes = notes
        self._namespaces: dict[str, _Namespace] = {}

    def convert(self, text: str) -> str:
        """Today's profile text; comments come first."""
        comments = []
        for number, raw in text_lines(text):
            self._notes.at(number, raw.strip())
            if significant_words(raw) is None:
                comments += [f"{raw}\n"] if raw.strip() else []
                continue
            try:
                self._line(raw.strip())
            except LeftOut as error:
                self._notes.left_out(error.reason, error.advice)
        self._notes.at(0, "")
        policy = Policy()
        for name, read in self._namespaces.items():
            ensure_namespace(policy, name).profiles = read.profiles
            for number, profile in sorted(read.profiles.items()):
                for key, value in {**read.preferences.get(None, {}), **read.preferences.get(number, {})}.items():
                    setattr(profile, key, value)
                self._leave_unchecked("" if name == "<kernel>" else f"{name} ", number, profile)
        return "".join(comments) + print_profile(policy)

    def _line(self, raw: str) -> None:
        found = _KEY.fullmatch(raw)
        if found is None:
            raise LeftOut("it is no line of a profile", "see docs/language.md, Profiles")
        key, value = found["key"], found["value"].strip()
        if not is_correct_namespace(found["namespace"] or "<kernel>"):
            raise LeftOut(f"{found['namespace']!a} can't name a namespace", "write one such as <kernel>")
        namespace = self._namespaces.setdefault(found["namespace"] or "<kernel>", _Namespace())
        if key == "PROFILE_VERSION":
            return
        number = None if found["number"] is None else int(found["number"])
        if number is not None and number > 255:
            raise LeftOut("profiles have numbers from 0 to 255")
        if key.startswith("PREFERENCE"):
            self._preference(namespace.preferences.setdefault(number, {}), value)
            return
        if number is None:
            raise LeftOut("it belongs to no profile", "write N- before it")
        profile = namespace.profiles.setdefault(number, self._new())
        self._setting(profile, key, value)

    def _new(self) -> Profile:
        log = self._dialect not in (Dialect.V22, Dialect.V23)  # those had no audit log: granted requests would flood it
        return Profile(configs={"": Config(Mode.DISABLED, log, True)})

    def _setting(self, profile: Profile, key: str, value: str) -> None:
        settings: dict[str, Callable[[], None]] = {
            "COMMENT": lambda: setattr(profile, "comment", in_ascii(value)),
            "CONFIG": lambda: self._config(profile, "", value),
            "MAC_FOR_FILE": lambda: self._config(profile, "file", value),
            "MAX_ACCEPT_ENTRY": lambda: setattr(profile, "max_learning_entry", _number(value)),
        }
        if key in settings:
            settings[key]()
        elif key.startswith("CONFIG::"):
            self._named_config(profile, key.removeprefix("CONFIG::"), value)
        elif key == "TOMOYO_VERBOSE":
            raise LeftOut("there are no messages to turn off today", "sekisho log shows what was denied")
        else:
            raise LeftOut(f"{key!r} is no setting of TOMOYO {self._dialect}", "see docs/language.md, Profiles")

    def _named_config(self, profile: Profile, name: str, value: str) -> None:
        if name in _GONE:
            raise LeftOut(_GONE[name])
        found = _RENAMED.get(name, (name,))
        if found[0] not in CONFIG_NAMES:
            raise LeftOut(f"{name!r} is no operation", "see docs/language.md, Profiles")
        for each in found:
            self._config(profile, each, value)

    def _config(self, profile: Profile, name: str, value: str) -> None:
        if value == "use_default" and name:
            profile.configs.pop(name, None)
            return
        present = profile.configs.get(name) or Config(Mode.DISABLED, profile.configs[""].grant_log, True)
        mode, grant_log, reject_log = None if name else present.mode, present.grant_log, present.reject_log
        for key, text, word in _WORD.findall(value):
            if word in _MODES or (key == "mode" and text in _MODES):
                mode = _MODES[word or text]
            elif key == "grant_log" and text in ("yes", "no"):
                grant_log = text == "yes"
            elif key == "reject_log" and text in ("yes", "no"):
                reject_log = text == "yes"
            else:
                self._notes.changed(f"{word or f'{key}={text}'!r} means nothing here and is gone")
        if mode is None:
            raise LeftOut("it names no mode", f"write {{ mode=… }} with one of {' '.join(m.word for m in Mode)}")
        profile.configs[name] = Config(mode, grant_log, reject_log)

    def _preference(self, found: dict[str, int], value: str) -> None:
        gone = []
        for key, text, word in _WORD.findall(value):
            if key in ("max_audit_log", "max_grant_log", "max_reject_log"):
                found["max_audit_log"] = max(_number(text), found.get("max_audit_log", 0))
            elif key in ("max_learning_entry", "max_entry"):
                found["max_learning_entry"] = _number(text)
            elif key in ("enforcing_penalty", "penalty"):
                found["enforcing_penalty"] = _number(text)
            elif not (key in _ALWAYS and text == "yes"):
                gone.append(word or f"{key}={text}")
        if gone:
            self._notes.changed(f"{' '.join(gone)} means nothing today and is gone")

    def _leave_unchecked(self, prefix: str, number: int, profile: Profile) -> None:
        """What the older version couldn't check is disabled, or everything would be denied that has no line yet."""
        checked = checked_operations(self._dialect)
        unchecked = [name for name in CONFIG_NAMES if "::" in name and name not in checked]
        held = [name for name in unchecked if profile.config(name).mode is not Mode.DISABLED]
        whole = {name.partition("::")[0] for name in held} - {name.partition("::")[0] for name in checked}
        names = [name for name in held if name.partition("::")[0] not in whole] + sorted(whole)
        for name in names:
            profile.configs[name] = Config(Mode.DISABLED, False, True)
        if names:
            self._notes.added(
                f"{prefix}{number}-CONFIG::…={{ mode=disabled … }}",
                f"TOMOYO {self._dialect} didn't check {' '.join(names)}, so the policy has no lines for them",
                "learn them, then take these settings out",
            )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) <= _MAX):
        raise LeftOut(f"{text!r} is no number up to {_MAX}")
    return int(text)
