"""The ACL grammar as one table: which keyword takes which operands.

The parser, the printer, the index, learning, audit text and the profile's modes
all read this table; adding an operation is adding a row (spec: TOMOYO 2.6, section c).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Operand(StrEnum):
    """What stands at one operand's place, and in which radix a number prints by default."""

    NAME = "name"
    DOMAIN = "domain"
    ADDRESS = "address"
    DECIMAL = "decimal"
    OCTAL = "octal"
    HEX = "hex"


NUMERIC: Final = frozenset({Operand.DECIMAL, Operand.OCTAL, Operand.HEX})


@dataclass(frozen=True, slots=True)
class Operation:
    """One ACL keyword.

    ``group`` names the table row family inside which keywords may be joined by ``/``
    (as many operands, of the same kinds but for the radix a number prints in by default);
    ``profile`` is the name under which a profile's CONFIG sets its mode.
    """

    keyword: str
    group: str
    profile: str
    operands: tuple[Operand, ...]

    @property
    def category(self) -> str:
        """``file``, ``network``, ``misc``, ``ipc``, ``capability`` or ``task``."""
        return self.keyword.split(" ", 1)[0]


CAPABILITIES: Final = tuple(
    # TOMOYO 1.8's, in its order
    "use_route use_packet SYS_REBOOT SYS_VHANGUP SYS_TIME SYS_NICE SYS_SETHOSTNAME use_kernel_module SYS_KEXEC_LOAD "
    "SYS_PTRACE "
    # and what the kernel has learned to do since
    "use_bpf use_perf_event use_io_uring use_userfaultfd use_fanotify "
    "use_user_namespace use_mount_namespace use_pid_namespace use_network_namespace use_ipc_namespace "
    "use_uts_namespace use_cgroup_namespace use_time_namespace".split()
)
"""What ``capability NAME`` can name."""


def _rows() -> list[Operation]:
    name, octal = Operand.NAME, Operand.OCTAL
    rows: list[Operation] = []

    def add(prefix: str, words: str, group: str, operands: tuple[Operand, ...]) -> None:
        for word in words.split():
            keyword = f"{prefix} {word}"
            rows.append(Operation(keyword, group, _profile_name(keyword), operands))

    add("file", "execute read write append unlink getattr rmdir truncate symlink chroot unmount", "path", (name,))
    add("file", "link rename pivot_root", "path2", (name, name))
    add("file", "create mkdir mkfifo mksock", "path_number", (name, octal))
    add("file", "ioctl", "path_number", (name, Operand.HEX))
    add("file", "chmod", "path_number", (name, octal))
    add("file", "chown chgrp", "path_number", (name, Operand.DECIMAL))
    add("file", "mkblock mkchar", "device", (name, octal, Operand.DECIMAL, Operand.DECIMAL))
    add("file", "mount", "mount", (name, name, name, Operand.HEX))
    inet = (Operand.ADDRESS, Operand.DECIMAL)
    add("network inet stream", "bind listen connect accept", "inet stream", inet)
    add("network inet dgram", "bind send recv", "inet dgram", inet)
    add("network inet raw", "bind send recv", "inet raw", inet)
    add("network unix stream", "bind listen connect accept", "unix stream", (name,))
    add("network unix dgram", "bind send recv", "unix dgram", (name,))
    add("network unix seqpacket", "bind listen connect accept", "unix seqpacket", (name,))
    add("misc", "env", "env", (name,))
    add("ipc", "signal", "signal", (Operand.DECIMAL, Operand.DOMAIN))
    add("ipc", "ptrace read_memory write_memory get_descriptor", "process", (Operand.DOMAIN,))
    for capability in CAPABILITIES:
        add("capability", capability, f"capability {capability}", ())
    add("task", "manual_domain_transition", "task", (Operand.DOMAIN,))
    add("task", "auto_domain_transition", "automatic", (Operand.DOMAIN,))
    add("task", "auto_execute_handler", "handler", (name,))
    add("task", "denied_execute_handler", "denied handler", (name,))
    return rows


def _profile_name(keyword: str) -> str:
    category, _, rest = keyword.partition(" ")
    if rest in ("read", "write", "append"):
        rest = "open"
    return f"{category}::{rest.replace(' ', '_')}"


OPERATIONS: Final[dict[str, Operation]] = {row.keyword: row for row in _rows()}
"""Every ACL keyword, in printing order: TOMOYO 2.6's, those that only 1.8 had, and later ones in their style."""

PROFILE_OPERATIONS: Final[tuple[str, ...]] = tuple(
    "file::execute file::open file::create file::unlink file::getattr file::mkdir file::rmdir file::mkfifo "
    "file::mksock file::truncate file::symlink file::mkblock file::mkchar file::link file::rename file::chmod "
    "file::chown file::chgrp file::ioctl file::chroot file::mount file::unmount file::pivot_root "
    "network::inet_stream_bind network::inet_stream_listen network::inet_stream_connect network::inet_stream_accept "
    "network::inet_dgram_bind network::inet_dgram_send network::inet_dgram_recv "
    "network::inet_raw_bind network::inet_raw_send network::inet_raw_recv "
    "network::unix_stream_bind network::unix_stream_listen network::unix_stream_connect network::unix_stream_accept "
    "network::unix_dgram_bind network::unix_dgram_send network::unix_dgram_recv "
    "network::unix_seqpacket_bind network::unix_seqpacket_listen network::unix_seqpacket_connect "
    "network::unix_seqpacket_accept misc::env "
    "ipc::signal ipc::ptrace ipc::read_memory ipc::write_memory ipc::get_descriptor".split()
) + tuple(f"capability::{name}" for name in CAPABILITIES)
"""The operations a profile can set a mode for, in the kernel's order (spec b), TOMOYO 1.8's and later ones included."""
