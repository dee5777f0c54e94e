"""Every ``ipc`` and ``capability`` keyword and the system calls that ask for it: code for the asker, and the lines.

``{me}`` is the asker's domain. What would hurt the machine is asked for with arguments that the kernel refuses
(EINVAL and the like) once it has looked at the caller's rights.
"""

from __future__ import annotations

from tests.engine.supervisor.keywords import Row

_SIGNAL = "ipc signal 23 {me}"


def _row(name: str, code: str, *lines: str) -> Row:
    return Row(name, code, lines)


SIGNALS = [
    _row("kill", "call('kill', sleeper(), 23)", _SIGNAL),
    _row("tkill", "call('tkill', sleeper(), 23)", _SIGNAL),
    _row("tgkill", "pid = sleeper(); call('tgkill', pid, pid, 23)", _SIGNAL),
    _row("rt_sigqueueinfo", "call('rt_sigqueueinfo', sleeper(), 23, information(23))", _SIGNAL),
    _row("rt_tgsigqueueinfo", "pid = sleeper(); call('rt_tgsigqueueinfo', pid, pid, 23, information(23))", _SIGNAL),
    _row("pidfd_send_signal", "call('pidfd_send_signal', os.pidfd_open(sleeper()), 23, None, 0)", _SIGNAL),
    _row("kill group", "call('kill', -sleeper(group=True), 23)", _SIGNAL),
    _row("kill other signal", "call('kill', sleeper(), 18)", "ipc signal 18 {me}"),
    _row("owner", "fd = os.pipe()[0]; call('fcntl', fd, 8, sleeper())", "ipc signal 29 {me}"),
    _row(
        "owner by structure",
        "fd = os.pipe()[0]; call('fcntl', fd, 15, buffer(struct.pack('ii', 1, sleeper())))",
        "ipc signal 29 {me}",
    ),
    _row(
        "owner's signal",
        "fd = os.pipe()[0]; call('fcntl', fd, 10, 28); call('fcntl', fd, 8, sleeper())",
        "ipc signal 28 {me}",
    ),
]
"""Signals that do nothing to who doesn't ask for them."""

_VECTOR = "a = buffer(bytes(8)); v = buffer(struct.pack('QQ', ctypes.addressof(a), 8)); "
REACHING = [
    _row("seize", "call('ptrace', 0x4206, sleeper(), 0, 0)", "capability SYS_PTRACE", "ipc ptrace {me}"),
    _row(
        "attach",
        "pid = sleeper(); call('ptrace', 16, pid, 0, 0); os.waitpid(pid, 0); call('ptrace', 17, pid, 0, 0)",
        "capability SYS_PTRACE",
        "ipc ptrace {me}",
    ),
    _row("traced", "inside(\"call('ptrace', 0, 0, 0, 0)\", locals())", "capability SYS_PTRACE", "ipc ptrace {me}"),
    _row("process_vm_readv", _VECTOR + "call('process_vm_readv', sleeper(), v, 1, v, 1, 0)", "ipc read_memory {me}"),
    _row("process_vm_writev", _VECTOR + "call('process_vm_writev', sleeper(), v, 1, v, 1, 0)", "ipc write_memory {me}"),
    _row("pidfd_getfd", "call('pidfd_getfd', os.pidfd_open(sleeper()), 1, 0)", "ipc get_descriptor {me}"),
]

_USER, _MOUNT, _PID, _NETWORK, _IPC, _UTS, _CGROUP, _TIME = (
    f"capability use_{kind}_namespace" for kind in "user mount pid network ipc uts cgroup time".split()
)
_UNSHARE = "inside(\"call('unshare', {})\", locals())"
_FORK = "child = call('clone', {} | 17, 0, 0, 0, 0); child or os._exit(0); os.waitpid(child, 0)"
NAMESPACES = [
    _row("unshare user", _UNSHARE.format(0x10000000), _USER),
    _row("unshare mount", _UNSHARE.format(0x00020000), _MOUNT),
    _row("unshare pid", _UNSHARE.format(0x20000000), _PID),
    _row("unshare network", _UNSHARE.format(0x40000000), _NETWORK),
    _row("unshare ipc", _UNSHARE.format(0x08000000), _IPC),
    _row("unshare uts", _UNSHARE.format(0x04000000), _UTS),
    _row("unshare cgroup", _UNSHARE.format(0x02000000), _CGROUP),
    _row("unshare time", _UNSHARE.format(0x80), _TIME),
    _row("unshare two", _UNSHARE.format(0x28000000), _PID, _IPC),
    _row("clone user", _FORK.format(0x10000000), _USER),
    _row("clone pid and network", _FORK.format(0x60000000), _PID, _NETWORK),
    _row("setns", "fd = os.open('/proc/self/ns/uts', os.O_RDONLY); call('setns', fd, 0)", _UTS),
    _row("setns by type", "fd = os.open('/proc/self/ns/uts', os.O_RDONLY); call('setns', fd, 0x04000000)", _UTS),
    _row("setns by pidfd", "call('setns', os.pidfd_open(os.getpid()), 0x06000000)", _UTS, _CGROUP),
]

