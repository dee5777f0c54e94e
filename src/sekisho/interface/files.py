"""The interface files, by name."""

from __future__ import annotations

import errno
from typing import Final

from sekisho.interface.access import Access
from sekisho.interface.authority import Authority
from sekisho.interface.handle import Handle, failure
from sekisho.interface.version import Version

KINDS: Final[dict[str, type[Handle]]] = {
    "version": Version,
}

MODES: Final = {
    "query": 0o600,
    "domain_policy": 0o600,
    "exception_policy": 0o600,
    "profile": 0o600,
    "manager": 0o600,
    "audit": 0o400,
    "stat": 0o644,
    ".process_status": 0o600,
    "version": 0o400,
    "self_domain": 0o666,
}
"""The files that the kernel has, and who may open them there."""


def open_file(name: str, authority: Authority, access: Access, *, readable: bool, writable: bool) -> Handle:
    """The file ``name`` is open; raises OSError with ENOENT where there is none such."""
    kind = KINDS.get(name)
    if kind is None:
        raise failure(errno.ENOENT)
    return kind(authority, access, readable=readable, writable=writable)
