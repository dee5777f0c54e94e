"""The two books: what holds for each domain, profiles, transition control. One holds while the other is filled."""

from __future__ import annotations

from collections.abc import Mapping

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.interning import Interner
from sekisho.engine.lsm.compile.namespaces import controls
from sekisho.engine.lsm.compile.profiles import Profiles
from sekisho.engine.lsm.publish.domains import Domains
from sekisho.engine.lsm.publish.maps import Maps
from sekisho.errors import UserError
from sekisho.policy.model import Domain, Policy

_NO_BINDING = bytes(layout.Binding())


class Books:
    """Both books, as this process has filled them."""

    def __init__(self, maps: Maps, domains: Domains, interner: Interner) -> None:
        """Nothing holds yet, unless somebody else has filled the book that does."""
        self._maps = maps
        self._domains = domains
        self._interner = interner
        self._bindings: dict[int, bytes] = {}
        """What holds for each domain of policy."""
        self._profiles = self._held = Profiles(Policy())
        self.reserved: dict[int, tuple[layout.Binding, layout.Profile]] = {}
        """Domains that no policy has, which are in every book: their bindings' profile is given."""
        self.gone: set[int] = set()
        """Domains that policy had: what held for them does so until the kernel makes others of their names."""

    def slot(self, domain: Domain) -> int:
        """Where the domain's profile is in the kernel, once the book is replaced that it has been read for."""
        return self._profiles.slot_of(domain)

    def introduce(self, number: int, domain: Domain, binding: layout.Binding) -> None:
        """A domain that isn't there yet has in the book that holds what it is going to have: as soon as it is there
        tasks may move to it. Where its profile is new, they can't until the book is replaced."""
        held = layout.Binding(binding.list, binding.shared, self._held.slot_of(domain), binding.flags)
        self._maps.tables[f"bindings_{self._maps.book()}"].update(_index(number), bytes(held))

    def read(self, policy: Policy) -> None:
        """``slot`` speaks of the profiles that ``policy`` has now. Raises UserError where they are too many."""
        try:
            self._profiles = Profiles(policy)
        except ValueError as error:
            raise UserError(str(error), "remove those that no domain uses") from None

    def can_patch(self, bindings: Mapping[int, layout.Binding]) -> bool:
        """Whether these can be made to hold in the book that does: each by one store."""
        if not self._bindings:
            return False
        return all(_one_store(self._holds(number), bytes(each)) for number, each in bindings.items())

    def patch(self, bindings: Mapping[int, layout.Binding]) -> int:
        """These hold; how many are others than held."""
        packed = {number: bytes(each) for number, each in bindings.items()}
        changed = {number: each for number, each in packed.items() if self._holds(number) != each}
        table = self._maps.tables[f"bindings_{self._maps.book()}"]
        for number, binding in changed.items():
            table.update(_index(number), binding)
        self._bindings |= packed
        self.gone -= packed.keys()
        return len(changed)

    def forget(self, number: int) -> None:
        """What held for the domain doesn't count any more; what does is in the kernel."""
        self._bindings.pop(number, None)
        self.gone.discard(number)

    def _holds(self, number: int) -> bytes:
        """What holds for a domain; what the kernel gave it, if it was the kernel that made it."""
        known = None if number in self.gone else self._bindings.get(number)
        return known or self._maps.tables[f"bindings_{self._maps.book()}"].lookup(_index(number)) or _NO_BINDING

    def replace(self, policy: Policy, bindings: Mapping[int, layout.Binding], aggregators: Mapping[str, int]) -> int:
        """These, and all else that policy has, hold from one moment to the next; how many bindings are others."""
        packed = {number: bytes(each) for number, each in bindings.items()}
        changed = sum(self._holds(number) != each for number, each in packed.items())
        before = self._bindings, self.gone
        self._bindings, self.gone = self._bindings | packed, self.gone - packed.keys()
        try:
            self._turn_over(policy, 1 - self._maps.book(), aggregators)
        except BaseException:
            self._bindings, self.gone = before
            raise
        return changed

    def _turn_over(self, policy: Policy, book: int, aggregators: Mapping[str, int]) -> None:
        """``book`` is filled, and holds."""
        self._maps.begin_book(book)
        self._maps.settle()  # who has begun while it held is done
        self._fill_profiles(book)
        self._fill_controls(policy, book, aggregators)
        self._fill_bindings(book)
        self._fill_others(book)
        self._maps.set_book(book)
        self._held = self._profiles

    def _fill_profiles(self, book: int) -> None:
        rows = dict(enumerate(self._profiles.rows))
        rows |= {binding.profile: record for binding, record in self.reserved.values()}
        table = self._maps.tables[f"profiles_{book}"]
        table.update_many(b"".join(map(_index, rows)), b"".join(map(bytes, rows.values())))

    def _fill_controls(self, policy: Policy, book: int, aggregators: Mapping[str, int]) -> None:
        controlled: dict[bytes, bytes] = {}
        spaces: dict[bytes, bytes] = {}
        for name, namespace in policy.namespaces.items():
            root = self._interner.domain(name)
            for (program, domain), bits in controls(namespace, self._interner).items():
                controlled[bytes(layout.ControlKey(book, root, program, domain))] = _index(bits)
            value = layout.NamespaceValue(aggregators.get(name, 0), len(namespace.transitions))
            spaces[bytes(layout.NamespaceKey(book, root))] = bytes(value)
        self._fill("controls", book, controlled)
        self._fill("namespaces", book, spaces)

    def _fill(self, name: str, book: int, contents: dict[bytes, bytes]) -> None:
        """Of ``book`` the table has these, and nothing else."""
        table = self._maps.tables[name]
        present = [key for key, _ in table.items() if key[:4] == _index(book)]
        table.delete_many(b"".join(key for key in present if key not in contents))
        table.update_many(b"".join(contents), b"".join(contents.values()))

    def _fill_bindings(self, book: int) -> None:
        """The book has what holds for every domain of policy, and of the engine's own."""
        contents = self._bindings | {number: bytes(binding) for number, (binding, _) in self.reserved.items()}
        self._write(book, contents)

    def _fill_others(self, book: int) -> None:
        """The book has what holds for the domains that policy doesn't have: the kernel has just made them, or tasks are
        in them still. Those that the kernel makes from now on have it from what stands in the book."""
        done = -1
        while done != (made := len(self.made_by_kernel())):
            # Who is making one may have looked at the book before that was there.
            self._maps.settle()
            others = [*self._domains.numbers(), *self.made_by_kernel()]
            contents = {number: self._inherited(number) for number in others if not self._is_given(number)}
            self._write(book, contents)
            done = made

    def _is_given(self, number: int) -> bool:
        if number in self.gone:
            return not self._domains.record(number).flags & layout.DOMAIN_EXISTS
        return number in self._bindings or number in self.reserved

    def _inherited(self, number: int) -> bytes:
        """What a domain has that policy doesn't say anything of: the profile and groups of who made it, or of the one
        above it, and no entries."""
        seen: set[int] = set()
        if number in self.gone:
            number = self._domains.record(number).creator
        while number and number not in seen:
            seen.add(number)
            if number in self._bindings:
                binding = layout.Binding.from_buffer_copy(self._bindings[number])
                return bytes(layout.Binding(0, binding.shared, binding.profile, 0))
            record = self._domains.record(number)
            number = record.creator or record.parent
        return _NO_BINDING

    def _write(self, book: int, contents: Mapping[int, bytes]) -> None:
        if contents:
            table = self._maps.tables[f"bindings_{book}"]
            table.update_many(b"".join(map(_index, contents)), b"".join(contents.values()))

    def made_by_kernel(self) -> range:
        """The ids that the kernel has given to domains, whether they came to be or not."""
        counts = self._maps.tables["counts"].lookup(_index(0)) or bytes(layout.Counts())
        first = layout.DOMAINS_BY_KERNEL
        made: int = layout.Counts.from_buffer_copy(counts).next_domain
        return range(first, min(first + made, layout.DOMAINS))


def _one_store(held: bytes, wanted: bytes) -> bool:
    """Whether only the list is another, or nothing is: a store of four bytes is seen whole."""
    return held[4:] == wanted[4:]


def _index(number: int) -> bytes:
    return number.to_bytes(4, "little")
