"""The values policy is made of, and the mutable book that holds them (``Policy``).

Nothing here reads files or decides anything; ``parser`` makes these values from text,
``printer`` makes text of them, ``decide`` answers requests from them.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import IntEnum

from sekisho.policy.grammar import Operation


class Mode(IntEnum):
    """What happens to a request that no ACL entry grants (spec a.6)."""

    DISABLED = 0
    LEARNING = 1
    PERMISSIVE = 2
    ENFORCING = 3

    @property
    def word(self) -> str:
        """The mode as policy text spells it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Name:
    """A name operand: a literal, a pattern, or (``group`` set) ``@group``. ``text`` is exactly as written."""

    text: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A number, a range, or ``@group``; ``text`` keeps radix and is what is printed and compared."""

    text: str
    low: int = 0
    high: int = 0
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """An IPv4 or IPv6 address or range, or ``@group``; ``version`` is 4 or 6 (0 for a group)."""

    text: str
    version: int = 0
    low: int = 0
    high: int = 0
    group: str | None = None


OperandValue = Name | Number | Address


@dataclass(frozen=True, slots=True)
class Condition:
    """One clause ``left=right`` or ``left!=right``; ``text`` is canonical, the rest is for evaluation.

    ``left`` is the operand as written ("task.uid", "exec.argv[0]", "path1.perm", "0-3"...);
    ``right`` is a string (quotes kept) exactly as written.
    """

    left: str
    right: str
    equal: bool

    @property
    def text(self) -> str:
        """The clause in policy syntax."""
        return f"{self.left}{'=' if self.equal else '!='}{self.right}"


@dataclass(frozen=True, slots=True)
class AclEntry:
    """One allowing line. ``operations`` are in table order and share one group of the grammar."""

    operations: tuple[Operation, ...]
    operands: tuple[OperandValue, ...]
    preference: str | None = None
    conditions: tuple[Condition, ...] = ()
    grant_log: bool | None = None
    transition: str | None = None
    """``auto_domain_transition="..."`` (TOMOYO 1.8): the program or domain to move to once this entry has granted."""


@dataclass(slots=True, eq=False)
class Domain:
    """One domain: its name, its flags and its entries in insertion order.

    ``generation`` grows with every change, so that an index or a cache can tell that it is stale.
    ``entries`` is changed through ``policy.edit`` only, which keeps ``places`` (entry identity to serial number) and
    ``serials`` (the entries' serial numbers, ascending) in step; an entry that gains an operation is replaced where it
    stands.
    """

    name: str
    profile: int = 0
    groups: set[int] = field(default_factory=set)
    entries: list[AclEntry] = field(default_factory=list)
    quota_exceeded: bool = False
    transition_failed: bool = False
    deleted: bool = False
    chosen: bool = False
    """Its profile was chosen for this run, which ``Policy.forced_mode`` then has no say over."""
    generation: int = 0
    places: dict[Hashable, int] = field(default_factory=dict, init=False, repr=False)
    serials: list[int] = field(default_factory=list, init=False, repr=False)
    index: object | None = field(default=None, init=False, repr=False)
    """What ``decide`` keeps here to answer fast; stale when ``generation`` has moved on."""

    @property
    def namespace(self) -> str:
        """The first word of the name, such as ``<kernel>``."""
        return self.name.split(" ", 1)[0]


@dataclass(frozen=True, slots=True)
class Config:
    """What a profile says of one operation: a mode and what is logged."""

    mode: Mode
    grant_log: bool
    reject_log: bool


@dataclass(slots=True)
class Profile:
    """One profile. ``configs`` maps ``""`` (CONFIG), ``"file"``, ``"file::open"``... to what was set there."""

    comment: str = ""
    max_audit_log: int = 1024
    max_learning_entry: int = 2048
    enforcing_penalty: int = 0
    """Tenths of a second that a violator sleeps in enforcing mode when nobody is there to be asked (TOMOYO 1.8)."""
    configs: dict[str, Config] = field(default_factory=lambda: {"": Config(Mode.DISABLED, True, True)})

    def config(self, operation: str) -> Config:
        """What holds for ``operation`` ("file::open"): its own entry, else its category's, else CONFIG."""
        own = self.configs.get(operation)
        if own is not None:
            return own
        category = self.configs.get(operation.partition("::")[0])
        return category if category is not None else self.configs[""]


@dataclass(frozen=True, slots=True)
class TransitionControl:
    """``kind`` is one of the six keywords; ``program`` and ``domain`` are None for ``any``."""

    kind: str
    program: str | None
    domain: str | None


@dataclass(slots=True)
class Namespace:
    """What one ``<namespace>`` owns besides its domains (spec a.1)."""

    name: str
    profile_version: int = 20150505
    profiles: dict[int, Profile] = field(default_factory=dict)
    transitions: list[TransitionControl] = field(default_factory=list)
    aggregators: list[tuple[str, str]] = field(default_factory=list)
    path_groups: dict[str, list[Name]] = field(default_factory=dict)
    number_groups: dict[str, list[Number]] = field(default_factory=dict)
    address_groups: dict[str, list[Address]] = field(default_factory=dict)
    denied_ports: list[Number] = field(default_factory=list)
    """``deny_autobind``: local ports that the system mustn't choose by itself (TOMOYO 1.8)."""
    acl_groups: dict[int, Domain] = field(default_factory=dict)
    """Entries of ``acl_group N`` are kept in a Domain (so that one index serves both); its name is ``acl_group N``."""
    generation: int = 0
    places: dict[Hashable, int] = field(default_factory=dict, init=False, repr=False)
    index: object | None = field(default=None, init=False, repr=False)
    """What ``decide`` keeps here: the groups, ready to be asked."""


@dataclass(slots=True)
class Policy:
    """The whole policy: namespaces, domains in creation order, managers."""

    namespaces: dict[str, Namespace] = field(default_factory=lambda: {"<kernel>": Namespace("<kernel>")})
    domains: dict[str, Domain] = field(default_factory=lambda: {"<kernel>": Domain("<kernel>")})
    managers: list[str] = field(default_factory=list)
    manage_by_non_root: bool = False
    forced_mode: Mode | None = None
    """When set, every operation whose profile doesn't disable it is held in this mode (``sekisho run -m``)."""

    def config(self, domain: Domain, operation: str) -> Config:
        """The mode and log switches that hold for ``operation`` ("file::open") in ``domain``.

        An undefined profile counts as disabled, as in the kernel before activation.
        """
        profile = self.namespaces[domain.namespace].profiles.get(domain.profile)
        if profile is None:
            return Config(Mode.DISABLED, False, False)
        config = profile.config(operation)
        if self.forced_mode is None or domain.chosen or config.mode is Mode.DISABLED:
            return config
        return Config(self.forced_mode, config.grant_log, config.reject_log)
