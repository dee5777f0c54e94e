"""Whether a rule's tests and clauses hold: bpf/clauses.h in Python."""

from __future__ import annotations

from typing import Final

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.walk.automaton import walk
from sekisho.engine.lsm.walk.request import RawFacts, RawRequest
from sekisho.engine.lsm.walk.tables import Tables
from sekisho.engine.lsm.walk.texts import visible

_PER_INODE: Final = len(layout.INODE_FACTS)
_EXECUTION: Final = layout.FACTS["exec.argc"]
_PATH1: Final = layout.FACTS["path1.uid"]


def accepts(tables: Tables, place: int, raw: bytes) -> int:
    """What the automaton at ``place`` accepts ``raw`` with; 0 if it doesn't, or there is none."""
    if place == 0:
        return 0
    return walk(tables.cells, place - 1, raw)


def holds(tables: Tables, number: int, clause: layout.Clause, facts: RawFacts) -> bool:
    """Whether a clause of list ``number`` is true."""
    kind = clause.kind
    equal = bool(clause.equal)
    if kind == layout.CLAUSE_ALWAYS:
        return True
    if kind == layout.CLAUSE_HANDLER:
        return (facts.handler != 0) == equal
    if kind in (layout.CLAUSE_NUMBER, layout.CLAUSE_RANGES, layout.CLAUSE_BITS):
        return _numeric(tables, number, clause, facts)
    if kind == layout.CLAUSE_TARGET:
        if not facts.have & layout.HAVE_TARGET:
            return False
        return (accepts(tables, clause.place, facts.target) != 0) == equal
    if not facts.have & layout.HAVE_EXECUTION:
        return False
    if kind == layout.CLAUSE_REALPATH:
        return (accepts(tables, clause.place, facts.realpath) != 0) == equal
    if kind == layout.CLAUSE_ARGUMENT:
        if clause.low >= len(facts.argv):
            return not equal
        return (accepts(tables, clause.place, visible(facts.argv[clause.low])) != 0) == equal
    if kind == layout.CLAUSE_VARIABLE:
        return _variable(tables, clause, facts)
    return False


def _has(facts: RawFacts, fact: int) -> bool:
    """Whether the object is there that the fact is about."""
    if fact < _EXECUTION:
        group = layout.HAVE_TASK
    elif fact < _PATH1:
        group = layout.HAVE_EXECUTION
    else:
        group = layout.HAVE_PATH1 << (fact - _PATH1) // _PER_INODE
    return bool(facts.have & group)


def _numeric(tables: Tables, number: int, clause: layout.Clause, facts: RawFacts) -> bool:
    equal = bool(clause.equal)
    if not _has(facts, clause.left):
        return False
    value = facts.values[clause.left]
    if clause.kind == layout.CLAUSE_BITS:
        return bool(value & clause.low) == equal
    if clause.kind == layout.CLAUSE_RANGES:
        return _in_ranges(tables, number, clause.place, clause.count, value) == equal
    if clause.right == 0:
        return bool(clause.low <= value <= clause.high) == equal
    if not _has(facts, clause.right):
        return False
    return bool(value == facts.values[clause.right]) == equal


def _variable(tables: Tables, clause: layout.Clause, facts: RawFacts) -> bool:
    equal = bool(clause.equal)
    seen = False
    for raw in facts.envp:
        number = accepts(tables, clause.place, visible(raw))
        if number == 0:
            continue
        if clause.low:
            return not equal
        if (number == 2) != equal:
            return False
        seen = True
    if clause.low:
        return equal
    return seen or not equal


def _in_ranges(tables: Tables, number: int, place: int, count: int, value: int) -> bool:
    """Whether one of the ranges, ascending and disjoint, has the value."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        at = tables.ranges[number, place + middle]
        if value < at.low:
            high = middle
        elif value > at.high:
            low = middle + 1
        else:
            return True
    return False


def passes(tables: Tables, number: int, test: layout.RuleTest, request: RawRequest, ids: tuple[int, int]) -> bool:
    """Whether an operand is what a rule's test allows; ``ids`` are those of the first and second name, 0 for none."""
    kind = test.kind
    if kind == layout.TEST_NONE:
        return True
    if kind == layout.TEST_NAME:
        return bool(ids[test.operand] == test.place)
    if kind == layout.TEST_AUTOMATON:
        return accepts(tables, test.place, request.names[test.operand]) != 0
    value = request.port if request.family is layout.INET else request.numbers[test.operand - len(request.names)]
    if kind == layout.TEST_NUMBER:
        return bool(test.low <= value <= test.high)
    return _in_ranges(tables, number, test.place, test.count, value)


def fits(tables: Tables, number: int, rule: layout.Rule, request: RawRequest, ids: tuple[int, int]) -> bool:
    """Whether a rule's tests and clauses all hold."""
    for place in range(layout.RULE_TESTS):
        if place == 0 and request.ignore_first and rule.flags & layout.RULE_IGNORE_FIRST:
            continue
        if not passes(tables, number, rule.tests[place], request, ids):
            return False
    for place in range(rule.clause_count):
        if not holds(tables, number, tables.clauses[number, rule.clauses + place], request.facts):
            return False
    return True
