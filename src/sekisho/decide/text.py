"""A request as ACL text: what the audit log shows, learning starts from and ``why`` names as missing."""

from __future__ import annotations

from sekisho.decide.request import Request
from sekisho.policy.grammar import Operand


def number_text(kind: Operand, value: int) -> str:
    """``value`` in the radix that ``kind`` prints in."""
    if kind is Operand.OCTAL:
        return f"0{value:o}"
    if kind is Operand.HEX:
        return f"0x{value:X}"
    return str(value)


def argument_texts(request: Request) -> tuple[str, ...]:
    """The request's arguments as policy words."""
    kinds = request.operation.operands
    return tuple(
        number_text(kind, value) if isinstance(value, int) else value
        for kind, value in zip(kinds, request.arguments, strict=True)
    )


def request_text(request: Request) -> str:
    """The request in policy syntax, such as ``file create /tmp/x 0644``."""
    return " ".join((request.operation.keyword, *argument_texts(request)))
