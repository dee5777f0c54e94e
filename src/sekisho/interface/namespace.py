"""A mount namespace of one's own, in which the paths of TOMOYO's tools lead where we say."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path
from typing import Final

from sekisho.errors import NotSupported, UserError

SECURITYFS: Final = Path("/sys/kernel/security")
INTERFACE: Final = SECURITYFS / "tomoyo"
"""Where tools look for the interface files."""
DISK_POLICY: Final = Path("/etc/tomoyo")
"""Where tools keep policy files and their own configuration."""

_CLONE_NEWNS: Final = 0x20000
_CLONE_NEWUSER: Final = 0x10000000
_MS_NOSUID: Final = 2
_MS_NODEV: Final = 4
_MS_NOEXEC: Final = 8
_MS_BIND: Final = 4096
_MS_REC: Final = 16384
_MS_PRIVATE: Final = 1 << 18
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def enter(disk_policy: Path | None) -> None:
    """This process and its children see an empty directory at ``INTERFACE``, and ``disk_policy`` at ``DISK_POLICY``.

    Nobody else does, and all of it goes with the last of them. Raises NotSupported where that can't be had.
    """
    _unshare()
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    if not INTERFACE.is_dir():
        if not SECURITYFS.is_dir():
            raise NotSupported(f"there is no {SECURITYFS}", "mount /sys, or use a kernel with CONFIG_SECURITYFS")
        _mount("tmpfs", SECURITYFS, "tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, "mode=755")
        INTERFACE.mkdir(0o755)
    if disk_policy is not None:
        _mount(disk_policy, DISK_POLICY, None, _MS_BIND)


def _unshare() -> None:
    """This process has mounts of its own; without the right to it, in a user namespace where it stays who it is."""
    if not _LIBC.unshare(_CLONE_NEWNS):
        return
    user, group = os.geteuid(), os.getegid()
    if ctypes.get_errno() != errno.EPERM or _LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWNS):
        reason = os.strerror(ctypes.get_errno())
        hint = "run it as root, or allow unprivileged user namespaces (sysctl user.max_user_namespaces)"
        raise NotSupported(f"cannot have mounts of one's own: {reason}", hint)
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError as error:
        hint = "run it as root, or let unprivileged user namespaces have capabilities (AppArmor may forbid it)"
        raise NotSupported(f"cannot set up a user namespace: {error.strerror}", hint) from None


def _mount(source: str | Path, target: str | Path, kind: str | None, flags: int, data: str | None = None) -> None:
    """mount(2)."""
    arguments = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    if _LIBC.mount(*arguments, ctypes.c_ulong(flags), None if data is None else data.encode()):
        code = ctypes.get_errno()
        if code in (errno.ENOENT, errno.ENOTDIR):
            raise UserError(f"cannot put {source} at {target}: {os.strerror(code)}")
        hint = "mounting is forbidden here: a container has to allow it"
        raise NotSupported(f"cannot mount at {target}: {os.strerror(code)}", hint)
