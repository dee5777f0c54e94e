"""Which calls ask for which capability, and how they are refused."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

import pytest
from tests.engine.supervisor.stage import ARCHITECTURE, Stage

from sekisho.engine.supervisor.plan import PROCEED

ADJ_TICK = 0x4000


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("reboot", "SYS_REBOOT"),
        ("vhangup", "SYS_VHANGUP"),
        ("settimeofday", "SYS_TIME"),
        ("clock_settime", "SYS_TIME"),
        ("setpriority", "SYS_NICE"),
        ("sched_setscheduler", "SYS_NICE"),
        ("sched_setparam", "SYS_NICE"),
        ("sched_setattr", "SYS_NICE"),
        ("sethostname", "SYS_SETHOSTNAME"),
        ("setdomainname", "SYS_SETHOSTNAME"),
        ("init_module", "use_kernel_module"),
        ("finit_module", "use_kernel_module"),
        ("delete_module", "use_kernel_module"),
        ("kexec_load", "SYS_KEXEC_LOAD"),
        ("kexec_file_load", "SYS_KEXEC_LOAD"),
        ("bpf", "use_bpf"),
        ("perf_event_open", "use_perf_event"),
        ("io_uring_setup", "use_io_uring"),
        ("io_uring_enter", "use_io_uring"),
        ("io_uring_register", "use_io_uring"),
        ("userfaultfd", "use_userfaultfd"),
        ("fanotify_init", "use_fanotify"),
    ],
)
def test_allowed_denied_learned(enforcing: Stage, learning: Stage, name: str, capability: str) -> None:
    refusal = errno.ENOSYS if capability == "use_io_uring" else errno.EPERM
    assert -refusal == enforcing.handle(name)
    assert [f"capability {capability}"] == enforcing.recorded
    enforcing.allow(f"capability {capability}")
    assert "proceed" == enforcing.handle(name)

    assert "proceed" == learning.handle(name)
    assert [f"capability {capability}"] == learning.learned


@pytest.mark.parametrize(
    ("family", "kind", "asked"),
    [
        (16, 3, ["capability use_route"]),
        (17, 3, ["capability use_packet"]),
        (17, 3 | os.O_NONBLOCK, ["capability use_packet"]),
        (2, 10, ["capability use_packet"]),
        (2, 10 | os.O_NONBLOCK | os.O_CLOEXEC, ["capability use_packet"]),
        (16 | 1 << 32, 3, ["capability use_route"]),
    ],
)
def test_sockets(enforcing: Stage, family: int, kind: int, asked: list[str]) -> None:
    assert asked == enforcing.asks("socket", family, kind, 0)


@pytest.mark.parametrize(("family", "kind"), [(1, 10), (1, 2), (10, 1), (2, 1)])
def test_other_sockets(enforcing: Stage, family: int, kind: int) -> None:
    assert PROCEED is enforcing.answer("socket", family, kind, 0)


@pytest.mark.parametrize(
    ("family", "kind", "protocol", "code"),
    [
        (40, 1, 0, errno.EAFNOSUPPORT),
        (43, 1, 0, errno.EAFNOSUPPORT),
        (99, 1, 0, errno.EAFNOSUPPORT),
        (2, 1, 132, errno.EPROTONOSUPPORT),
        (10, 5 | os.O_CLOEXEC, 0, errno.EPROTONOSUPPORT),
        (2, 6, 33, errno.EPROTONOSUPPORT),
    ],
)
def test_sockets_whose_addresses_nothing_names(
    enforcing: Stage, learning: Stage, disabled: Stage, family: int, kind: int, protocol: int, code: int
) -> None:
    assert -code == enforcing.handle("socket", family, kind, protocol)
    assert "proceed" == learning.handle("socket", family, kind, protocol)
    assert [1, 1] == [len(made.warnings) for made in (enforcing, learning)]
    assert "proceed" == disabled.handle("socket", family, kind, protocol)


@pytest.mark.parametrize(("family", "kind", "protocol"), [(1, 5, 0), (2, 1, 6), (10, 1, 6), (38, 5, 0), (2, 1, 262)])
def test_sockets_that_need_no_capability(enforcing: Stage, family: int, kind: int, protocol: int) -> None:
    assert "proceed" == enforcing.handle("socket", family, kind, protocol)
    assert [] == enforcing.warnings


@pytest.mark.parametrize(("name", "before"), [("adjtimex", ()), ("clock_adjtime", (0,))])
def test_adjusting_the_clock_is_asked_for(enforcing: Stage, name: str, before: tuple[int, ...]) -> None:
    adjusting = struct.pack("I", ADJ_TICK) + bytes(204)

    assert ["capability SYS_TIME"] == enforcing.asks(name, *before, enforcing.pointer(adjusting))


@pytest.mark.parametrize(("name", "before"), [("adjtimex", ()), ("clock_adjtime", (0,))])
@pytest.mark.parametrize("modes", [0, 0xA001])
def test_its_state_is_read_in_the_callers_place(
    enforcing: Stage, learning: Stage, name: str, before: tuple[int, ...], modes: int
) -> None:
    address, room = enforcing.room(208)
    ctypes.memmove(address, struct.pack("I", modes), 4)

    state = enforcing.handle(name, *before, address)
    assert isinstance(state, int) and 0 <= state <= 5
    assert any(room.raw[4:])
    assert [] == enforcing.recorded
    assert "proceed" == learning.handle(name, *before, learning.room(208)[0])
    assert [] == learning.learned


def test_a_clock_that_is_a_device_is_asked_for(enforcing: Stage) -> None:
    assert ["capability SYS_TIME"] == enforcing.asks("clock_adjtime", -29, enforcing.room(208)[0])


def test_memory_that_isnt_there(enforcing: Stage) -> None:
    assert -errno.EFAULT == enforcing.handle("adjtimex", 8)


@pytest.mark.parametrize("name", ["io_uring_setup", "bpf"])
def test_what_is_let_through_unseen_is_told_once(enforcing: Stage, learning: Stage, name: str) -> None:
    enforcing.allow("capability use_io_uring", "capability use_bpf")
    for made in (learning, enforcing):
        made.handle(name)
        made.handle(name)

        assert 1 == len(made.warnings)
        assert name[:3] in made.warnings[0]


def test_where_nothing_is_looked_at_it_just_runs(disabled: Stage) -> None:
    assert "proceed" == disabled.handle("bpf")
    assert [] == disabled.warnings


def test_the_size_of_a_timex_is_the_kernels() -> None:
    if ARCHITECTURE.machine not in ("x86_64", "aarch64"):
        return
    buffer = ctypes.create_string_buffer(b"\xa5" * 512, 512)
    ctypes.memset(buffer, 0, 4)

    ctypes.CDLL(None).clock_adjtime(0, buffer)

    assert b"\xa5" * 304 == buffer.raw[208:]
    assert buffer.raw[160:208] != b"\xa5" * 48
