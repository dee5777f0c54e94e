"""What a domain's enforced policy comes to in Landlock's terms: never less than policy grants, mostly more.

Landlock knows hierarchies of files, and ports. So an entry counts for the directory that the literal beginning of
its names leads to, its conditions and addresses don't count, and what isn't enforced isn't withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sekisho.engine.supervisor.system import landlock
from sekisho.names.components import literal_prefix
from sekisho.names.pattern import compile_pattern
from sekisho.names.word import decode
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import AclEntry, Domain, Mode, Name, Namespace, Number, OperandValue, Policy

_READ: Final = landlock.READ_FILE | landlock.READ_DIR
_WRITE: Final = landlock.WRITE_FILE | landlock.TRUNCATE
_OPENING: Final = {"file read": _READ, "file write": _WRITE, "file append": _WRITE, "file truncate": _WRITE}
_CREATE: Final = "file create"
_ENTRIES: Final = {
    _CREATE: landlock.MAKE_REG,
    "file mkdir": landlock.MAKE_DIR,
    "file mkfifo": landlock.MAKE_FIFO,
    "file mksock": landlock.MAKE_SOCK,
    "file mkblock": landlock.MAKE_BLOCK,
    "file mkchar": landlock.MAKE_CHAR,
    "file symlink": landlock.MAKE_SYM,
    "file unlink": landlock.REMOVE_FILE,
    "file rmdir": landlock.REMOVE_DIR,
}
"""Right to a directory by the operation on a name in it."""
_MOVING: Final = ("file rename", "file link")
_MOVE: Final = sum(_ENTRIES.values()) | landlock.REFER
_PORTS: Final = {
    "network inet stream bind": landlock.BIND_TCP,
    "network inet stream connect": landlock.CONNECT_TCP,
}
_KEYWORDS: Final = frozenset({*_OPENING, *_ENTRIES, *_MOVING, *_PORTS})
_MOST_PORTS: Final = 1024
"""Landlock wants each port by itself: where policy grants more, nothing is withheld."""


@dataclass(slots=True)
class Left:
    """What is left on a path: ``here`` as long as it exists; ``nearest`` also when only a directory above it does."""

    here: int = 0
    nearest: int = 0


@dataclass(slots=True)
class Bounds:
    """Rights to ``files`` and ``network`` are withheld but for those left on ``paths`` and for ``ports``."""

    files: int = 0
    network: int = 0
    paths: dict[bytes, Left] = field(default_factory=dict)
    ports: dict[int, int] = field(default_factory=dict)

    def left(self, path: bytes) -> Left:
        """What is left on ``path``, to be added to."""
        return self.paths.setdefault(path, Left())


def of_use(policy: Policy, domain: Domain) -> Bounds:
    """The bounds of opening, making and removing, and of TCP ports.

    What may be made is opened in the same breath: on what the right to make it is left, the others are as well.
    """
    bounds = Bounds()
    if _enforced(policy, domain, "file::open"):
        bounds.files |= _READ | landlock.WRITE_FILE
        if _enforced(policy, domain, "file::truncate"):
            bounds.files |= landlock.TRUNCATE
    for keyword, right in _ENTRIES.items():
        if _enforced(policy, domain, OPERATIONS[keyword].profile):
            bounds.files |= right
    opened = []
    for keyword, name in _names(policy, domain, {*_OPENING, *_ENTRIES}):
        if keyword in _ENTRIES:
            bounds.left(_directory_of(name)).nearest |= _ENTRIES[keyword]
        else:
            opened.append((_object_of(name), _OPENING[keyword]))
    made = {path for path, left in bounds.paths.items() if left.nearest & landlock.MAKE_REG}
    for path, rights in opened:
        bounds.left(path).here |= rights
        for above in _upwards(path):
            if above in made:
                bounds.left(above).nearest |= rights
    _add_ports(bounds, policy, domain)
    return bounds


def of_moving(policy: Policy, domain: Domain) -> Bounds:
    """The bounds of renaming and linking, which Landlock lets happen only where nothing is gained by it: so all rights
    to directories are left wherever anything may be moved from or to, and no others are withheld."""
    bounds = Bounds(files=_MOVE)
    for _, name in _names(policy, domain, set(_MOVING)):
        bounds.left(_directory_of(name)).nearest |= _MOVE
    return bounds


def concerns(policy: Policy, domain: Domain, entries: Iterable[AclEntry]) -> bool:
    """Whether any of ``entries`` could be seen in the bounds of ``domain``; what is learned never is."""
    operations = {operation for entry in entries for operation in entry.operations}
    return any(
        operation.keyword in _KEYWORDS and _enforced(policy, domain, operation.profile) for operation in operations
    )


def _enforced(policy: Policy, domain: Domain, operation: str) -> bool:
    return policy.config(domain, operation).mode is Mode.ENFORCING


def _entries(policy: Policy, domain: Domain) -> Iterator[AclEntry]:
    yield from domain.entries
    groups = policy.namespaces[domain.namespace].acl_groups
    for number in domain.groups:
        if number in groups:
            yield from groups[number].entries


def _names(policy: Policy, domain: Domain, keywords: set[str]) -> Iterator[tuple[str, str]]:
    """(keyword, name) of whatever may be an absolute path in the entries of these keywords."""
    namespace = policy.namespaces[domain.namespace]
    for entry in _entries(policy, domain):
        for operation in entry.operations:
            if operation.keyword in keywords:
                for operand in entry.operands:
                    for text in _texts(namespace, operand):
                        if text[0] in "/\\":
                            yield operation.keyword, text


def _texts(namespace: Namespace, operand: OperandValue) -> list[str]:
    if not isinstance(operand, Name):
        return []
    if operand.group is None:
        return [operand.text]
    return [member.text for member in namespace.path_groups.get(operand.group, ())]


def _object_of(name: str) -> bytes:
    """What has to be open to get at everything that fits ``name``: itself, or a directory above."""
    prefix = literal_prefix(name)
    if prefix != name:
        prefix = prefix[: prefix.rfind("/") + 1]
    return decode(prefix).rstrip(b"/") or b"/"


def _directory_of(name: str) -> bytes:
    """The lowest directory below which everything that fits ``name`` is an entry."""
    prefix = literal_prefix(name)
    if prefix == name or (prefix.endswith("/") and compile_pattern(name).matches(prefix)):
        prefix = prefix.rstrip("/")
    return decode(prefix[: prefix.rfind("/") + 1]).rstrip(b"/") or b"/"


def _upwards(path: bytes) -> Iterator[bytes]:
    """``path`` and the directories above it."""
    while path != b"/":
        yield path
        path = path[: path.rfind(b"/")] or b"/"
    yield path


def _add_ports(bounds: Bounds, policy: Policy, domain: Domain) -> None:
    namespace = policy.namespaces[domain.namespace]
    for keyword, right in _PORTS.items():
        if not _enforced(policy, domain, OPERATIONS[keyword].profile):
            continue
        ranges = [
            number
            for entry in _entries(policy, domain)
            if any(operation.keyword == keyword for operation in entry.operations)
            for number in _numbers(namespace, entry.operands[1])
        ]
        if sum(number.high - number.low + 1 for number in ranges) > _MOST_PORTS:
            continue
        bounds.network |= right
        for number in ranges:
            for port in range(number.low, min(number.high, 0xFFFF) + 1):
                bounds.ports[port] = bounds.ports.get(port, 0) | right


def _numbers(namespace: Namespace, operand: OperandValue) -> list[Number]:
    if not isinstance(operand, Number):
        return []
    return [operand] if operand.group is None else namespace.number_groups.get(operand.group, [])
