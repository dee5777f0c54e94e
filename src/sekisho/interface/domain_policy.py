"""``domain_policy``: every domain with its entries; or one, chosen by process, name or pending question (spec g.3).

::

    DOM                                  make it if there is none, and write to it from here on
    select DOM                           write to it if it is there
    delete DOM                           it is listed no more
    [delete ]ENTRY   use_profile N   [delete ]use_group N   [delete ]quota_exceeded|transition_failed
    select pid=N|global-pid=N|domain=DOM|Q=N      anybody may: write to it, and read only it
    select transition_only               anybody may: show only what moves a process to another domain
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sekisho.interface.access import Access
from sekisho.interface.authority import Authority
from sekisho.interface.handle import TextFile
from sekisho.policy.acl import acl_at
from sekisho.policy.edit import add_entry, delete_domain, delete_entry, ensure_domain
from sekisho.policy.model import Domain
from sekisho.policy.operands import domain_at
from sekisho.policy.printer import print_acl, print_domain, transition_entries

TRANSITION_ONLY: Final = "select transition_only"
_SELECT: Final = re.compile(r"select (?:(?P<by>pid|global-pid|Q)= ?(?P<number>[0-9]+).*|domain=(?P<name>.*))")
_NUMBER: Final = re.compile(r"use_(?P<of>profile|group) (?P<number>[0-9]{1,10})(?![0-9])")
_FLAGS: Final = ("quota_exceeded", "transition_failed")
_LARGEST: Final = 255
_DIGITS: Final = 10
_AT_ONCE: Final = 256
"""So many entries are printed with one piece."""


class DomainPolicy(TextFile):
    """Domains, in order of creation. One that is deleted while somebody writes to it is still written to."""

    def __init__(self, authority: Authority, access: Access, *, readable: bool, writable: bool) -> None:
        super().__init__(authority, access, readable=readable, writable=writable)
        self._domain: Domain | None = None
        """What lines are written to."""
        self._chosen: tuple[str, Domain | None] | None = None
        """The header and the only domain that is read."""
        self._transition_only = False

    def text(self) -> Iterator[str]:
        """The domains that are there at the beginning, and still are when it is their turn."""
        if self._chosen is not None:
            header, domain = self._chosen
            yield header
            if domain is not None:
                yield from domain_text(domain, transition_only=self._transition_only)
            return
        for domain in list(self.authority.policy.domains.values()):
            if not domain.deleted:
                yield from domain_text(domain, transition_only=self._transition_only)

    def forget(self) -> None:
        """Nothing is selected."""
        self._domain = self._chosen = None
        self._transition_only = False

    def open_line(self, line: str) -> bool:
        """Looking a domain up, and choosing what is shown, needs no rights."""
        if line == TRANSITION_ONLY:
            self._transition_only = True
            return True
        found = _SELECT.fullmatch(line)
        if found is None:
            return False
        domain = self._domain = self._look_up(found)
        if self.readable:
            header = f"# {line}\n"
            if domain is not None and domain.deleted:
                header += "# This is a deleted domain.\n"
            self.restart()
            self._chosen = header, domain
            self._transition_only = False
        return True

    def _look_up(self, found: re.Match[str]) -> Domain | None:
        if found["name"] is not None:
            return self.authority.policy.domains.get(found["name"])
        if len(found["number"]) > _DIGITS:
            return None
        number = int(found["number"])
        if found["by"] == "Q":
            pending = self.authority.questions.pending()
            return next((question.domain for question in pending if question.serial == number), None)
        return self.authority.domain_of(number)

    def line(self, line: str) -> bool:
        """One line of domain policy; after one that names a domain, lines are written to that or to none."""
        delete = line.startswith("delete ")
        rest = line.removeprefix("delete ")
        select = not delete and rest.startswith("select ")
        rest = rest.removeprefix("select ") if select else rest
        if rest.startswith("<"):
            self._domain = None
            if delete:
                return delete_domain(self.authority.policy, rest)
            self._domain = self.authority.policy.domains.get(rest)
            return not select and (self._domain is not None or self._create(rest))
        if self._domain is None or select:
            return False
        return self._change(self._domain, rest, delete=delete)

    def _create(self, name: str) -> bool:
        words = name.split(" ")
        if domain_at(words, 0)[1] < len(words) or self.access.is_full():
            return False
        self._domain = ensure_domain(self.authority.policy, name)
        return True

    def _change(self, domain: Domain, line: str, *, delete: bool) -> bool:
        done = self._change_itself(domain, line, delete=delete)
        if done is not None:
            domain.generation += done
            return done
        entry = acl_at(line.split(" "), 0)
        if delete:
            return delete_entry(domain, entry)
        if self.access.is_full():
            return False
        add_entry(domain, entry)
        return True

    def _change_itself(self, domain: Domain, line: str, *, delete: bool) -> bool | None:
        """Profile, groups and flags; None for any other line."""
        found = _NUMBER.match(line)
        if found is not None and int(found["number"]) <= _LARGEST:
            number = int(found["number"])
            if found["of"] == "group":
                (domain.groups.discard if delete else domain.groups.add)(number)
                return True
            profiles = self.authority.policy.namespaces[domain.namespace].profiles
            if delete or (self.authority.active and number not in profiles):
                return False
            domain.profile = number
            domain.chosen = True
            return True
        for flag in _FLAGS:
            if line.startswith(flag):
                setattr(domain, flag, not delete)
                return True
        return None


def domain_text(domain: Domain, *, transition_only: bool) -> Iterator[str]:
    """The domain as it is now, in pieces: whoever answers for others meanwhile isn't kept from it."""
    entries = list(transition_entries(domain.entries) if transition_only else domain.entries)
    yield print_domain(replace(domain, entries=[]))[:-1]
    for start in range(0, len(entries), _AT_ONCE):
        yield "".join(f"{print_acl(entry)}\n" for entry in entries[start : start + _AT_ONCE])
    yield "\n"
