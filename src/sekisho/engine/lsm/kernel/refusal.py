"""What bpf(2) refuses, in words that say what to do."""

from __future__ import annotations

import errno
from typing import Final

from sekisho.errors import NotSupported, SekishoError, UserError

_REASONS: Final = {
    errno.EPERM: ("it isn't allowed", "be root (or have CAP_BPF, CAP_PERFMON), on a kernel that isn't locked down"),
    errno.EACCES: ("the kernel's verifier refuses it", "this is Sekisho's mistake: report it with the verifier's log"),
    errno.EINVAL: ("the kernel doesn't know it, or refuses it so", ""),
    errno.ENOSYS: ("this kernel has no bpf(2)", "use a kernel with CONFIG_BPF_SYSCALL"),
    errno.ENOMEM: ("there is not enough memory", "make the maps smaller"),
    errno.E2BIG: ("it is too big for this kernel", ""),
    errno.EBUSY: ("something else has hold of this function", "see: bpftool link list"),
    errno.EOPNOTSUPP: ("this kernel or processor can't do it", ""),
    524: ("this kernel or processor can't do it", ""),  # ENOTSUPP, which has no name in user space
}


class BadObject(SekishoError):
    """The object isn't one that this loader understands."""


class MapFull(UserError):
    """A map has no room for another entry."""


def refused(what: str, error: OSError) -> NotSupported:
    """The error to raise where the kernel refused ``what``."""
    reason, hint = explain(error)
    return NotSupported(f"{what}: {reason}", hint)


def explain(error: OSError) -> tuple[str, str]:
    """Why the kernel refuses, and what to do: ("" if there is nothing)."""
    text = f"{errno.errorcode.get(error.errno or 0, 'error')}: {error.strerror}"
    reason, hint = _REASONS.get(error.errno or 0, ("", ""))
    return (f"{reason} ({text})" if reason else text), hint
