"""Registers of a child that is traced here; whole replaced calls are in test_injection.py."""

from __future__ import annotations

import os
import socket

import pytest
from tests.engine.supervisor.forked import child
from tests.engine.supervisor.stage import ARCHITECTURE

from sekisho.engine.supervisor.system import libc
from sekisho.engine.supervisor.system.registers import LAYOUTS, Registers

LAYOUT = LAYOUTS[ARCHITECTURE.machine]
SEIZE, CONT, SYSCALL = 0x4206, 7, 24
SYSGOOD = 1


def _ask_for_its_parent(channel: socket.socket) -> None:
    channel.send(b"ready")
    channel.recv(100)
    channel.send(b"%d" % os.getppid())


def _next_stop(pid: int) -> None:
    libc.ptrace(SYSCALL, pid)
    assert os.WIFSTOPPED(os.waitpid(pid, 0)[1])


def test_a_call_is_replaced_and_its_result_another() -> None:
    with child(_ask_for_its_parent) as made:
        made.hear()
        libc.ptrace(SEIZE, made.pid, 0, SYSGOOD)
        libc.ptrace(0x4207, made.pid)
        os.waitpid(made.pid, 0)
        made.channel.send(b"go on")
        numbers = {110: "x86_64", 173: "aarch64"}
        while True:
            _next_stop(made.pid)
            registers = Registers.of(made.pid, LAYOUT)
            asked = registers.values[LAYOUT.interrupted or LAYOUT.number]
            if numbers.get(asked) == ARCHITECTURE.machine:
                break
        _next_stop(made.pid)
        after = Registers.of(made.pid, LAYOUT)
        assert os.getpid() == after.result

        after.calling(ARCHITECTURE.numbers["getpgid"], made.pid).apply(made.pid)
        _next_stop(made.pid)
        _next_stop(made.pid)
        replaced = Registers.of(made.pid, LAYOUT)
        assert os.getpgid(made.pid) == replaced.result
        assert after.values[LAYOUT.counter] == replaced.values[LAYOUT.counter]

        after.returning(-1234).apply(made.pid)
        assert -1234 == Registers.of(made.pid, LAYOUT).result
        libc.ptrace(17, made.pid)

        assert b"-1234" == made.hear()


@pytest.mark.parametrize("machine", LAYOUTS)
def test_arguments_that_arent_given_are_0(machine: str) -> None:
    layout = LAYOUTS[machine]
    registers = Registers(layout, tuple(range(1000, 1000 + layout.count))).calling(7, 1, 2)

    assert [1, 2, 0, 0, 0, 0] == [registers.values[place] for place in layout.arguments]
    assert 7 == registers.values[layout.number]
    assert 1000 + layout.counter - layout.instruction == registers.values[layout.counter]


def test_who_isnt_stopped_has_none() -> None:
    with child(_ask_for_its_parent) as made, pytest.raises(ProcessLookupError):
        Registers.of(made.pid, LAYOUT)
