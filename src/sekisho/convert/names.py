r"""Names that are written in another way today.

::

    /proc/1/status                      proc:/1/status             1.7, 2.2 and 2.3 named objects by mount point
    /proc/\$/status                     also proc:/self/status     2.2 and 2.3 knew no proc:/self
    socket:[family=2:type=1:protocol=6] socket:[\$]
    sysfs:/class/net/                   /sys/class/net/
"""

from __future__ import annotations

import re
from typing import Final

from sekisho.convert.dialect import Dialect
from sekisho.convert.remark import Notes
from sekisho.names.components import literal_prefix
from sekisho.names.pattern import compile_pattern
from sekisho.names.word import is_correct_word

_MOUNTED: Final = {
    "/proc/": "proc:/",
    "/sys/kernel/security/": "securityfs:/",
    "/sys/kernel/debug/": "debugfs:/",
    "/dev/pts/": "devpts:/",
}
"""Where file systems are mounted whose names begin with their own name today."""

_SOCKET: Final = re.compile(r"socket:\[family=.*:type=.*:protocol=.*\]")
_OTHER_PID: Final = re.compile(r"(?:[0-9]|\\\$|\\\+)*(?:\\\$|\\\+)(?:[0-9]|\\\$|\\\+)*")
_FIRST: Final = re.compile(r"/(?:\\\{(.*?)\\\}|([^/]*))(?:/|\Z)")


def names(word: str, dialect: Dialect, notes: Notes) -> list[str]:
    """What a name or pattern of ``dialect`` is today: mostly one name, sometimes one more."""
    if _SOCKET.fullmatch(word):
        notes.changed("sockets are named socket:[NUMBER] today, so the line covers every socket", "narrow the line")
        return [r"socket:[\$]"]
    if word.startswith("sysfs:/"):
        return ["/sys/" + word.removeprefix("sysfs:/")]
    if not dialect.has_allow_lines:
        return [word]
    for directory, prefix in _MOUNTED.items():
        if word.startswith(directory):
            return _inside(prefix, word.removeprefix(directory), dialect)
    if is_correct_word(word) and literal_prefix(word) == "/" and _may_be_proc(word):
        notes.changed(
            "what lies below /proc is named proc:/… today, which this pattern doesn't cover",
            "add a line with proc:/ if it is needed",
        )
    return [word]


def name(word: str, dialect: Dialect, notes: Notes) -> str:
    """The first of ``names``: for places that take one."""
    return names(word, dialect, notes)[0]


def words(raw: str, dialect: Dialect, notes: Notes) -> str:
    """A line of a dialect whose entries are today's: the names in it as they are today."""
    if dialect is Dialect.TODAY or not ("socket:[family=" in raw or "sysfs:/" in raw):
        return raw
    return " ".join(name(word, dialect, notes) for word in raw.split())


def mount_point(word: str, dialect: Dialect, notes: Notes) -> list[str]:
    """What a mount point is today: a directory is named before anything is mounted on it."""
    return [word] if word in _MOUNTED else names(word, dialect, notes)


def domain(words: list[str], dialect: Dialect, notes: Notes) -> str:
    """A domainname: its programs under the names they have today."""
    namespace, *programs = words
    return " ".join([namespace, *(name(program, dialect, notes) for program in programs)])


def _inside(prefix: str, rest: str, dialect: Dialect) -> list[str]:
    found = [prefix + rest]
    pid, slash, below = rest.partition("/")
    if prefix == "proc:/" and dialect is not Dialect.V17 and _OTHER_PID.fullmatch(pid):
        found.append(f"{prefix}self{slash}{below}")
    return found


def _may_be_proc(word: str) -> bool:
    found = _FIRST.match(word)
    assert found is not None  # it begins with a slash
    component = found[1] if found[1] is not None else found[2]
    return bool(component) and compile_pattern(f"/{component}").matches("/proc")
