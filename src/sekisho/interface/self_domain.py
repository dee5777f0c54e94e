"""``self_domain``: the reader's own domain, and moving to another (spec a.4)."""

from __future__ import annotations

import errno
from typing import Final

from sekisho.interface.access import Access, Caller
from sekisho.interface.authority import Authority
from sekisho.interface.handle import Handle, failure, normalise
from sekisho.names.word import is_correct_domain

_TOO_LONG: Final = 4086


class SelfDomain(Handle):
    """Open to every process of the tree; no manager is needed."""

    def __init__(self, authority: Authority, access: Access, *, readable: bool, writable: bool) -> None:
        super().__init__(authority, access, readable=readable, writable=writable)
        self._position = 0

    def read(self, caller: Caller, size: int) -> bytes:
        """The name of the domain that the caller is in now, without a newline, from where the last read stopped."""
        domain = self.authority.domain_of(caller.pid)
        name = domain.name.encode("ascii") if domain is not None else b""
        read = name[self._position : self._position + size]
        self._position += len(read)
        return read

    def write(self, caller: Caller, data: bytes) -> int:
        """The caller's thread is in the domain that ``data`` names."""
        if not 0 < len(data) < _TOO_LONG:
            raise failure(errno.ENOMEM)
        name = normalise(data)
        if not is_correct_domain(name):
            raise failure(errno.EINVAL)
        self.authority.move(caller.pid, name)
        return len(data)
