"""Domain policy text into a policy.

::

    <kernel> /usr/sbin/sshd          make the domain if there is none, and speak of it from here on
    select <kernel> /bin/sh          speak of a domain that is there
    delete <kernel> /bin/sh          the domain is gone
    use_profile N    [delete ]use_group N    [delete ]quota_exceeded    [delete ]transition_failed
    [delete ]ENTRY
"""

from __future__ import annotations

from collections.abc import Callable

from sekisho.policy.acl import acl_at
from sekisho.policy.edit import add_entry, delete_domain, delete_entry, ensure_domain
from sekisho.policy.lines import Fault, expect_end, many_values, read_lines, words_of
from sekisho.policy.model import Domain, Policy
from sekisho.policy.operands import domain_at, small_number_at

_FLAGS = ("quota_exceeded", "transition_failed")

Change = Callable[[Policy, Domain], Domain]
"""Does what a line says, given the domain spoken of; returns the domain spoken of afterwards."""


def parse_domain_policy(text: str, policy: Policy, *, source: str = "domain_policy.conf") -> None:
    """Everything that ``text`` says is in ``policy``; if any of it is wrong, nothing is.

    Raises:
        PolicyError: the first wrong line, with the others in ``others``.
    """
    reader = _Reader(policy)
    with many_values():
        read_lines(text, source, reader.read)
        domain = Domain("")
        for change in reader.changes:
            domain = change(policy, domain)


class _Reader:
    """Collects what the lines say, and follows which domains there will be by then."""

    def __init__(self, policy: Policy) -> None:
        self.changes: list[Change] = []
        self._known = set(policy.domains)
        self._speaks_of_domain = False

    def read(self, raw: str) -> None:
        words = words_of(raw)
        first = words[0]
        if first[0] == "<":
            self._select(words, 0, create=True)
        elif first == "select":
            self._select(words, 1, create=False)
        elif first == "delete":
            if len(words) > 1 and words[1][0] == "<":
                self._delete_domain(words)
            else:
                self._read_line(words, 1, delete=True)
        else:
            self._read_line(words, 0, delete=False)

    def _select(self, words: list[str], at: int, *, create: bool) -> None:
        self._speaks_of_domain = True  # even if this line is wrong: the next ones aren't, then
        name = _whole_domain(words, at)
        if name not in self._known and not create:
            raise Fault(at, f"there is no domain {name}", "leave out select to create it")
        self._known.add(name)
        self.changes.append(lambda policy, domain: ensure_domain(policy, name))

    def _delete_domain(self, words: list[str]) -> None:
        name = _whole_domain(words, 1)
        if name == "<kernel>":
            raise Fault(1, "<kernel> can't be deleted", "delete its entries instead")
        self._known.discard(name)
        self._speaks_of_domain = False

        def change(policy: Policy, domain: Domain) -> Domain:
            delete_domain(policy, name)
            return domain

        self.changes.append(change)

    def _read_line(self, words: list[str], at: int, *, delete: bool) -> None:
        change = _line(words, at, delete=delete)
        if not self._speaks_of_domain:
            raise Fault(at, "this line belongs to no domain", "put the domainname on a line of its own before it")
        self.changes.append(change)


def _whole_domain(words: list[str], at: int) -> str:
    name, end = domain_at(words, at)
    if end < len(words):
        raise Fault(end, f"expected a pathname such as /bin/sh or the end of the domainname, found {words[end]!r}")
    return name


def _line(words: list[str], at: int, *, delete: bool) -> Change:
    first = words[at] if at < len(words) else ""
    if first in _FLAGS:
        expect_end(words, at + 1)
        return _flag(first, not delete)
    if first == "use_group":
        number = small_number_at(words, at + 1, "a group")
        expect_end(words, at + 2)
        return _group(number, delete=delete)
    if first == "use_profile":
        if delete:
            raise Fault(at, "a domain always has a profile", "write use_profile 0 for none that restricts")
        number = small_number_at(words, at + 1, "a profile")
        expect_end(words, at + 2)
        return _profile(number)
    entry = acl_at(words, at)
    edit = delete_entry if delete else add_entry

    def change(policy: Policy, domain: Domain) -> Domain:
        edit(domain, entry)
        return domain

    return change


def _flag(name: str, value: bool) -> Change:
    def change(policy: Policy, domain: Domain) -> Domain:
        setattr(domain, name, value)
        domain.generation += 1
        return domain

    return change


def _group(number: int, *, delete: bool) -> Change:
    def change(policy: Policy, domain: Domain) -> Domain:
        (domain.groups.discard if delete else domain.groups.add)(number)
        domain.generation += 1
        return domain

    return change


def _profile(number: int) -> Change:
    def change(policy: Policy, domain: Domain) -> Domain:
        domain.profile = number
        domain.generation += 1
        return domain

    return change
