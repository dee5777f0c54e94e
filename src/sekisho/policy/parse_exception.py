"""Exception policy text into a policy: ``[<namespace> ][delete ]DIRECTIVE``.

::

    aggregator PATTERN NAME
    initialize_domain | no_initialize_domain | reset_domain | no_reset_domain   PROGRAM|any [from DOMAIN|PATH|any]
    keep_domain | no_keep_domain                                                [PROGRAM|any from ]DOMAIN|PATH|any
    path_group G NAME      number_group G NUMBER      address_group G ADDRESS
    deny_autobind PORT|PORT-PORT
    acl_group N ENTRY
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from sekisho.names.pattern import is_pattern
from sekisho.names.word import is_correct_path
from sekisho.policy.acl import acl_at
from sekisho.policy.edit import add_entry, delete_entry, ensure_acl_group, ensure_namespace
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.lines import Fault, expect_end, expect_word, many_values, read_lines, suggest, words_of
from sekisho.policy.model import AclEntry, Name, Namespace, Number, Policy, TransitionControl
from sekisho.policy.numbers import number_at
from sekisho.policy.operands import address_at, domain_at, namespace_at, path_at, small_number_at, word_at

TRANSITIONS: Final = (
    "no_reset_domain",
    "reset_domain",
    "no_initialize_domain",
    "initialize_domain",
    "no_keep_domain",
    "keep_domain",
)
_OTHERS: Final = ("aggregator", "path_group", "number_group", "address_group", "deny_autobind", "acl_group")
_CATEGORIES: Final = frozenset(operation.category for operation in OPERATIONS.values())
_MAX_PORT: Final = 65535

Change = Callable[[Namespace], bool]
"""Does what a line says; returns whether anything is otherwise than before."""
Item = TypeVar("Item")


def parse_exception_policy(text: str, policy: Policy, *, source: str = "exception_policy.conf") -> None:
    """Everything that ``text`` says is in ``policy``; if any of it is wrong, nothing is.

    Raises:
        PolicyError: the first wrong line, with the others in ``others``.
    """
    changes: list[tuple[str, Change]] = []
    lists = Lists()

    def read(raw: str) -> None:
        words = words_of(raw)
        at = 1 if words[0][0] == "<" else 0
        namespace = namespace_at(words, 0) if at else "<kernel>"
        delete = words[at : at + 1] == ["delete"]
        changes.append((namespace, directive(words, at + delete, lists, delete=delete)))

    with many_values():
        read_lines(text, source, read)
        for name, change in changes:
            namespace = ensure_namespace(policy, name)
            change(namespace)
            namespace.generation += 1
        lists.write_back()


class Lists:
    """Lists held as ordered sets while lines are applied, so that ten thousand members take no time."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[list[object], dict[object, None]]] = {}

    def change(self, members: list[Item], member: Item, *, delete: bool) -> bool:
        """``member`` is (or isn't, if ``delete``) among ``members`` once ``write_back`` is called."""
        held: list[object] = members  # type: ignore[assignment]
        if id(members) not in self._held:
            self._held[id(members)] = held, dict.fromkeys(held)
        present = self._held[id(members)][1]
        if delete != (member in present):
            return False
        if delete:
            del present[member]
        else:
            present[member] = None
        return True

    def write_back(self) -> None:
        """The lists are as changed, in order of arrival."""
        for members, present in self._held.values():
            members[:] = present


