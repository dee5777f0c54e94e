from __future__ import annotations

from pathlib import Path

from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import built, run

GRANTED = (
    "bind 4001", "bind6 4000", "connect 4000", "accept 5000", "dgram 4053", "raw icmp", "unix allowed",
    "abstract bind", "recv 4060", "recv6 4060", "recv mapped 4060", "recv given 4060", "recv abstract", "packet",
    "kill 10", "read memory", "unshare uts", "clone uts", "setns uts",
)  # fmt: skip
LOGGED = {
    "bind6 4000": "ok [network inet stream bind ::1 4000] [network inet stream listen ::1 4000]",
    "dgram 4053": "ok [network inet dgram send 127.0.0.1 4053]",
}
"""What is told of grants where all are logged."""
UNASKED = ("kill 0", "kill self", "affinity")
REFUSED = {
    "bind 4002": "network inet stream bind 127.0.0.1 4002",
    "bind6 4002": "network inet stream bind ::1 4002",
    "connect 4002": "network inet stream connect 127.0.0.1 4002",
    "fast open 4002": "",
    "accept 5001": "network inet stream accept 127.0.0.1 5001",
    "dgram 4054": "network inet dgram send 127.0.0.1 4054",
    "dgram mapped": "network inet dgram send ::ffff:",
    "raw udp": "network inet raw send 127.0.0.1 17",
    "unix other": "network unix stream bind /tmp/other",
    "unix connect": "network unix stream connect /tmp/other",
    "unix anonymous": r"network unix seqpacket connect \000nobody",
    "abstract other": r"network unix dgram bind \000abstract2",
    "abstract send": r"network unix dgram send \000abstract3",
    "recv 4061": "network inet dgram recv 127.0.0.1 4061",
    "recv6 4061": "network inet dgram recv ::1 4061",
    "recv mapped 4061": "network inet dgram recv ::ffff:127.0.0.1 4061",
    "recv raw": "network inet raw recv ::1 17",
    "recv given 4061": "",
    "recv anonymous": "network unix dgram recv anonymous",
    "netlink": "capability use_route",
    "kill 12": "ipc signal 12 <kernel> /other",
    "write memory": "ipc write_memory <kernel> /other",
    "descriptor": "ipc get_descriptor <kernel> /other",
    "attach": "capability SYS_PTRACE",
    "ring": "capability use_io_uring",
    "bpf": "capability use_bpf",
    "userfaultfd": "capability use_userfaultfd",
    "perf": "capability use_perf_event",
    "fanotify": "capability use_fanotify",
    "unshare user": "capability use_user_namespace",
    "unshare mount": "capability use_mount_namespace",
    "clone network": "capability use_network_namespace",
    "setns mount": "",
    "hostname": "capability SYS_SETHOSTNAME",
    "nice": "capability SYS_NICE",
    "scheduler": "",
    "time": "capability SYS_TIME",
    "vhangup": "capability SYS_VHANGUP",
    "module": "capability use_kernel_module",
}
"""What is told of each refusal; nothing of one that has been told of before."""


@built
@on_each("6.1")
def test_sockets_signals_tracing_and_capabilities_are_asked_for(kernel: str, tmp_path: Path) -> None:
    told = run(kernel, "guest_network", tmp_path)

    held = {name[5:]: outcome for name, outcome in told.items() if name.startswith("held ")}
    assert held["read memory"] == "EFAULT"  # the kernel looked
    assert {name for name in (*GRANTED, *UNASKED) if held[name] != "ok"} == {"read memory"}
    assert {name: held[name] for name, line in REFUSED.items() if not matches(held[name], line)} == {}
    assert set(held) == {*GRANTED, *UNASKED, *REFUSED}
    learned = {name[7:]: outcome for name, outcome in told.items() if name.startswith("learns ")}
    assert [name for name, line in REFUSED.items() if f"[{line}" not in learned[name] and line] == []
    assert [name for name, outcome in learned.items() if outcome.startswith("EPERM")] == []
    logged = {name[5:]: outcome for name, outcome in told.items() if name.startswith("logs ")}
    assert logged == LOGGED


def matches(outcome: str, line: str) -> bool:
    """Whether it was refused, and this was told."""
    return outcome.startswith(f"EPERM [{line}" if line else "EPERM")
