"""Core dumps: the kernel writes them where the program stands, by a name of its own, and asks nobody.

Where making files is enforced the soft limit on their size is kept at zero, unless they go to a program of the
administrator's (core(5), piping).
"""

from __future__ import annotations

import errno
import resource
import struct
from typing import TYPE_CHECKING, Final

from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import guards
from sekisho.engine.supervisor.plan import PROCEED, Answer
from sekisho.engine.supervisor.system import procfs
from sekisho.engine.supervisor.tasks import Process
from sekisho.policy.model import Domain, Mode

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor

CORE: Final = int(resource.RLIMIT_CORE)
_LIMITS: Final = struct.Struct("QQ")
_CAP_SYS_RESOURCE: Final = 1 << 24
_PATTERN: Final = "/proc/sys/kernel/core_pattern"
_ELSEWHERE: Final = (b"|", b"@")
"""How a pattern begins that names a program or a socket."""


def withhold(supervisor: Supervisor, process: Process) -> None:
    """``process``, which has entered its domain, leaves no core dump where its domain may not make files."""
    if not _concerned(supervisor, process.domain):
        return
    try:
        soft, hard = _limits(process)
        if soft:
            resource.prlimit(process.tgid, CORE, (0, hard))
    except ProcessLookupError:
        return
    except PermissionError:
        # A supervisor that is root, but may not set the limits of others (CAP_SYS_RESOURCE).
        supervisor.warn_once(process, "may leave core files: its limit can't be lowered")


def setrlimit(call: Call) -> Answer:
    """setrlimit(2) of RLIMIT_CORE."""
    return _limit(call, 0, call.args[1], 0)


def prlimit(call: Call) -> Answer:
    """prlimit(2) of others, none of which may be ours, and of RLIMIT_CORE."""
    answer = guards.not_ours(0)(call)
    if answer is not PROCEED or call.args[1] & 0xFFFFFFFF != CORE:
        return answer
    return _limit(call, signed(call.args[0]), call.args[2], call.args[3])


def _limit(call: Call, number: int, new: int, old: int) -> Answer:
    """The structure stands in memory, so that what was looked at is what is set, by us."""
    process = call.process
    if not new or not _concerned(call.supervisor, process.domain):
        return PROCEED
    soft, hard = _LIMITS.unpack(call.read(new, _LIMITS.size))
    own = not number or (number == process.tgid and not process.nested)
    if soft or not own:
        call.supervisor.warn_once(process, "wants a core dump, which the kernel would write unasked: refused")
        return -errno.EPERM
    before = tuple(_unsigned(each) for each in _limits(process))
    if hard > before[1] and not call.identity().capabilities & _CAP_SYS_RESOURCE:
        return -errno.EPERM
    call.run("limit_core", process.tgid, hard if hard < 1 << 63 else resource.RLIM_INFINITY)
    if old:
        call.write(old, _LIMITS.pack(*before))
    return 0


def _limits(process: Process) -> tuple[int, int]:
    """The soft and the hard limit; another user's limits are told by /proc alone."""
    try:
        return resource.prlimit(process.tgid, CORE)
    except PermissionError:
        words = procfs.read(f"/proc/{process.tgid}/limits").partition(b"Max core file size")[2].split()
        soft, hard = (resource.RLIM_INFINITY if word == b"unlimited" else int(word) for word in words[:2])
        return soft, hard


def _unsigned(limit: int) -> int:
    return limit & 0xFFFFFFFFFFFFFFFF


def _concerned(supervisor: Supervisor, domain: Domain) -> bool:
    if supervisor.judge.policy.config(domain, "file::create").mode is not Mode.ENFORCING:
        return False
    return not procfs.read(_PATTERN).startswith(_ELSEWHERE)
