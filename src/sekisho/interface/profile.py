"""``profile``: the modes, namespace by namespace (spec b).

Lines are read as the kernel reads them, looking for what it knows: a mode word anywhere in the value counts, what isn't
mentioned stays as it was, and a profile comes into being with the first line that begins with its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sekisho.interface.handle import TextFile, pieces
from sekisho.interface.prefix import namespace_of
from sekisho.policy.model import Config, Mode, Profile
from sekisho.policy.parse_profile import CONFIG_NAMES, VERSION
from sekisho.policy.printer import print_profile

_LINE: Final = re.compile(r"([0-9]{1,10})-([^=]*)=(.*)")
_VERSIONS: Final = frozenset({VERSION, 20110903})
"""Policy of any other version than these, which mean the same, couldn't be loaded again."""
_VERSION: Final = re.compile(r"PROFILE_VERSION=([0-9]{1,10})(?![0-9])")
_PREFERENCES: Final = ("max_audit_log", "max_learning_entry", "enforcing_penalty")
_LARGEST: Final = 255
_MOST: Final = 2**32 - 1


class ProfileFile(TextFile):
    """Every profile of every namespace."""

    def text(self) -> Iterator[str]:
        """The profiles as they are now."""
        return pieces(print_profile(self.authority.policy))

    def line(self, line: str) -> bool:
        """One line of profile text; a profile can't be deleted."""
        if line.startswith("delete "):
            return False
        namespace, rest = namespace_of(self.authority.policy, line)
        version = _VERSION.match(rest)
        if version is not None:
            if int(version[1]) in _VERSIONS:
                namespace.profile_version = VERSION
            return int(version[1]) in _VERSIONS
        found = _LINE.fullmatch(rest)
        if found is None or int(found[1]) > _LARGEST:
            return False
        profile = namespace.profiles.setdefault(int(found[1]), Profile())
        namespace.generation += 1
        return set_profile(profile, found[2], found[3].strip(" "))


def set_profile(profile: Profile, key: str, value: str) -> bool:
    """``profile`` is as ``key=value`` says; False for a key that there isn't."""
    if key == "COMMENT":
        profile.comment = value
        return True
    if key == "PREFERENCE":
        for name in _PREFERENCES:
            found = re.search(rf"{name}=([0-9]{{1,10}})(?![0-9])", value)
            if found is not None:
                setattr(profile, name, min(int(found[1]), _MOST))
        return True
    kind, _, name = key.partition("::")
    if kind != "CONFIG" or (key != "CONFIG" and name not in CONFIG_NAMES):
        return False
    if name and "use_default" in value:
        profile.configs.pop(name, None)
        return True
    config = _config(profile.configs.get(name), value)
    if config is not None:
        profile.configs[name] = config
    return True


def _config(present: Config | None, value: str) -> Config | None:
    """What ``value`` makes of ``present``; None as long as no mode has been set."""
    mode = present.mode if present is not None else None
    for each in Mode:
        if each.word in value:
            mode = each
    if mode is None:
        return None
    grant_log = _yes_no(value, "grant_log", present.grant_log if present is not None else True)
    return Config(mode, grant_log, _yes_no(value, "reject_log", present.reject_log if present is not None else True))


def _yes_no(value: str, key: str, otherwise: bool) -> bool:
    _, _, after = value.partition(key)
    if after.startswith("=yes"):
        return True
    return otherwise and not after.startswith("=no")
