"""Which words are to blame where a machine gets too many states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set


def most_held(ways: Mapping[int, Set[int]], held: Mapping[int, int], share: float) -> frozenset[int]:
    """The few words of patterns that most states are about: those that have ``share`` of all nodes held.

    At least one unless nothing is held.

    ``ways`` are the nodes of each word and ``held`` in how many states each node is. What words share counts in part
    for each of them. Words that went through one node only, the literal ones, are never to blame.
    """
    users = Counter(node for way in ways.values() for node in way)
    blame = {
        word: sum(held.get(node, 0) / users[node] for node in sorted(way)) for word, way in ways.items() if len(way) > 1
    }
    if not any(blame.values()):
        return frozenset()
    left = share * sum(blame.values())
    found: list[int] = []
    for word in sorted(blame, key=lambda word: (-blame[word], word)):
        if found and left <= 0:
            break
        found.append(word)
        left -= blame[word]
    return frozenset(found)
