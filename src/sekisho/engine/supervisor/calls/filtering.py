"""setsockopt(2) where it gives a socket a filter of the program's own: that stands behind the one of its domain.

It is done in the caller's place on the socket that was looked at, whatever that is: another thread may put one that
has a filter of ours under the same number.
"""

from __future__ import annotations

import errno
import struct
from typing import Final

from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls.sockets import INET, Sock, pin
from sekisho.engine.supervisor.plan import PROCEED, Answer, Plan
from sekisho.engine.supervisor.system import sockfilter
from sekisho.engine.supervisor.system.bpf import Where

FILTERING: Final = Where(
    1, (1,), within=(2, (sockfilter.ATTACH, sockfilter.DETACH, sockfilter.LOCK, sockfilter.ATTACH_BPF))
)
"""What concerns filters among the options of level SOL_SOCKET."""
_INT: Final = 4
_LONGEST: Final = 4096


def set_option(call: Call) -> Plan | Answer:
    """setsockopt(2), where it stops at all."""
    number, _, option, at, size, _ = call.args
    option &= 0xFFFFFFFF
    earshot, domain = call.supervisor.earshot, call.process.domain
    if not any(earshot.holds(domain, kind) for kind in ("dgram", "raw")):
        return PROCEED
    sock = pin(call, number)
    if signed(size) < _INT:
        return -errno.EINVAL
    (value,) = struct.unpack("i", call.read(at, _INT))
    held = sock.family in INET and earshot.holds(domain, sock.type)
    if option == sockfilter.ATTACH_BPF:
        return _loaded(call, sock, value, signed(size), held=held)
    if option == sockfilter.LOCK:
        return Plan([], lambda: _lock(call, sock, value, held=held))
    code = None
    if option == sockfilter.ATTACH:
        if signed(size) != sockfilter.PROGRAM.size:
            return -errno.EINVAL
        length, where = sockfilter.PROGRAM.unpack(call.read(at, sockfilter.PROGRAM.size))
        if not where or not 0 < length <= _LONGEST:
            return -errno.EINVAL
        code = call.read(where, length * sockfilter.SIZE)
    return Plan([], lambda: _filter(call, sock, code, held=held))


def _filter(call: Call, sock: Sock, code: bytes | None, *, held: bool) -> Answer:
    if held:
        call.supervisor.earshot.filtered(call.process.domain, sock, code)
    elif code is None:
        sockfilter.detach(sock.fd)
    else:
        sockfilter.attach(sock.fd, code)
    return 0


def _lock(call: Call, sock: Sock, value: int, *, held: bool) -> Answer:
    if held:
        call.supervisor.earshot.locked(call.process.domain, sock, value=bool(value))
    else:
        sockfilter.lock(sock.fd, value)
    return 0


def _loaded(call: Call, sock: Sock, number: int, size: int, *, held: bool) -> Answer | Plan:
    """What bpf(2) has loaded can't stand behind anything else."""
    if size != _INT:
        return -errno.EINVAL
    if held:
        call.supervisor.warn_once(call.process, "wants what bpf(2) has loaded as a filter in place of ours: refused")
        return -errno.EPERM
    program = call.opened(number)

    def perform() -> Answer:
        sockfilter.attach_loaded(sock.fd, program)
        return 0

    return Plan([], perform)
