"""``audit``: what was granted and what wasn't, a record with each read (spec g.6)."""

from __future__ import annotations

from sekisho.audit.text import format_text
from sekisho.interface.access import Access, Caller
from sekisho.interface.authority import Authority
from sekisho.interface.handle import Handle


class Audit(Handle):
    """Takes records out of the queue: each is read once, by whoever comes first."""

    def __init__(self, authority: Authority, access: Access, *, readable: bool, writable: bool) -> None:
        super().__init__(authority, access, readable=readable, writable=writable)
        self._unread = b""

    def read(self, caller: Caller, size: int) -> bytes:
        """The next record and a NUL, or the rest of one; empty where there is none."""
        if not self._unread and size > 0:
            record = self.authority.audit.take()
            if record is not None:
                self._unread = format_text(record).encode("ascii", "backslashreplace") + b"\0"
        read, self._unread = self._unread[:size], self._unread[size:]
        return read

    def ready(self) -> bool:
        """Whether a record waits."""
        return bool(self._unread) or len(self.authority.audit) > 0
