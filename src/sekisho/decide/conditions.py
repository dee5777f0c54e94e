"""Condition clauses made ready to be evaluated (spec e).

A clause on an object that doesn't exist is false whichever operator it has. Clauses on arguments and
environment are independent of each other, so that looking at one after the other is the kernel's one walk.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sekisho.decide.arguments import environment, visible
from sekisho.decide.groups import path_group
from sekisho.decide.numbers import MODE_BITS, PERMISSIONS, fetcher, in_group, parse_range
from sekisho.decide.request import Facts
from sekisho.names.pattern import compile_pattern, is_pattern
from sekisho.policy.model import Condition, Namespace

Clause = Callable[[Facts, Namespace], bool]
"""Says whether one clause holds for the facts; groups are looked up in the namespace."""


@lru_cache(maxsize=16384)
def compile_condition(condition: Condition) -> Clause:
    """The clause as a function. Raises ValueError for an operand that no parser lets through."""
    left, right, equal = condition.left, condition.right, condition.equal
    if left == "task.type":
        return lambda facts, namespace: facts.task.execute_handler is equal
    if left == "exec.realpath":
        return _text(lambda facts: facts.execution.realpath if facts.execution else None, right, equal)
    if left == "symlink.target":
        return _text(lambda facts: facts.symlink_target, right, equal)
    if left.startswith("exec.argv["):
        return _argument(int(left[len("exec.argv[") : -1]), right, equal)
    if left.startswith("exec.envp["):
        return _environment(left[len('exec.envp["') : -2], right, equal)
    return _numeric(left, right, equal)


def _unquoted(right: str) -> str:
    return right[1:-1]


def _matcher(text: str) -> Callable[[str], bool]:
    return compile_pattern(text).matches if is_pattern(text) else text.__eq__


def _text(get: Callable[[Facts], str | None], right: str, equal: bool) -> Clause:
    # A group stands without quotes; what stands in them and begins with @ is a name.
    group = right[1:] if right.startswith("@") else None
    matches = _matcher(_unquoted(right))

    def holds(facts: Facts, namespace: Namespace) -> bool:
        value = get(facts)
        if value is None:
            return False
        if group is not None:
            return (path_group(namespace, group).first(value) is not None) is equal
        return matches(value) is equal

    return holds


def _argument(index: int, right: str, equal: bool) -> Clause:
    matches = _matcher(_unquoted(right))

    def holds(facts: Facts, namespace: Namespace) -> bool:
        execution = facts.execution
        if execution is None:
            return False
        if index >= len(execution.argv):
            return not equal
        return matches(visible(execution.argv[index])) is equal

    return holds


def _environment(name: str, right: str, equal: bool) -> Clause:
    matches = None if right == "NULL" else _matcher(_unquoted(right))

    def holds(facts: Facts, namespace: Namespace) -> bool:
        execution = facts.execution
        if execution is None:
            return False
        values = environment(execution.envp, name)
        if matches is None:
            return (not values) is equal
        if not values:
            return not equal
        return all(matches(value) is equal for value in values)

    return holds


def _numeric(left: str, right: str, equal: bool) -> Clause:
    if left in MODE_BITS or right in MODE_BITS:
        clause = _bits(left, right, equal)
        if clause is not None:
            return clause
    get_left = fetcher(left)
    if right.startswith("@"):
        return _group(left, right[1:], equal)
    get_right = fetcher(right)

    def holds(facts: Facts, namespace: Namespace) -> bool:
        one, other = get_left(facts), get_right(facts)
        if one is None or other is None:
            return False
        return (one[0] <= other[1] and other[0] <= one[1]) is equal

    return holds


def _group(left: str, group: str, equal: bool) -> Clause:
    get = fetcher(left)

    def holds(facts: Facts, namespace: Namespace) -> bool:
        value = get(facts)
        return value is not None and in_group(value[0], value[1], group, namespace) is equal

    return holds


def _bits(left: str, right: str, equal: bool) -> Clause | None:
    """A mode bit against something that isn't a plain number; None where it is one: then it is a number too."""
    if right.startswith("@") or right[0].isdigit():
        return None
    if left[0].isdigit():
        # With the number on the left the kernel tests for a permission, which a number isn't.
        parse_range(left)
        return lambda facts, namespace: False
    bit, other = (left, right) if left in MODE_BITS else (right, left)
    if other not in PERMISSIONS:
        return lambda facts, namespace: False
    get, mask = fetcher(other), MODE_BITS[bit]

    def holds(facts: Facts, namespace: Namespace) -> bool:
        value = get(facts)
        return value is not None and bool(value[0] & mask) is equal

    return holds