_TIMEX = "buffer(struct.pack('I', 0x8000) + bytes(204))"
CAPABILITIES = [
    _row("netlink", "call('socket', 16, 3, 0)", "capability use_route"),
    _row("packet", "call('socket', 17, 3, 0)", "capability use_packet"),
    _row("old packet", "call('socket', 2, 10 | 0x80000, 0)", "capability use_packet"),
    _row("reboot", "call('reboot', 1, 2, 3, None)", "capability SYS_REBOOT"),
    _row("vhangup", "inside(\"os.setsid(); call('vhangup')\", locals())", "capability SYS_VHANGUP"),
    _row("settimeofday", "call('settimeofday', None, None)", "capability SYS_TIME"),
    _row("clock_settime", "call('clock_settime', 1, buffer(bytes(16)))", "capability SYS_TIME"),
    _row("adjtimex", f"call('adjtimex', {_TIMEX})", "capability SYS_TIME"),
    _row("clock_adjtime", f"call('clock_adjtime', 0, {_TIMEX})", "capability SYS_TIME"),
    _row("setpriority", "call('setpriority', 0, 0, os.getpriority(0, 0))", "capability SYS_NICE"),
    _row("sched_setscheduler", "call('sched_setscheduler', 0, 0, buffer(bytes(4)))", "capability SYS_NICE"),
    _row("sched_setparam", "call('sched_setparam', 0, buffer(bytes(4)))", "capability SYS_NICE"),
    _row(
        "sched_setattr", "call('sched_setattr', 0, buffer(struct.pack('I', 48) + bytes(44)), 0)", "capability SYS_NICE"
    ),
    _row("sethostname", "call('sethostname', b'x', -1)", "capability SYS_SETHOSTNAME"),
    _row("setdomainname", "call('setdomainname', b'x', -1)", "capability SYS_SETHOSTNAME"),
    _row("init_module", "call('init_module', None, 0, b'')", "capability use_kernel_module"),
    _row("finit_module", "call('finit_module', -1, b'', 0)", "capability use_kernel_module"),
    _row("delete_module", "call('delete_module', b'no such module', 0o4000)", "capability use_kernel_module"),
    _row("kexec_load", "call('kexec_load', 0, 0, None, 0xFFFF)", "capability SYS_KEXEC_LOAD"),
    _row("kexec_file_load", "call('kexec_file_load', -1, -1, 0, None, 0xFFFF)", "capability SYS_KEXEC_LOAD"),
    _row("bpf", "call('bpf', 0, buffer(struct.pack('IIII', 2, 4, 4, 1) + bytes(64)), 80)", "capability use_bpf"),
    _row(
        "perf_event_open",
        "call('perf_event_open', buffer(struct.pack('IIQQQQQ', 1, 112, 0, 0, 0, 0, 0x61) + bytes(64)), 0, -1, -1, 0)",
        "capability use_perf_event",
    ),
    _row("userfaultfd", "call('userfaultfd', 1)", "capability use_userfaultfd"),
    _row("fanotify_init", "call('fanotify_init', 0x200, 0)", "capability use_fanotify"),
    _row("io_uring_setup", "call('io_uring_setup', 8, room(256))", "capability use_io_uring"),
    _row("io_uring_enter", "call('io_uring_enter', -1, 0, 0, 0, None, 0)", "capability use_io_uring"),
    _row("io_uring_register", "call('io_uring_register', -1, 0, None, 0)", "capability use_io_uring"),
]

UNASKED = [
    _row("oneself", "call('kill', os.getpid(), 23); call('tgkill', os.getpid(), os.getpid(), 23)"),
    _row("signal 0", "call('kill', sleeper(), 0); call('kill', 1, 0)"),
    _row("own memory", _VECTOR + "call('process_vm_readv', os.getpid(), v, 1, v, 1, 0)"),
    _row("own descriptor", "call('pidfd_getfd', os.pidfd_open(os.getpid()), 1, 0)"),
    _row("state of the clock", "call('adjtimex', room(208)); call('clock_adjtime', 0, room(208))"),
    _row("own owner", "fd = os.pipe()[0]; call('fcntl', fd, 8, os.getpid()); call('fcntl', fd, 10, 28)"),
    _row("other socket", "call('socket', 2, 1, 0)"),
]
"""What has no line, since nothing is asked."""

ROWS = SIGNALS + REACHING + NAMESPACES + CAPABILITIES
