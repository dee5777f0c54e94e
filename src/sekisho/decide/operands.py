"""One operand of an entry against one argument of a request."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address

from sekisho.decide.groups import path_group
from sekisho.decide.numbers import in_group
from sekisho.names.pattern import compile_pattern, is_pattern
from sekisho.policy.model import Address, Name, Namespace, Number, OperandValue

Argument = str | int
Test = Callable[[Argument, Namespace], bool]
"""Says whether an argument is what the operand allows; groups are looked up in the namespace."""


@lru_cache(maxsize=4096)
def parse_address(text: str) -> tuple[int, int]:
    """The IP version and the value of an address as a request gives it."""
    address = ip_address(text)
    return address.version, int(address)


def is_exact(operand: OperandValue) -> bool:
    """Whether the operand allows one single value, which ``exact_key`` then is."""
    if operand.group is not None:
        return False
    if isinstance(operand, Name):
        return not is_pattern(operand.text)
    return operand.low == operand.high


def exact_key(operand: OperandValue) -> Argument | tuple[int, int]:
    """What ``argument_key`` gives for the one argument that an exact operand allows."""
    if isinstance(operand, Name):
        return operand.text
    if isinstance(operand, Number):
        return operand.low
    return operand.version, operand.low


def test_for(operand: OperandValue) -> Test:
    """The operand as a test."""
    if isinstance(operand, Name):
        return _name(operand)
    if isinstance(operand, Number):
        return _number(operand)
    return _address(operand)


def _name(operand: Name) -> Test:
    group = operand.group
    if group is not None:
        return lambda argument, namespace: path_group(namespace, group).first(str(argument)) is not None
    if is_pattern(operand.text):
        matches = compile_pattern(operand.text).matches
        return lambda argument, namespace: matches(str(argument))
    text = operand.text
    return lambda argument, namespace: argument == text


def _number(operand: Number) -> Test:
    group, low, high = operand.group, operand.low, operand.high
    if group is not None:
        return lambda argument, namespace: in_group(int(argument), int(argument), group, namespace)
    return lambda argument, namespace: low <= int(argument) <= high


def _address(operand: Address) -> Test:
    def holds(argument: Argument, namespace: Namespace) -> bool:
        version, value = parse_address(str(argument))
        members = namespace.address_groups.get(operand.group, ()) if operand.group is not None else (operand,)
        return any(member.version == version and member.low <= value <= member.high for member in members)

    return holds
