"""Who can be heard on the tree's datagram and raw sockets of the Internet: each has the filter of its domain.

A socket gets it when it is made, and another when policy changes or a process that has it enters another domain; in
what is called on it, its filter becomes that of the calling domain. The truth is with the kernel: what is remembered
here saves looking, and may be forgotten.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sekisho.decide.operands import parse_address
from sekisho.engine.supervisor import sieve
from sekisho.engine.supervisor.calls.sockets import Sock, opened_by
from sekisho.engine.supervisor.hearing import Sender, Senders, names_anybody, senders
from sekisho.engine.supervisor.objects import address as addresses
from sekisho.engine.supervisor.sieve import Installed, Kind
from sekisho.engine.supervisor.system import sockfilter
from sekisho.policy.model import Domain

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor
    from sekisho.engine.supervisor.tasks import Process

TYPES: Final = ("dgram", "raw")
_MOST: Final = 10000
"""Sockets and domains that are remembered."""
_PROGRAMS: Final = 256
"""Filters that are remembered."""
_LEAST_ROOM: Final = 16
"""Instructions with which a filter can always be made."""
_NOTHING: Final = Installed(ours=False, locked=False, own=b"")
_FOREIGN: Final = Installed(ours=False, locked=True, own=b"")


@dataclass(slots=True)
class _Heard:
    """What a socket's filter lets through: ``senders``, and who is named beside policy."""

    senders: Senders | None
    kind: Kind
    stale: bool = False
    """What waits to be received may have been emptied by an earlier filter."""
    reached: set[Sender] = field(default_factory=set)
    """Who was sent to by leave of the administrator, or under another address, since policy has changed."""
    promised: set[Sender] = field(default_factory=set)
    """Whose next datagram the administrator has allowed, when one had come without its contents."""

    def passes(self, who: Sender) -> bool:
        """Whether a datagram of ``who`` comes with its contents."""
        everybody = (*(self.senders or ()), *self.reached, *self.promised)
        return self.senders is None or any(_includes(each, who) for each in everybody)


