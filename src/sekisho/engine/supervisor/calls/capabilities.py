"""``capability NAME``: what TOMOYO 1.8 knew under that name, and what the kernel has learned to do since.

Nearly all of these calls carry what matters in registers, so that the kernel runs them once policy has said yes.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from typing import Final

from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.plan import PROCEED, Answer, Plan
from sekisho.policy.grammar import PROFILE_OPERATIONS
from sekisho.policy.model import Mode

Planner = Callable[[Call], Plan | Answer]

AF_NETLINK, AF_PACKET = 16, 17
_SOCK_PACKET: Final = 10
SOCK_PACKETS: Final = tuple(_SOCK_PACKET | flags for flags in (0, 0x800, 0x80000, 0x80800))
"""The old way to a packet socket, with every flag that may be added to a socket's type."""
PLAIN: Final = (1, 2, 10, 38)
"""AF_UNIX, AF_INET, AF_INET6, whose addresses are asked for, and AF_ALG, which reaches nobody."""
_ASSOCIATING: Final = (4, 5, 6)
"""SOCK_RDM, SOCK_SEQPACKET, SOCK_DCCP."""
ASSOCIATING: Final = tuple(kind | flags for kind in _ASSOCIATING for flags in (0, 0x800, 0x80000, 0x80800))
UNNAMED_PROTOCOLS: Final = (33, 132)
"""DCCP and SCTP, which connect by other means than connect(2) as well."""
_NETWORK: Final = tuple(name for name in PROFILE_OPERATIONS if name.startswith("network::"))
_FAMILIES: Final = {AF_NETLINK: "use_route", AF_PACKET: "use_packet"}
_AF_INET, _AF_INET6 = 2, 10
_UNNAMED: Final = "makes a socket of family {} whose addresses policy can't name"
_TIMEX_SIZE: Final = 208
_SINGLE_SHOT_READ: Final = 0xA001
"""ADJ_OFFSET_SS_READ, how adjtime(3) asks what is left to do."""


def needs(name: str, *, refusal: int = errno.EPERM, warning: str | None = None) -> Planner:
    """Asks for ``capability NAME``; refused with ``refusal``, and ``warning`` is told once where it is let through."""

    def plan(call: Call) -> Plan:
        asked = ask(call, name)
        asked.refusal = -refusal
        if warning is not None:
            asked.perform, asked.always = lambda: _warn(call, warning), True
        return asked

    return plan


def _warn(call: Call, warning: str) -> Answer:
    call.supervisor.warn_once(call.process, warning)
    return PROCEED


def ask(call: Call, *names: str) -> Plan:
    """What is asked for before the kernel may run the call."""
    return Plan([call.request(f"capability {name}") for name in names], lambda: PROCEED)


def socket(call: Call) -> Plan | Answer:
    """socket(2): the families that TOMOYO 1.8 had a capability for."""
    family, kind = signed(call.args[0]), signed(call.args[1])
    if family == _AF_INET and kind in SOCK_PACKETS:
        family = AF_PACKET
    if family in _FAMILIES:
        return ask(call, _FAMILIES[family])
    if _unnamed(family, kind, signed(call.args[2])):
        call.supervisor.warn_once(call.process, f"{_UNNAMED.format(family)}: enforcing `network` refuses them")
    return PROCEED


def _unnamed(family: int, kind: int, protocol: int) -> int:
    """The errno for sockets whose addresses no policy can name, 0 for others."""
    if family in (_AF_INET, _AF_INET6):
        return errno.EPROTONOSUPPORT if kind in ASSOCIATING or protocol in UNNAMED_PROTOCOLS else 0
    return 0 if family in PLAIN or family in _FAMILIES else errno.EAFNOSUPPORT


def unnamed_socket(call: Call) -> Answer:
    """socket(2) where ``network`` is enforced: some families reach by IP addresses of their own, past every keyword."""
    config, domain = call.supervisor.judge.policy.config, call.process.domain
    if not any(config(domain, operation).mode is Mode.ENFORCING for operation in _NETWORK):
        return PROCEED
    code = _unnamed(*(signed(each) for each in call.args[:3]))
    if code:
        call.supervisor.warn_once(call.process, f"{_UNNAMED.format(signed(call.args[0]))}: refused")
    return -code or PROCEED


def adjust(clock: int | None, at: int) -> Planner:
    """adjtimex(2), clock_adjtime(2) with the clock's register: only adjusting asks for SYS_TIME.

    Whether it adjusts stands in memory, so that reading the clock's state is done in the caller's place.
    """

    def plan(call: Call) -> Plan | Answer:
        number = 0 if clock is None else signed(call.args[clock])
        modes = struct.unpack("I", call.read(call.args[at], 4))[0]
        if number < 0 or modes not in (0, _SINGLE_SHOT_READ):
            return ask(call, "SYS_TIME")

        def perform() -> Answer:
            state, data = call.run("clock_state", number, modes, _TIMEX_SIZE)
            call.write(call.args[at], data)
            return int(state)

        return Plan([], perform)

    return plan