def directive(words: list[str], at: int, lists: Lists, *, delete: bool) -> Change:
    """What the words from ``at`` on say, of which ``lists`` takes note; raises Fault if they say nothing."""
    keyword = expect_word(words, at, "a directive of exception policy")
    if keyword in TRANSITIONS:
        control = _transition(keyword, words, at + 1)
        return lambda namespace: lists.change(namespace.transitions, control, delete=delete)
    if keyword == "aggregator":
        pair = _aggregator(words, at + 1)
        return lambda namespace: lists.change(namespace.aggregators, pair, delete=delete)
    if keyword == "acl_group":
        number = small_number_at(words, at + 1, "a group")
        return _group_entry(number, acl_at(words, at + 2), delete=delete)
    if keyword == "deny_autobind":
        ports = _ports(words, at + 1)
        return lambda namespace: lists.change(namespace.denied_ports, ports, delete=delete)
    if keyword.endswith("_group") and keyword in _OTHERS:
        return _member(keyword, words, at + 1, lists, delete=delete)
    hint = suggest(keyword, TRANSITIONS + _OTHERS, f"there are: {' '.join(_OTHERS + TRANSITIONS)}")
    if keyword in _CATEGORIES:
        hint = "entries stand in domain policy, or here after acl_group N"
    raise Fault(at, f"unknown directive {keyword!r}", hint)


def _transition(kind: str, words: list[str], at: int) -> TransitionControl:
    expect_word(words, at, "a program or any")
    if "from" in words[at:]:
        middle = words.index("from", at)
        program, end = _program(words, at)
        if end != middle:
            raise Fault(end, f"expected from, found {words[end]!r}")
        return TransitionControl(kind, program, _from(words, middle + 1))
    if kind in ("keep_domain", "no_keep_domain"):
        return TransitionControl(kind, None, _from(words, at))
    program, end = _program(words, at)
    expect_end(words, end)
    return TransitionControl(kind, program, None)


def _program(words: list[str], at: int) -> tuple[str | None, int]:
    return (None if words[at] == "any" else path_at(words, at, "a program")), at + 1


def _from(words: list[str], at: int) -> str | None:
    word = expect_word(words, at, "a domainname, a pathname or any")
    if word[0] == "<":
        name, end = domain_at(words, at)
    else:
        name, end = ("" if word == "any" else path_at(words, at, "a domain")), at + 1
    if end < len(words) and word[0] == "<" and not is_correct_path(words[end]):
        raise Fault(end, f"expected a pathname such as /bin/sh or the end of the domainname, found {words[end]!r}")
    expect_end(words, end)
    return name or None


def _aggregator(words: list[str], at: int) -> tuple[str, str]:
    pattern = word_at(words, at, "a pathname or pattern")
    name = path_at(words, at + 1, "the name to use instead")
    if is_pattern(name):
        raise Fault(at + 1, f"the name to use instead can't be a pattern, found {name}")
    expect_end(words, at + 2)
    return pattern, name


def _ports(words: list[str], at: int) -> Number:
    word = expect_word(words, at, "a port or a range of ports")
    if word[0] == "@":
        raise Fault(at, "deny_autobind takes no group", "write its ports, a line each")
    ports = number_at(words, at, "a port")
    if ports.high > _MAX_PORT:
        raise Fault(at, f"a port is at most {_MAX_PORT}, found {ports.text}")
    expect_end(words, at + 1)
    return ports


def _group_entry(number: int, entry: AclEntry, *, delete: bool) -> Change:
    edit = delete_entry if delete else add_entry

    def change(namespace: Namespace) -> bool:
        return edit(ensure_acl_group(namespace, number), entry)

    return change


def _member(keyword: str, words: list[str], at: int, lists: Lists, *, delete: bool) -> Change:
    group = word_at(words, at, "the name of a group")
    word = expect_word(words, at + 1, "a member")
    if word[0] == "@" and keyword != "path_group":
        raise Fault(at + 1, "a group can't be a member of a group", "write its members here")
    expect_end(words, at + 2)
    if keyword == "path_group":
        name = Name(word_at(words, at + 1, "a name or pattern"))
        return lambda namespace: lists.change(namespace.path_groups.setdefault(group, []), name, delete=delete)
    if keyword == "number_group":
        number = number_at(words, at + 1, "a number or range")
        return lambda namespace: lists.change(namespace.number_groups.setdefault(group, []), number, delete=delete)
    address = address_at(words, at + 1, "an address or range")
    return lambda namespace: lists.change(namespace.address_groups.setdefault(group, []), address, delete=delete)
