"""Which program of the kernel side asks for what: so that it can be told what a kernel lacks when one doesn't load.

A hook that a kernel doesn't have, or a program that it doesn't take, leaves the operations unasked that the program
serves: nothing else stands in for it, unless ``spare`` says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from sekisho.policy.grammar import CAPABILITIES, OPERATIONS

LINEAGE: Final = "lineage"
"""What follows tasks from domain to domain: without any of it nothing is what it seems."""
PROTECTION: Final = "protection"
"""What keeps the engine itself out of reach."""

REMEMBERING: Final = frozenset({"rename_begun", "rename_ended", "protect_inode_rename", "protect_inode_link"})
"""The programs that tell when what is remembered of files and directories no longer counts: without any of them nothing
is."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program, the operations (keywords of the grammar) that it asks for, and what it is for if not for those.

    ``spare``: another program that asks for the same on kernels that lack this one's hook.
    """

    name: str
    hook: str
    operations: frozenset[str] = frozenset()
    purpose: str = ""
    spare: str = ""


def _words(prefix: str, words: str) -> frozenset[str]:
    """Keywords that begin alike: what follows is parted by spaces, or by semicolons where it holds spaces."""
    found = frozenset(f"{prefix} {word}" for word in words.split(";" if ";" in words else None))
    assert found <= OPERATIONS.keys(), found - OPERATIONS.keys()
    return found


def _asks(prefix: str, words: str, name: str, hook: str = "", spare: str = "") -> Program:
    return Program(name, hook or name, _words(prefix, words), spare=spare)


def _lineage() -> Iterable[Program]:
    executing = _words("file", "execute") | _words("misc", "env")
    handlers = _words("task", "auto_execute_handler")
    yield Program("task_alloc", "task_alloc", purpose=LINEAGE)
    yield Program("bprm_creds_for_exec", "bprm_creds_for_exec", executing, LINEAGE)
    yield Program("bprm_check_security", "bprm_check_security", executing | handlers, LINEAGE)
    for name in ("inode_follow_link", "bprm_creds_from_file", "bprm_committing_creds", "bprm_committed_creds"):
        yield Program(name, name, purpose=LINEAGE)


def _files() -> Iterable[Program]:
    yield _asks("file", "read write append", "file_open")
    yield _asks("file", "write append", "file_fcntl")
    yield _asks("file", "truncate", "path_truncate")
    yield _asks("file", "truncate", "file_truncate", spare="path_truncate")
    yield _asks("file", "getattr", "inode_getattr")
    yield _asks("file", "ioctl", "file_ioctl")
    yield _asks("file", "ioctl", "file_ioctl_compat", spare="file_ioctl")
    yield _asks("file", "chmod", "path_chmod")
    yield _asks("file", "chown chgrp", "path_chown")
    yield _asks("file", "chroot", "path_chroot")
    yield _asks("file", "unlink", "path_unlink")
    yield _asks("file", "rmdir", "path_rmdir")
    yield _asks("file", "mkdir", "path_mkdir")
    yield _asks("file", "create mkfifo mksock mkblock mkchar", "path_mknod")
    yield _asks("file", "symlink", "path_symlink")
    yield _asks("file", "link", "path_link")
    yield _asks("file", "rename", "path_rename")
    yield _asks("file", "rename", "path_exchange", "path_rename")
    yield _asks("file", "mount", "sb_mount")
    yield _asks("file", "mount", "move_mount")
    yield _asks("file", "unmount", "sb_umount")
    yield _asks("file", "pivot_root", "sb_pivotroot")


def _network() -> Iterable[Program]:
    yield _asks(
        "network",
        "inet stream bind;inet dgram bind;inet raw bind;unix stream bind;unix dgram bind;unix seqpacket bind",
        "socket_bind",
    )
    yield _asks("network", "inet stream listen;unix stream listen;unix seqpacket listen", "socket_listen")
    sends = "inet dgram send;inet raw send;unix dgram send"
    yield _asks("network", f"inet stream connect;unix stream connect;unix seqpacket connect;{sends}", "socket_connect")
    yield _asks("network", f"inet stream connect;{sends}", "socket_sendmsg")
    accepts = "inet stream accept;unix stream accept;unix seqpacket accept"
    yield _asks("network", accepts, "sock_graft")
    receives = "inet dgram recv;inet raw recv;unix dgram recv"
    yield _asks("network", f"{accepts};{receives}", "socket_recvmsg")
    yield _asks("network", f"{accepts};{receives}", "sock_freed", "sk_free_security")
    yield _asks("network", accepts, "socket_getsockopt")
    yield _asks("network", accepts, "file_permission")
    yield _asks("network", receives, "socket_post_create")
    yield _asks("network", receives, "socket_sock_rcv_skb")


def _ipc() -> Iterable[Program]:
    tracing = _words("ipc", "ptrace") | _words("capability", "SYS_PTRACE")
    reaching = _words("ipc", "read_memory write_memory get_descriptor")
    yield _asks("ipc", "signal", "task_kill")
    yield _asks("ipc", "signal", "file_set_fowner")
    yield _asks("ipc", "signal", "signal_chosen", "file_fcntl")
    yield _asks("ipc", "signal", "file_send_sigiotask")
    yield Program("ptrace_access_check", "ptrace_access_check", tracing | reaching)
    yield Program("ptrace_traceme", "ptrace_traceme", tracing)


def _capabilities() -> Iterable[Program]:
    spaces = " ".join(word for word in CAPABILITIES if word.endswith("_namespace"))
    privileged = "SYS_REBOOT SYS_VHANGUP SYS_TIME SYS_SETHOSTNAME use_kernel_module SYS_KEXEC_LOAD"
    yield _asks("capability", f"{privileged} {spaces}", "capable")
    yield _asks("capability", spaces.replace("use_user_namespace ", ""), "namespaces_cloned", "task_alloc")
    yield _asks("capability", "use_user_namespace", "userns_create")
    yield _asks("capability", "use_route use_packet", "socket_create")
    yield _asks("capability", "SYS_NICE", "task_setnice")
    yield _asks("capability", "SYS_NICE", "task_setscheduler")
    yield _asks("capability", "use_bpf", "bpf_used", "bpf")
    yield _asks("capability", "use_perf_event", "perf_event_open")
    yield _asks("capability", "use_io_uring use_userfaultfd", "inode_init_security_anon")
    for name in ("uring_sqpoll", "uring_override_creds", "uring_cmd"):
        yield _asks("capability", "use_io_uring", name)
    yield _asks("capability", "use_fanotify", "path_notify")


def _protection() -> Iterable[Program]:
    """By what they keep from whoever isn't a manager."""
    yield from (
        Program(name, hook, purpose=PROTECTION)
        for name, hook in {
            "protect_map": "bpf_map",
            "protect_prog": "bpf_prog",
            "protect_link": "bpf",
            "protect_inode_unlink": "inode_unlink",
            "protect_inode_rmdir": "inode_rmdir",
            "protect_inode_create": "inode_create",
            "protect_inode_mkdir": "inode_mkdir",
            "protect_inode_mknod": "inode_mknod",
            "protect_inode_symlink": "inode_symlink",
            "protect_inode_rename": "inode_rename",
            "protect_inode_link": "inode_link",
            "protect_path_chmod": "path_chmod",
            "protect_path_chown": "path_chown",
            "protect_path_truncate": "path_truncate",
            "protect_file_open": "file_open",
            "protect_lock": "file_lock",
            "protect_umount": "sb_umount",
            "protect_mount": "sb_mount",
            "protect_move_mount": "move_mount",
            "protect_pivot": "sb_pivotroot",
            "protect_connect": "unix_stream_connect",
            "protect_kill": "task_kill",
            "protect_sigio": "file_send_sigiotask",
            "protect_ptrace": "ptrace_access_check",
            "protect_limits": "task_setrlimit",
            "protect_scheduler": "task_setscheduler",
            "protect_nice": "task_setnice",
            "protect_memory": "locked_down",
        }.items()
    )


