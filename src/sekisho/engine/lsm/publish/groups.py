"""What lists are made of besides entries: the groups of their namespace. Nothing else of it changes what a list is."""

from __future__ import annotations

from dataclasses import dataclass, field

from sekisho.policy.model import Namespace


@dataclass(slots=True)
class _Seen:
    """A namespace as it was looked at last: its generation, what groups it had, and which version that is."""

    namespace: Namespace
    generation: int
    members: tuple[object, ...]
    version: int


@dataclass(slots=True)
class Groups:
    """Tells whether the groups that entries may name are others than they were."""

    _seen: dict[str, _Seen] = field(default_factory=dict)
    _next: int = 0

    def version(self, namespace: Namespace) -> int:
        """A number that is another one whenever what the groups have is."""
        seen = self._seen.get(namespace.name)
        if seen is not None and seen.namespace is namespace and seen.generation == namespace.generation:
            return seen.version
        members = _members(namespace)
        if seen is None or seen.members != members:
            self._next += 1
            seen = self._seen[namespace.name] = _Seen(namespace, namespace.generation, members, self._next)
        seen.namespace, seen.generation = namespace, namespace.generation
        return seen.version


def _members(namespace: Namespace) -> tuple[object, ...]:
    return (
        {name: tuple(held) for name, held in namespace.path_groups.items()},
        {name: tuple(held) for name, held in namespace.number_groups.items()},
        {name: tuple(held) for name, held in namespace.address_groups.items()},
    )
