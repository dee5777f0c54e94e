"""The rows of calls that concern processes and the whole machine: lineage, signals, tracing, capabilities, refusals."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Final

from sekisho.engine.supervisor.calls import capabilities, cores, creating, groups, guards, namespaces, reaching, signals
from sekisho.engine.supervisor.calls.row import Row
from sekisho.engine.supervisor.system.bpf import Where


def _lineage() -> Iterable[Row]:
    yield Row("clone", namespaces.clone, namespaces.OPERATIONS, always=True)
    yield Row("clone3", namespaces.clone3, namespaces.OPERATIONS, always=True)
    yield Row("fork", guards.fork, always=True)
    yield Row("vfork", guards.fork, always=True)
    yield Row("exit", guards.leave_thread, always=True)
    yield Row("exit_group", guards.leave, always=True)
    yield Row("unshare", namespaces.unshare, namespaces.OPERATIONS, always=True)
    yield Row("setns", namespaces.setns, namespaces.OPERATIONS, always=True)
    yield Row("prctl", guards.control, where=(Where(0, guards.PRCTLS),), always=True)


def _credentials() -> Iterable[Row]:
    """Only a privileged supervisor performs calls for other ids than its own."""
    for name in (
        "setuid",
        "setgid",
        "setreuid",
        "setregid",
        "setresuid",
        "setresgid",
        "setfsuid",
        "setfsgid",
        "setgroups",
        "capset",
    ):
        yield Row(name, guards.rights, always=True)


def _signals() -> Iterable[Row]:
    one = signals.OPERATIONS
    yield Row("kill", signals.kill, one, guard=guards.kill, always=True)
    for name, planner in (
        ("tkill", signals.kill_thread),
        ("tgkill", signals.kill_group_thread),
        ("rt_sigqueueinfo", signals.queue),
        ("rt_tgsigqueueinfo", signals.queue_to_thread),
    ):
        yield Row(name, planner, one, guard=guards.not_ours(0), always=True)
    yield Row("setpgid", groups.join, always=True)
    yield Row("pidfd_send_signal", signals.kill_pidfd, one, guard=guards.pidfd, always=True)


def _reaching() -> Iterable[Row]:
    beginnings = (Where(0, (reaching.TRACEME, reaching.ATTACH, reaching.SEIZE)),)
    tracing = ("ipc::ptrace", "capability::SYS_PTRACE")
    yield Row("ptrace", reaching.trace, tracing, beginnings, guard=guards.tracing, always=True)
    yield Row("process_vm_readv", reaching.read_memory, ("ipc::read_memory",), guard=guards.not_ours(0))
    yield Row("process_vm_writev", reaching.write_memory, ("ipc::write_memory",), guard=guards.not_ours(0))
    yield Row("pidfd_getfd", reaching.get_descriptor, ("ipc::get_descriptor",), guard=guards.pidfd, always=True)


def _others() -> Iterable[Row]:
    other = Where(0, nonzero=True)
    yield Row("prlimit64", cores.prlimit, where=(other, Where(1, (cores.CORE,))))
    yield Row("setrlimit", cores.setrlimit, where=(Where(0, (cores.CORE,)),))
    for name in ("sched_setaffinity", "migrate_pages", "move_pages"):
        yield Row(name, guards.not_ours(0), where=(other,))
    yield Row("ioprio_set", guards.priority(1), where=(Where(0, (2, 3)), Where(1, nonzero=True)))
    yield Row("kcmp", guards.not_ours(0, 1))
    for name in ("process_madvise", "process_mrelease"):
        yield Row(name, guards.own_pidfd)


_IO_URING: Final = (
    "does input and output through io_uring, which is not seen: `capability use_io_uring` allows all of it"
)
_BPF: Final = "uses bpf(2), which can read and change what others do: `capability use_bpf` allows all of it"
_CAPABILITIES: Final[dict[str, tuple[str, ...]]] = {
    "SYS_REBOOT": ("reboot",),
    "SYS_VHANGUP": ("vhangup",),
    "SYS_TIME": ("settimeofday", "clock_settime"),
    "SYS_SETHOSTNAME": ("sethostname", "setdomainname"),
    "use_kernel_module": ("init_module", "finit_module", "delete_module"),
    "SYS_KEXEC_LOAD": ("kexec_load", "kexec_file_load"),
    "use_perf_event": ("perf_event_open",),
    "use_userfaultfd": ("userfaultfd",),
    "use_fanotify": ("fanotify_init",),
}


def _capability(*names: str) -> tuple[str, ...]:
    return tuple(f"capability::{name}" for name in names)


def _capabilities() -> Iterable[Row]:
    for capability, calls in _CAPABILITIES.items():
        for name in calls:
            yield Row(name, capabilities.needs(capability), _capability(capability))
    which = (
        Where(0, others=capabilities.PLAIN),
        Where(1, (*capabilities.SOCK_PACKETS, *capabilities.ASSOCIATING)),
        Where(2, capabilities.UNNAMED_PROTOCOLS),
        creating.HEARING,
    )
    asked = (*_capability("use_route", "use_packet"), *creating.OPERATIONS)
    yield Row("socket", creating.socket, asked, which, guard=capabilities.unnamed_socket)
    yield Row("adjtimex", capabilities.adjust(None, 0), _capability("SYS_TIME"))
    yield Row("clock_adjtime", capabilities.adjust(0, 1), _capability("SYS_TIME"))
    nice = _capability("SYS_NICE")
    yield Row("setpriority", capabilities.needs("SYS_NICE"), nice, guard=guards.priority(0))
    for name in ("sched_setscheduler", "sched_setparam", "sched_setattr"):
        yield Row(name, capabilities.needs("SYS_NICE"), nice, guard=guards.not_ours(0))
    yield Row("bpf", capabilities.needs("use_bpf", warning=_BPF), _capability("use_bpf"))
    for name in ("io_uring_setup", "io_uring_enter", "io_uring_register"):
        plan = capabilities.needs("use_io_uring", refusal=errno.ENOSYS, warning=_IO_URING)
        yield Row(name, plan, _capability("use_io_uring"))


def _refused() -> Iterable[Row]:
    yield Row("landlock_create_ruleset", guards.refuse(errno.EOPNOTSUPP))
    yield Row("landlock_restrict_self", guards.refuse(errno.EOPNOTSUPP))
    yield Row("seccomp", guards.refuse(errno.EBUSY), where=(Where(1, bits=guards.SECCOMP_FILTER_FLAG_NEW_LISTENER),))
    for name in ("swapon", "swapoff", "acct", "uselib", "iopl", "ioperm"):
        yield Row(name, guards.refuse(errno.EPERM))
    for name in ("fsopen", "fsmount", "open_tree_attr", "file_setattr"):
        yield Row(name, guards.refuse(errno.ENOSYS))


def rows(*, privileged: bool) -> list[Row]:
    """All of them, for a supervisor that holds rights above its callers' or not."""
    parts = [_lineage(), _signals(), _reaching(), _others(), _capabilities(), _refused()]
    if privileged:
        parts.append(_credentials())
    return [row for part in parts for row in part]
