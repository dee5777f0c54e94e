"""Path groups made ready to be asked: literal members by hash, patterns by prefix."""

from __future__ import annotations

from dataclasses import dataclass, field

from sekisho.decide.buckets import Buckets
from sekisho.policy.model import Name, Namespace


@dataclass(slots=True)
class _Groups:
    """The groups of one namespace at one generation, made when first asked for."""

    generation: int
    ready: dict[str, tuple[list[Name], int, Buckets[str]]] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict[int, object]) -> None:
        """A copy of a namespace makes its own."""


_NOTHING: list[Name] = []


def path_group(namespace: Namespace, group: str) -> Buckets[str]:
    """The group's members, each with its own text; an undefined group has none."""
    groups = namespace.index
    if not isinstance(groups, _Groups) or groups.generation != namespace.generation:
        groups = namespace.index = _Groups(namespace.generation)
    members = namespace.path_groups.get(group, _NOTHING)
    known = groups.ready.get(group)
    if known is not None and known[0] is members and known[1] == len(members):
        return known[2]
    buckets: Buckets[str] = Buckets()
    for serial, member in enumerate(members):
        buckets.add(member.text, serial, member.text)
    groups.ready[group] = (members, len(members), buckets)
    return buckets
