"""TOMOYO 1.7's capabilities: ten are today's, the others repeated what another entry says more precisely."""

from __future__ import annotations

from typing import Final

from sekisho.convert.remark import LeftOut
from sekisho.policy.grammar import CAPABILITIES

INSTEAD: Final = {
    "inet_tcp_create": "network inet stream",
    "inet_tcp_listen": "network inet stream listen",
    "inet_tcp_connect": "network inet stream connect",
    "use_inet_udp": "network inet dgram",
    "use_inet_ip": "network inet raw",
    "create_fifo": "file mkfifo",
    "create_block_dev": "file mkblock",
    "create_char_dev": "file mkchar",
    "create_unix_socket": "file mksock",
    "SYS_MOUNT": "file mount",
    "SYS_UMOUNT": "file unmount",
    "SYS_CHROOT": "file chroot",
    "SYS_KILL": "ipc signal",
    "SYS_LINK": "file link",
    "SYS_SYMLINK": "file symlink",
    "SYS_RENAME": "file rename",
    "SYS_UNLINK": "file unlink",
    "SYS_CHMOD": "file chmod",
    "SYS_CHOWN": "file chown",
    "SYS_IOCTL": "file ioctl",
    "SYS_PIVOT_ROOT": "file pivot_root",
    "conceal_mount": "file mount",
}
"""Which entries govern today what these capabilities did."""


def capability(operands: list[str]) -> str:
    """``allow_capability`` as today's line.

    Raises:
        LeftOut: there is no such capability today.
    """
    name = " ".join(operands)
    if name in INSTEAD:
        raise LeftOut(f"{INSTEAD[name]} governs this today, and {name} is no capability of its own")
    if name not in CAPABILITIES:
        raise LeftOut(f"{name!r} is no capability", f"there are: {' '.join(CAPABILITIES)}")
    return f"capability {name}"
