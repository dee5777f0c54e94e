"""A whole policy of an older version, file by file, as today's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sekisho.convert.dialect import Dialect, detect
from sekisho.convert.domains import Domains
from sekisho.convert.exceptions import Exceptions, any_device, overwriting
from sekisho.convert.names import domain, name
from sekisho.convert.overwriting import Overwriting
from sekisho.convert.profiles import Profiles
from sekisho.convert.remark import Fate, Line, Notes, Remark
from sekisho.convert.settle import PARSERS, settled
from sekisho.convert.text import in_ascii, significant_words, text_lines
from sekisho.learn.defaults import DEFAULT_REWRITE
from sekisho.policy.model import Policy

KINDS: Final = tuple(PARSERS)
"""What a file of policy is called, without ``.conf``."""

_FREE: Final = re.compile(r"\s*(?:#|(?:<\S*\s+)?[0-9]+-COMMENT\s*=)")
_LISTS_GROUPS: Final = re.compile(r"^\s*(?:<\S*\s+)?PROFILE_VERSION=20150505\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the older policy: what kind it is, what it is called in remarks, its text."""

    kind: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """Today's policy: the texts by kind (``rewrite`` is one more), and what has to be known of it."""

    dialect: Dialect
    texts: Mapping[str, str]
    remarks: tuple[Remark, ...]


def kind_of(name_: str, text: str) -> str:
    """Which kind of file this is: by its name, where that is one of those that TOMOYO uses, else by its text."""
    stem = name_.rpartition("/")[2].removesuffix(".conf")
    if stem in KINDS:
        return stem
    for _, raw in text_lines(text):
        words = significant_words(raw)
        if words is None:
            continue
        if re.match(r"(<\S*>\s+)?([0-9]+-[A-Z]|PROFILE_VERSION|PREFERENCE)", raw.strip()):
            return "profile"
        if words[0].startswith("/") or words[0] == "manage_by_non_root":
            return "manager"
        is_domain = words[0].startswith("<") and all("/" in word for word in words[1:])
        return "domain_policy" if is_domain or words[0] in ("select", "use_profile") else "exception_policy"
    return "exception_policy"


def convert(
    sources: Iterable[Source], dialect: Dialect | None = None, defaults: Mapping[str, str] | None = None
) -> Conversion:
    """The policy of ``sources``, one of each kind at most, in today's language; it parses.

    Its language is ``dialect``, or detected. Kinds that have no source are as in ``defaults``.
    """
    found = {source.kind: source for source in sources}
    dialect = dialect or detect(source.text for source in found.values())
    remarks: list[Remark] = []
    converter = _Converter(dialect, found, remarks)
    texts = {**(defaults or {}), **converter.texts()}
    if "profile" not in found and "profile" in texts and dialect is not Dialect.TODAY:
        texts["profile"] = Profiles(dialect, Notes("profile.conf", remarks)).convert(texts["profile"])
    _define_profiles(texts, found, remarks)
    rules = converter.rewrite
    if rules:
        rest = "".join(f"{rule}\n" for rule in rules)
        texts["rewrite"] = f"{DEFAULT_REWRITE}\n# What file_pattern said in the older policy.\n{rest}"
    order = {source.name: place for place, source in enumerate(found.values())}
    remarks.sort(key=lambda remark: (order.get(remark.file, len(order)), not remark.line, remark.line))
    return Conversion(dialect, texts, tuple(remarks))


class _Converter:
    """Holds what the files of one policy know of each other."""

    def __init__(self, dialect: Dialect, sources: Mapping[str, Source], remarks: list[Remark]) -> None:
        self._dialect = dialect
        self._sources = sources
        self._remarks = remarks
        self.rewrite: list[str] = []
        self._needs_any_device = False

    def texts(self) -> dict[str, str]:
        """Today's text of each source."""
        texts = {}
        for kind in KINDS:
            source = self._sources.get(kind)
            if source is not None:
                lines = getattr(self, f"_{kind}")(source, Notes(source.name, self._remarks))
                texts[kind] = settled(kind, source.name, map(_in_ascii, lines), self._remarks)
        if self._needs_any_device:
            group = "".join(f"{line}\n" for line in any_device())
            texts["exception_policy"] = texts.get("exception_policy", "") + group
        return texts

    def _domain_policy(self, source: Source, notes: Notes) -> list[Line]:
        exception, profile = self._sources.get("exception_policy"), self._sources.get("profile")
        domains = Domains(
            self._dialect,
            notes,
            overwriting(exception.text) if exception else Overwriting(),
            lists_groups=bool(profile and _LISTS_GROUPS.search(profile.text)),
        )
        lines = list(domains.convert(source.text))
        self._needs_any_device = domains.needs_any_device
        return lines

    def _exception_policy(self, source: Source, notes: Notes) -> list[Line]:
        exceptions = Exceptions(self._dialect, notes)
        lines = list(exceptions.convert(source.text))
        self.rewrite = exceptions.rewrite
        return lines

    def _profile(self, source: Source, notes: Notes) -> list[Line]:
        text = source.text
        if self._dialect is not Dialect.TODAY:
            text = Profiles(self._dialect, notes).convert(text)
        lines = []
        for number, raw in text_lines(text):
            notes.at(number, raw)
            lines.append(notes.line(raw))
        return lines

    def _manager(self, source: Source, notes: Notes) -> list[Line]:
        lines = []
        for number, raw in text_lines(source.text):
            notes.at(number, raw.strip())
            words = significant_words(raw)
            if words is None or not self._dialect.has_allow_lines:
                lines.append(notes.line(raw))
            elif words[0].startswith("<"):
                lines.append(notes.line(domain(words, self._dialect, notes)))
            else:
                lines.append(notes.line(" ".join(name(word, self._dialect, notes) for word in words)))
        return lines


def _in_ascii(line: Line) -> Line:
    """``line``, with what may be any text escaped."""
    if line.text.isascii() or not _FREE.match(line.text):
        return line
    return Line(in_ascii(line.text), line.number, line.original)


def _define_profiles(texts: dict[str, str], sources: Mapping[str, Source], remarks: list[Remark]) -> None:
    """Every profile that a domain uses is defined: the older kernels took one that wasn't for disabled, or halted."""
    if not sources or "profile" not in texts or "domain_policy" not in texts:
        return
    policy = Policy()
    for kind in ("profile", "domain_policy"):
        PARSERS[kind](texts[kind], policy, source=kind)
    defined = {(name_, number) for name_, space in policy.namespaces.items() for number in space.profiles}
    file = next(sources[kind].name for kind in ("profile", "domain_policy", *sources) if kind in sources)
    for used in policy.domains.values():
        if (used.namespace, used.profile) in defined:
            continue
        defined.add((used.namespace, used.profile))
        prefix = "" if used.namespace == "<kernel>" else f"{used.namespace} "
        line = f"{prefix}{used.profile}-CONFIG={{ mode=disabled grant_log=no reject_log=yes }}"
        texts["profile"] += f"{line}\n"
        remarks.append(Remark(file, 0, Fate.ADDED, line, f"domain '{used.name}' has this profile, and none defines it"))
