"""socket(2): a datagram or raw socket of the Internet hears strangers from its birth on, or from its first write(2).

Where not everybody may be heard the supervisor therefore makes it, and hands it over with its filter.
"""

from __future__ import annotations

import errno
import os
import socket as sockets
from typing import Final

from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import capabilities, limits
from sekisho.engine.supervisor.calls.sockets import INET, described
from sekisho.engine.supervisor.plan import PROCEED, Answer, Plan
from sekisho.engine.supervisor.system.bpf import Where
from sekisho.policy.grammar import PROFILE_OPERATIONS

_FLAGS: Final = sockets.SOCK_CLOEXEC | sockets.SOCK_NONBLOCK
_TYPES: Final = {int(sockets.SOCK_DGRAM): "dgram", int(sockets.SOCK_RAW): "raw"}
_KINDS: Final = tuple(kind | flags for kind in _TYPES for flags in (0, 0x800, 0x80000, 0x80800))
HEARING: Final = Where(0, INET, within=(1, _KINDS))
"""Such sockets, with every flag that may be added to their type."""
OPERATIONS: Final = tuple(
    name for name in PROFILE_OPERATIONS if name in {f"network::inet_{kind}_recv" for kind in _TYPES.values()}
)


def socket(call: Call) -> Plan | Answer:
    """socket(2)."""
    family, kind, protocol = (signed(each) for each in call.args[:3])
    name = _TYPES.get(kind & ~_FLAGS)
    earshot = call.supervisor.earshot
    if family not in INET or name is None:
        return capabilities.socket(call)
    if not earshot.holds(call.process.domain, name) or earshot.is_elsewhere(call.tid):
        return PROCEED

    def perform() -> Answer:
        made: Fd = call.run("make_socket", family, kind, protocol)
        try:
            if limits.descriptors_used_up(call):
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            sock = described(made)
            assert sock is not None
            earshot.tune(call.process.domain, sock, new=True)
        except BaseException:
            os.close(made)
            raise
        call.close_on_exec = bool(kind & sockets.SOCK_CLOEXEC)
        return made

    return Plan([], perform)
