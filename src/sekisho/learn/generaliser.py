"""What learning writes down of a request, and the place of whatever makes it more general than it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sekisho.decide.request import Request
from sekisho.policy.model import Condition, OperandValue


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The operands and conditions that an entry granting a request should have."""

    operands: tuple[OperandValue, ...]
    conditions: tuple[Condition, ...]


class Generaliser(Protocol):
    """Says how a request is to be written down.

    The rewrite rules look at one request alone. A generaliser that weighs the evidence of many requests takes this
    same place. Whatever it suggests has to grant the request it was asked about.
    """

    def apply(self, request: Request) -> Suggestion:
        """What to learn from ``request``."""

    def name(self, name: str) -> str:
        """How ``name`` is written as an operand: as it is, or as a pattern that matches it."""
