"""A request written down just as it was (spec h), each word passing a function that may generalise it."""

from __future__ import annotations

from collections.abc import Callable

from sekisho.decide.arguments import visible
from sekisho.decide.operands import parse_address
from sekisho.decide.request import Request
from sekisho.decide.text import argument_texts
from sekisho.learn.generaliser import Suggestion
from sekisho.policy.grammar import Operand
from sekisho.policy.model import Address, Condition, Name, Number, OperandValue


def write_down(
    request: Request, name: Callable[[str], str] = str, number: Callable[[Request, int], Number | None] | None = None
) -> Suggestion:
    """The request as operands and conditions.

    ``name`` is asked for each pathname; ``number`` may give another operand than the plain number.
    """
    paths = request.operation.category == "file" or request.operation.keyword.startswith("network unix")
    operands: list[OperandValue] = []
    for kind, value, text in zip(request.operation.operands, request.arguments, argument_texts(request), strict=True):
        if isinstance(value, int):
            operands.append((number(request, value) if number else None) or Number(text, value, value))
        elif kind is Operand.ADDRESS:
            version, address = parse_address(text)
            operands.append(Address(text, version, address, address))
        else:
            operands.append(Name(not_a_group(name(text)) if paths else text))
    return Suggestion(tuple(operands), _conditions(request, name))


def not_a_group(text: str) -> str:
    r"""``text``, or a pattern for it where it would read as a group: ``@x`` becomes ``\?x``."""
    return f"\\?{text[1:]}" if text.startswith("@") else text


def _conditions(request: Request, name: Callable[[str], str]) -> tuple[Condition, ...]:
    facts = request.facts
    if request.operation.keyword == "file symlink" and facts.symlink_target is not None:
        return (Condition("symlink.target", f'"{not_a_group(name(facts.symlink_target))}"', True),)
    execution = facts.execution
    if request.operation.keyword != "file execute" or execution is None or not execution.argv:
        return ()
    first = like(visible(execution.argv[0]), str(request.arguments[0]), name)
    return (
        Condition("exec.realpath", f'"{name(execution.realpath)}"', True),
        Condition("exec.argv[0]", f'"{first}"', True),
    )


def like(word: str, example: str, name: Callable[[str], str]) -> str:
    """``word`` generalised; its last components, where they repeat those of ``example``, as they are there."""
    written = name(word)
    if written != word:
        return written
    parts, originals, patterns = word.split("/"), example.split("/"), name(example).split("/")
    for back in range(1, min(len(parts), len(originals)) + 1):
        if parts[-back] != originals[-back]:
            break
        parts[-back] = patterns[-back]
    return "/".join(parts)
