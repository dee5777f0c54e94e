"""Domains and their ids: each has one as long as the engine runs, and so has every prefix of its name."""

from __future__ import annotations

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.interning import last_word
from sekisho.engine.lsm.publish.maps import Maps, insert
from sekisho.engine.lsm.publish.names import Names
from sekisho.errors import UserError


class Domains:
    """The ids of domains; the kernel makes domains, too."""

    def __init__(self, maps: Maps, names: Names) -> None:
        """Nothing is known yet: see ``load``."""
        self._records = maps.tables["domains"]
        self._children = maps.tables["children"]
        self._names = names
        self._ids: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._next = layout.KERNEL_DOMAIN

    def load(self) -> None:
        """Every domain that has an id in the kernel is known."""
        below: dict[int, list[tuple[int, int]]] = {}
        for key, value in self._children.items():
            child = layout.ChildKey.from_buffer_copy(key)
            below.setdefault(child.parent, []).append((child.word, int.from_bytes(value, "little")))
        left = [("", 0)]
        while left:
            prefix, parent = left.pop()
            for word, domain in below.get(parent, ()):
                text = self._names.text(word)
                if text is not None and domain not in self._texts:
                    self._know(_joined(prefix, text), domain)
                    left.append((self._texts[domain], domain))
        ours = [domain for domain in self._texts if domain < layout.DOMAINS_BY_KERNEL]
        self._next = max(ours, default=0) + 1

    def domain(self, name: str) -> int:
        """The id of the domain ``name``; where it is new, it stands for a prefix of names only (see ``describe``)."""
        known = self._ids.get(name)
        if known is not None:
            return known
        prefix = name.rpartition(" ")[0]
        parent = self.domain(prefix) if prefix else 0
        key = bytes(layout.ChildKey(parent, self._names.word(last_word(name))))
        found = self._find(key)
        if not found:
            found = self._add(key, parent, name)
        self._know(name, found)
        return found

    def _find(self, key: bytes) -> int:
        return int.from_bytes(self._children.lookup(key) or b"", "little")

    def _add(self, key: bytes, parent: int, name: str) -> int:
        domain = self._next
        if domain >= layout.DOMAINS_BY_KERNEL:
            raise UserError(f"more than {domain - 1} domains", "delete some that nothing runs in any more")
        root = self.domain(name.partition(" ")[0]) if parent else domain
        word = layout.ChildKey.from_buffer_copy(key).word
        # What a domain is stands before anybody can come upon it.
        self._records.update(_index(domain), bytes(layout.Domain(parent, root, word, len(name))))
        if not insert(self._children, key, domain.to_bytes(4, "little")):
            return self._find(key)
        self._next += 1
        return domain

    def numbers(self) -> list[int]:
        """The ids of all that are known."""
        return list(self._texts)

    def describe(self, domain: int, flags: int) -> None:
        """The kernel knows ``domain`` with ``flags`` (``DOMAIN_...``)."""
        record = self.record(domain)
        if record.flags != flags:
            record.flags = flags
            self._records.update(_index(domain), bytes(record))

    def record(self, domain: int) -> layout.Domain:
        """What the kernel has of ``domain``."""
        return layout.Domain.from_buffer_copy(self._records.lookup(_index(domain)) or bytes(layout.Domain()))

    def name(self, domain: int) -> str | None:
        """The name of the domain whose id this is; None where there is no such."""
        known = self._texts.get(domain)
        if known is None and domain:
            record = self.record(domain)
            word = self._names.text(record.word) if record.word else None
            prefix = self.name(record.parent) if record.parent else ""
            if word is None or prefix is None:
                return None
            known = _joined(prefix, word)
            self._know(known, domain)
        return known

    def told(self, word: int, raw: bytes) -> None:
        """The kernel says which name a domain's last word is."""
        self._names.told(word, raw)

    def _know(self, name: str, domain: int) -> None:
        self._ids[name] = domain
        self._texts[domain] = name


def _joined(prefix: str, word: str) -> str:
    return f"{prefix} {word}" if prefix else f"<{word}>"


def _index(number: int) -> bytes:
    return number.to_bytes(4, "little")