class Earshot:
    """The filters of one supervisor's sockets."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._network = os.readlink("/proc/self/ns/net")
        self._known: dict[int, _Heard] = {}
        self._senders: dict[tuple[Domain, str], tuple[tuple[int, int], Senders | None]] = {}
        self._programs: dict[tuple[int, Kind, int, bool], tuple[Senders, bytes, bool]] = {}
        self._told: set[str] = set()

    def holds(self, domain: Domain, kind: str) -> bool:
        """Whether not everybody can be heard in ``domain`` on its sockets of type ``kind``."""
        return kind in TYPES and self._of(domain, kind) is not None

    def is_elsewhere(self, tid: int) -> bool:
        """Whether task ``tid`` is in another network namespace than the supervisor."""
        return os.readlink(f"/proc/{tid}/ns/net") != self._network

    def _of(self, domain: Domain, kind: str) -> Senders | None:
        stamp = (domain.generation, domain.profile)
        known = self._senders.get((domain, kind))
        if known is None or known[0] != stamp:
            found = senders(self._supervisor.judge.policy, domain, kind)
            # The same list stays the same object, which is quick to compare.
            known = (stamp, known[1] if known is not None and known[1] == found else found)
            _limit(self._senders)
            self._senders[domain, kind] = known
        return known[1]

    def tune(self, domain: Domain, sock: Sock, *, new: bool = False) -> None:
        """Whoever ``domain`` may hear is heard on ``sock``, a ``new`` one or not, and nobody else; raises OSError."""
        if not sock.cookie:
            return
        wanted = self._of(domain, sock.type)
        if wanted is None and not self._known:
            return
        known = self._known.get(sock.cookie)
        # Of what a socket is only the family ever changes (IPV6_ADDRFORM).
        if known is not None and known.kind.family == sock.family:
            if known.senders is wanted:
                return
            if known.senders == wanted:
                known.senders = wanted
                return
        kind = Kind(sock.family, sock.type, sock.protocol)
        if known is None:
            _limit(self._known)
            known = self._known[sock.cookie] = _Heard(wanted, kind)
        known.senders, known.kind = wanted, kind
        known.reached.clear()
        known.promised.clear()
        try:
            before = _NOTHING if new else _installed(sock)
            known.stale = known.stale or before.ours
            self._install(sock, known, before)
        except BaseException:
            del self._known[sock.cookie]
            raise

    def _install(self, sock: Sock, known: _Heard, before: Installed) -> None:
        if before is _FOREIGN:
            return
        if known.senders is None:
            if before.own and before.ours:
                sockfilter.attach(sock.fd, before.own)
            elif before.ours:
                sockfilter.detach(sock.fd)
            return
        own = before.own or sieve.WHOLE
        room = sieve.LONGEST - len(own) // sockfilter.SIZE
        while True:
            code, coarse = self._program(known, room, locked=before.locked)
            try:
                sockfilter.attach(sock.fd, code + own)
                break
            except OSError as failure:
                # A socket may hold no more memory than net.core.optmem_max.
                if failure.errno != errno.ENOMEM or room <= _LEAST_ROOM:
                    raise
                room = min(room, len(code) // sockfilter.SIZE) // 2
        if coarse:
            self._tell("policy names more senders than a filter holds: who stands between them is heard as well")

    def _program(self, known: _Heard, room: int, *, locked: bool) -> tuple[bytes, bool]:
        """What ``sieve.program`` makes of it, remembered for as long as policy says no more of the socket."""
        assert known.senders is not None
        beside = (*known.reached, *known.promised)
        if beside:
            return sieve.program((*known.senders, *beside), known.kind, room=room, locked=locked)
        key = (id(known.senders), known.kind, room, locked)
        made = self._programs.get(key)
        if made is None:
            _limit(self._programs, _PROGRAMS)
            # The list is kept with it, so that no other gets its id.
            made = self._programs[key] = (
                known.senders,
                *sieve.program(known.senders, known.kind, room=room, locked=locked),
            )
        return made[1:]

    def bound(self, domain: Domain, sock: Sock, address: bytes) -> None:
        """A program that is going to listen at ``address`` is told of where nothing lets it hear anybody: one that
        doesn't ask who has sent learns nothing about it, and finds nothing but empty datagrams."""
        target = addresses.inet(address)
        if not sock.cookie or target is None or not target.port or not self.holds(domain, sock.type):
            return
        if not names_anybody(self._supervisor.judge.policy, domain, sock.type):
            line = f"network inet {sock.type} recv"
            self._tell(f"{domain.name} binds {target.text} {target.port} without any `{line}`: all it hears is empty")

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._supervisor.warn(text)

    def filtered(self, domain: Domain, sock: Sock, own: bytes | None) -> None:
        """The program's own filter of ``sock`` is ``own`` (None: none) behind that of ``domain``; raises OSError."""
        self.tune(domain, sock)
        known, before = self._known[sock.cookie], _installed(sock)
        if before.locked:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        if own is None and not before.own:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        self._install(sock, known, Installed(before.ours, before.locked, own or b""))

    def locked(self, domain: Domain, sock: Sock, *, value: bool) -> None:
        """The program's own filter of ``sock`` stays as it is; ours doesn't. Raises OSError."""
        self.tune(domain, sock)
        known, before = self._known[sock.cookie], _installed(sock)
        if before.locked and not value:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        if before.locked != value:
            self._install(sock, known, Installed(before.ours, value, before.own))

    def reached(self, sock: Sock, address: bytes) -> None:
        """Who has ``address``, to which ``sock`` was allowed to send, is heard there."""
        known = self._heard(sock)
        who = _sender(sock, address)
        if known is not None and who is not None and not known.passes(who):
            known.reached.add(who)
            known.stale = True
            self._install(sock, known, _installed(sock))

    def _heard(self, sock: Sock) -> _Heard | None:
        return self._known.get(sock.cookie)

    def emptied(self, sock: Sock, address: bytes, length: int) -> bool:
        """Whether a granted datagram of ``length`` bytes came without its contents; if only the administrator has
        allowed it, the sender's next one will have them."""
        known = self._heard(sock)
        if known is None or length != known.kind.empty:
            return False
        who = _sender(sock, address)
        if who is None or known.passes(who):
            return who is not None and known.stale
        known.promised.add(who)
        known.stale = True
        self._install(sock, known, _installed(sock))
        return True

    def is_promised(self, sock: Sock, address: bytes) -> bool:
        """Whether the administrator has allowed the next datagram from ``address``."""
        known = self._heard(sock)
        return known is not None and bool(known.promised) and _sender(sock, address) in known.promised

    def kept_promise(self, sock: Sock, address: bytes) -> None:
        """The datagram that was promised has come."""
        known = self._heard(sock)
        if known is not None and self.is_promised(sock, address):
            known.promised -= {_sender(sock, address)}
            self._install(sock, known, _installed(sock))

    def drained(self, sock: Sock) -> None:
        """Nothing waits on ``sock`` any more."""
        known = self._heard(sock)
        if known is not None:
            known.stale = False

    def policy_changed(self) -> None:
        """Every socket of the tree has the filter that policy says now."""
        before = {key: known[1] for key, known in self._senders.items()}
        self._senders.clear()
        for process in list(self._supervisor.tasks.by_tgid.values()):
            if any(self._of(process.domain, kind) != before.get((process.domain, kind)) for kind in TYPES):
                self._walk(process)

    def entered(self, process: Process, former: Domain) -> None:
        """``process`` has come to its domain from ``former``."""
        if any(self._of(process.domain, kind) != self._of(former, kind) for kind in TYPES):
            self._walk(process)

    def _walk(self, process: Process) -> None:
        """Every socket that ``process`` has open is tuned; it is killed where that can't be done."""
        try:
            for sock in opened_by(process):
                self.tune(process.domain, sock)
        except (FileNotFoundError, ProcessLookupError):
            return
        except OSError as failure:
            reason = f"whom it hears can't be held to policy ({failure.strerror})"
            self._supervisor.executions.kill(process, reason)


def _installed(sock: Sock) -> Installed:
    """What the socket's filter is made of; nothing of ours can be done about what was locked, or loaded, outside."""
    try:
        found = sieve.apart(sockfilter.attached(sock.fd))
    except PermissionError:
        return _FOREIGN
    return _FOREIGN if not found.ours and sockfilter.is_locked(sock.fd) else found


def _sender(sock: Sock, raw: bytes) -> Sender | None:
    target = addresses.inet(raw)
    if target is None:
        return None
    version, value = parse_address(target.text)
    number = sock.protocol if sock.type == "raw" else target.port
    return Sender(version, value, value, (number, number))


def _includes(many: Sender, one: Sender) -> bool:
    return (
        many.version == one.version
        and many.low <= one.low <= many.high
        and many.ports[0] <= one.ports[0] <= many.ports[1]
    )


def _limit(memory: dict[Any, Any], most: int = _MOST) -> None:
    if len(memory) >= most:
        memory.clear()
