"""Commands of ioctl(2) that are done in the caller's place, on the very file that was judged.

Their argument is flat and of known size, they don't wait, and what they do doesn't depend on who calls. They are done
on files whose drivers give these numbers no other meaning: on a file system that somebody serves, or another device, a
number may be anything, and the kernel may wait for whoever answers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from stat import S_ISCHR, S_ISDIR, S_ISFIFO, S_ISREG, S_ISSOCK
from typing import Final

from sekisho.engine.supervisor.acting.here import filesystems
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.plan import Answer, Object

_MEMORY, _TERMINAL, _OWN_TERMINAL = 1, 4, 5
_MAJORS: Final = frozenset({_MEMORY, _TERMINAL, _OWN_TERMINAL, *range(136, 144)})
"""Devices that never wait: memory, consoles, /dev/tty and ptmx, pseudo-terminals."""


@dataclass(frozen=True, slots=True)
class Flat:
    """An argument of ``size`` bytes that the command reads, or writes, or both."""

    size: int
    given: bool = False
    told: bool = True


_NUMBER, _SETTING, _INTERFACE = Flat(4), Flat(4, given=True, told=False), Flat(40, given=True)
COMMANDS: Final[dict[int, Flat]] = {
    0x5401: Flat(36),  # TCGETS
    0x802C542A: Flat(44),  # TCGETS2
    0x5411: _NUMBER,  # TIOCOUTQ, SIOCOUTQ
    0x5413: Flat(8),  # TIOCGWINSZ
    0x5414: Flat(8, given=True, told=False),  # TIOCSWINSZ
    0x541B: _NUMBER,  # FIONREAD
    0x5421: _SETTING,  # FIONBIO
    0x5424: _NUMBER,  # TIOCGETD
    0x80045430: _NUMBER,  # TIOCGPTN
    0x40045431: _SETTING,  # TIOCSPTLCK
    0x80045439: _NUMBER,  # TIOCGPTLCK
    0x80045440: _NUMBER,  # TIOCGEXCL
    0x00000002: _NUMBER,  # FIGETBSZ
    0x00005460: Flat(8),  # FIOQSIZE
    0x80086601: _NUMBER,  # FS_IOC_GETFLAGS
    0x80087601: _NUMBER,  # FS_IOC_GETVERSION
    0x801C581F: Flat(28),  # FS_IOC_FSGETXATTR
}
"""On files, pipes, sockets, terminals."""
ON_SOCKETS: Final[dict[int, Flat]] = {
    0x8905: _NUMBER,  # SIOCATMARK
    # SIOCGIFNAME, FLAGS, ADDR, DSTADDR, BRDADDR, NETMASK, METRIC, MTU, HWADDR, INDEX, TXQLEN
    **dict.fromkeys(
        (0x8910, 0x8913, 0x8915, 0x8917, 0x8919, 0x891B, 0x891D, 0x8921, 0x8927, 0x8933, 0x8942), _INTERFACE
    ),
}


def known(command: int, file: Object) -> Flat | None:
    """What the argument of ``command`` is on the caller's open ``file``; None where only the kernel knows."""
    mode = file.status.st_mode
    flat = COMMANDS.get(command) or (ON_SOCKETS.get(command) if S_ISSOCK(mode) else None)
    if flat is None:
        return None
    if S_ISCHR(mode):
        return flat if os.major(file.status.st_rdev) in _MAJORS else None
    if S_ISREG(mode) or S_ISDIR(mode):
        return flat if filesystems().is_local(file.fd, file.status.st_dev) else None
    return flat if S_ISFIFO(mode) or S_ISSOCK(mode) else None


def perform(call: Call, command: int, file: Object, flat: Flat) -> Answer:
    """The command has been done; raises the OSError that the caller gets."""
    at = call.args[2]
    given = call.read(at, flat.size) if flat.given else bytes(flat.size)
    told: bytes = call.run("control_device", file.fd, command, given)
    if flat.told:
        call.write(at, told)
    return 0
