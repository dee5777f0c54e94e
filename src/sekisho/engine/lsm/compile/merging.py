"""States that lead to the same as another are left out of a machine."""

from __future__ import annotations

from sekisho.engine.lsm.compile.subsets import NOWHERE, OTHER, Machine

_SELF = -2


def merged(machine: Machine) -> Machine:
    """The machine with fewer states or as many, accepting what it did; state 0 stays 0.

    States are looked at from the ends of names backwards, each once: two are the same if they accept the same and have
    the same rows, or both lead to one of them where the other does. Those in longer circles are not found.
    """
    same: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
    instead = [*range(len(machine.rows)), NOWHERE]
    for state in _backwards(machine.rows):
        accepted = machine.accepted[state]
        row = [(symbol, instead[target]) for symbol, target in machine.rows[state].items()]
        ahead = row[-1][1] if row and row[-1][0] == OTHER else state
        loops = [(symbol, _SELF if target == ahead else target) for symbol, target in row]
        if ahead != state and same.get((accepted, tuple(loops))) == ahead:
            instead[state] = ahead  # it is the way into a loop, and no different from what loops there
            continue
        if ahead != state:
            loops = [(symbol, _SELF if target == state else target) for symbol, target in row]
        instead[state] = same.setdefault((accepted, tuple(loops)), state)
    kept = [state for state in range(len(machine.rows)) if instead[state] == state or state == 0]
    places = {state: place for place, state in enumerate(kept)}
    numbers = {state: places[instead[state]] if state else 0 for state in range(len(machine.rows))}
    rows = [
        {symbol: numbers[target] if target >= 0 else target for symbol, target in machine.rows[state].items()}
        for state in kept
    ]
    return Machine(rows, [machine.accepted[state] for state in kept], machine.accepts)


def _backwards(rows: list[dict[int, int]]) -> list[int]:
    """All states, each after those it leads to except where that goes round in a circle."""
    order: list[int] = []
    seen = bytearray(len(rows))
    seen[0] = 1
    path = [(0, iter(rows[0].values()))]
    while path:
        state, targets = path[-1]
        for target in targets:
            if target >= 0 and not seen[target]:
                seen[target] = 1
                path.append((target, iter(rows[target].values())))
                break
        else:
            order.append(state)
            path.pop()
    return order
