"""Which version's language a policy is written in, told by what stands in its text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Dialect(StrEnum):
    """A language that policy may be written in; the value is the TOMOYO version that had it first.

    TOMOYO 2.6's is today's but for what only Sekisho can check; nothing in the text tells one from the other.
    """

    V17 = "1.7"
    V18 = "1.8"
    V22 = "2.2"
    V23 = "2.3"
    V24 = "2.4"
    V25 = "2.5"
    V26 = "2.6"
    TODAY = "today"

    @property
    def has_allow_lines(self) -> bool:
        """True if its entries begin with ``allow_``, and names below /proc with ``/proc/``."""
        return self in (Dialect.V17, Dialect.V22, Dialect.V23)


VERSIONS: Final = tuple(dialect.value for dialect in Dialect if dialect is not Dialect.TODAY)
"""The versions of TOMOYO that policy can be converted from."""

_VERSION: Final = re.compile(r"^[ \t]*(?:<\S*[ \t]+)?PROFILE_VERSION=([0-9]+)", re.MULTILINE)
_ALLOW: Final = re.compile(
    r"^[ \t]*(?:delete[ \t]+)?(?:allow_[a-z_/]+[ \t]|[1-7][ \t]+/|file_pattern[ \t]|deny_rewrite[ \t]|alias[ \t]"
    r"|ignore_global_allow_|(?:denied_)?execute_handler[ \t]|(?:[0-9]+-)?PREFERENCE::|[0-9]+-MAC_FOR_)",
    re.MULTILINE,
)
_PATCHED_ALLOW: Final = re.compile(
    r"^[ \t]*(?:delete[ \t]+)?(?:allow_(?:network|env|capability|signal|transit)[ \t]|ignore_global_allow_env\b"
    r"|(?:denied_)?execute_handler[ \t]|address_group[ \t]|deny_autobind[ \t]|(?:[0-9]+-)?PREFERENCE::audit"
    r"|[0-9]+-CONFIG::(?:network|capability|ipc|misc)|/\S*/ccs-)|^.*[ \t](?:if|;)[ \t]",
    re.MULTILINE,
)
_PATCHED: Final = re.compile(
    r"^[ \t]*(?:<\S*[ \t]+)?(?:delete[ \t]+)?(?:acl_group[ \t]+[0-9]+[ \t]+)?"
    r"(?:ipc[ \t]|capability[ \t]|network[ \t].*\b(?:accept|recv)\b|task[ \t]+(?:auto_|denied_)|deny_autobind[ \t]"
    r"|/\S*/ccs-|[0-9]+-CONFIG::(?:ipc|capability)|[0-9]+-PREFERENCE=.*enforcing_penalty)",
    re.MULTILINE,
)
_WITHOUT_NUMBERS: Final = re.compile(
    r"^[ \t]*(?:[0-9]+-MAC_FOR_|alias[ \t]|[1-7][ \t]+/"
    r"|allow_(?:create|mkdir|mkfifo|mksock|mkblock|mkchar|chmod|chown|chgrp|ioctl|mount)[ \t]+\S+[ \t]*$)",
    re.MULTILINE,
)


def detect(texts: Iterable[str]) -> Dialect:
    """The language that the texts of one policy are written in; today's where nothing says otherwise."""
    text = "\n".join(texts)
    version = _VERSION.search(text)
    number = version[1] if version else ""
    if _ALLOW.search(text) or number == "20090903":
        if _PATCHED_ALLOW.search(text):
            return Dialect.V17
        is_first = not number and _WITHOUT_NUMBERS.search(text)
        return Dialect.V22 if is_first else Dialect.V23
    if number in ("20100903", "20110903"):
        if _PATCHED.search(text):
            return Dialect.V18
        return Dialect.V24 if number == "20100903" else Dialect.V25
    return Dialect.TODAY