PROGRAMS: Final[dict[str, Program]] = {
    program.name: program
    for part in (_lineage(), _files(), _network(), _ipc(), _capabilities(), _protection())
    for program in part
}
"""Every program that is attached to a hook of the kernel's security, by its name."""

MODIFYING: Final = frozenset({"sock_freed"})
"""Programs that are for the modify-return flavour alone."""

UNSERVED: Final[dict[str, str]] = {
    "task auto_execute_handler": "no hook can run another program than the one asked for: where file execute is "
    "enforced, what the handler would replace is refused; elsewhere it runs",
    "task denied_execute_handler": "no hook can run another program than the one asked for: what is refused is just "
    "refused",
}
"""Operations that can't do here what their entries say, and what happens instead: every such entry is told."""

UNAVAILABLE: Final[dict[str, str]] = {
    "task denied_execute_handler": UNSERVED["task denied_execute_handler"],
}
"""Operations that this engine can't ask for on any kernel, and why."""

LIMITS: Final[dict[str, str]] = {
    "task auto_execute_handler": UNSERVED["task auto_execute_handler"],
    **dict.fromkeys(
        ("network inet dgram recv", "network inet raw recv", "network unix dgram recv"),
        "asked when the datagram comes, for the domain that has received from the socket last, or else made it: "
        "conditions on the task don't hold then, and what came before stays",
    ),
    "network inet stream accept": "what is refused is handed over, but nothing can be sent or received on it",
    "network unix stream accept": "as for inet stream",
    "network unix seqpacket accept": "as for inet stream",
    "capability use_fanotify": "asked when something is to be watched (fanotify_mark), not at fanotify_init",
    "capability use_io_uring": "asked when a ring is made; what is done through one that was handed over is asked for "
    "by its own keywords alone",
    "capability use_kernel_module": "a module that the kernel loads by itself is up to modprobe's domain",
    "capability SYS_TIME": "a clock of its own (/dev/ptp*) is up to the file keywords",
    "ipc signal": "signals of terminals and of cgroup.kill aren't asked about; those of files that are ready are when "
    "they are sent, for the domain that set the owner: conditions on the task don't hold then",
    "ipc ptrace": "files of another process in proc, its memory too, are up to the file keywords",
}
"""Operations that are asked for at another moment than their name says, or with exceptions."""


def lacking(absent: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Operations that aren't asked for everywhere when these programs aren't there, and which of them are missed."""
    found: dict[str, list[str]] = {}
    for name in absent:
        program = PROGRAMS.get(name)
        if program is None or (program.spare and program.spare not in absent):
            continue
        for operation in program.operations:
            found.setdefault(operation, []).append(name)
    return {operation: tuple(sorted(found[operation])) for operation in OPERATIONS if operation in found}


def unprotected(absent: Collection[str]) -> tuple[str, ...]:
    """Those of these programs without which the engine itself can be got at."""
    return tuple(sorted(name for name in absent if name in PROGRAMS and PROGRAMS[name].purpose == PROTECTION))


def needed(operations: Collection[str]) -> frozenset[str]:
    """The programs for a policy in which only these operations are enabled anywhere: the others would ask nothing."""
    return frozenset(
        program.name
        for program in PROGRAMS.values()
        if program.purpose or not program.operations.isdisjoint(operations)
    )
