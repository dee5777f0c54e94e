"""The interface files, by name."""

from __future__ import annotations

import errno
from typing import Final

from sekisho.interface.access import Access
from sekisho.interface.audit import Audit
from sekisho.interface.authority import Authority
from sekisho.interface.domain_policy import DomainPolicy
from sekisho.interface.exception_policy import ExceptionPolicy
from sekisho.interface.handle import Handle, failure
from sekisho.interface.manager import Manager
from sekisho.interface.process_status import ProcessStatus
from sekisho.interface.profile import ProfileFile
from sekisho.interface.query import Query
from sekisho.interface.self_domain import SelfDomain
from sekisho.interface.stat import Stat
from sekisho.interface.tree import Tree
from sekisho.interface.version import Version

KINDS: Final[dict[str, type[Handle]]] = {
    "query": Query,
    "domain_policy": DomainPolicy,
    "exception_policy": ExceptionPolicy,
    "profile": ProfileFile,
    "manager": Manager,
    "audit": Audit,
    "stat": Stat,
    ".process_status": ProcessStatus,
    "version": Version,
    "self_domain": SelfDomain,
    ".tree": Tree,
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
