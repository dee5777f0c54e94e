from __future__ import annotations

import pytest

from sekisho.decide.operands import exact_key, is_exact, parse_address
from sekisho.decide.operands import test_for as operand_test
from sekisho.policy.acl import parse_acl
from sekisho.policy.model import Namespace, OperandValue

NAMESPACE = Namespace("<kernel>")


def address(text: str) -> OperandValue:
    return parse_acl(f"network inet stream bind {text} 0-65535").operands[0]


def name(text: str) -> OperandValue:
    return parse_acl(f"file read {text}").operands[0]


@pytest.mark.parametrize("operand", [name("/a"), name("pipe:[1]"), address("127.0.0.1"), address("::1")])
def test_one_value_is_exact(operand: OperandValue) -> None:
    assert is_exact(operand)


@pytest.mark.parametrize("operand", [name("/\\*"), name("@G"), address("10.0.0.0-10.0.0.1"), address("@G")])
def test_more_values_are_not(operand: OperandValue) -> None:
    assert not is_exact(operand)


def test_the_key_of_an_address_does_not_depend_on_its_spelling() -> None:
    assert exact_key(address("::1")) == parse_address("0::0001")
    assert exact_key(address("0.0.0.1")) != parse_address("::1")


def test_addresses_match_within_their_version() -> None:
    ipv4 = operand_test(address("0.0.0.0-255.255.255.255"))

    assert ipv4("10.1.2.3", NAMESPACE)
    assert not ipv4("::1", NAMESPACE)


def test_an_undefined_group_matches_nothing() -> None:
    assert not operand_test(name("@G"))("/a", NAMESPACE)
    assert not operand_test(address("@G"))("::1", NAMESPACE)
