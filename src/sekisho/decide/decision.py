"""What policy says of a request: the value that ``decide`` gives back."""

from __future__ import annotations

from dataclasses import dataclass

from sekisho.policy.model import AclEntry, Mode


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request.

    ``granted`` is true when an ACL entry (``entry``) grants the request; in disabled mode nothing is looked up.
    ``matched`` is the text of policy's own path that matched, where an entry with one operand did: a pattern stays
    a pattern, a group gives its member. ``grant_log`` and ``reject_log`` say which audit record is due (never both).
    ``cacheable`` means that no condition was looked at and nobody moves: until policy changes, the same operation on
    the same arguments in the same domain is answered the same.
    """

    granted: bool
    mode: Mode
    entry: AclEntry | None
    matched: str | None
    grant_log: bool
    reject_log: bool
    cacheable: bool

    @property
    def allowed(self) -> bool:
        """Whether the operation may go on: it is granted, or nothing is enforced."""
        return self.granted or self.mode is not Mode.ENFORCING

    @property
    def transition(self) -> str | None:
        """Where the caller has to move to now, as the granting entry says: a pathname or a domainname; None to stay."""
        return self.entry.transition if self.entry is not None else None
