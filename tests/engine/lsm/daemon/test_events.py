from __future__ import annotations

import stat

import pytest

from sekisho.decide.request import FileType
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.daemon.events import read, request_of
from sekisho.policy.model import Mode


def raw(operation: str, *texts: bytes, **fields: object) -> bytes:
    """An event as the kernel side writes it."""
    padded = [*texts, *[b""] * (layout.EVENT_TEXTS - len(texts))]
    event = layout.Event(kind=layout.EVENT_REQUEST, operation=layout.NUMBERS[operation], domain=1, **fields)
    for place, text in enumerate(padded):
        event.lengths[place] = len(text)
    return bytes(event) + b"".join(padded)


def nobody(number: int) -> str | None:
    return None


def arguments(made: bytes) -> tuple[str | int, ...]:
    request = request_of(read(made), lambda number: "<kernel> /a" if number == 7 else None)
    assert request is not None
    return request.arguments


def test_operands_stand_in_the_order_of_the_grammar() -> None:
    assert ("/a\\040b",) == arguments(raw("file read", b"/a b"))
    assert ("/a", "/b") == arguments(raw("file rename", b"/a", b"/b"))
    assert ("/a", 0o644) == arguments(raw("file create", b"/a", numbers=(0o644,)))
    assert ("/n", 0o600, 8, 1) == arguments(raw("file mkblock", b"/n", numbers=(0o600, 8, 1)))
    assert ("/dev/sda", "/mnt/", "ext4", 1) == arguments(
        raw("file mount", b"/dev/sda", b"/mnt/", b"ext4", numbers=(1,))
    )
    assert (9, "<kernel> /a") == arguments(raw("ipc signal", numbers=(9,), other=7))
    assert () == arguments(raw("capability SYS_TIME"))


def test_addresses() -> None:
    loopback = (*bytes(12), 127, 0, 0, 1)
    connect = "network inet stream connect"
    assert ("127.0.0.1", 80) == arguments(raw(connect, address=loopback, version=4, port=80))
    mapped = (*bytes(10), 255, 255, 127, 0, 0, 1)
    assert ("::ffff:127.0.0.1", 80) == arguments(raw(connect, address=mapped, version=6, port=80))
    assert ("::1", 80) == arguments(raw(connect, address=(*bytes(15), 1), version=6, port=80))


def test_what_cant_be_a_request_is_none() -> None:
    assert request_of(read(raw("file read", b"")), nobody) is None
    assert request_of(read(raw("ipc signal", other=8)), nobody) is None
    with pytest.raises(ValueError, match="at least"):
        read(b"x")
    with pytest.raises(ValueError, match="texts end"):
        read(raw("file read", b"/abc")[:-1])


def test_facts() -> None:
    facts = layout.Facts(have=layout.HAVE_TASK | layout.HAVE_PATH1 | layout.HAVE_EXECUTION)
    facts.values[layout.FACTS["task.uid"]] = 1000
    facts.values[layout.FACTS["path1.ino"]] = 5
    facts.values[layout.FACTS["path1.type"]] = stat.S_IFCHR
    facts.values[layout.FACTS["path1.dev_minor"]] = 3
    facts.values[layout.FACTS["exec.argc"]] = 2
    event = read(raw("file execute", b"/bin/sh", b"", b"/bin/dash", b"sh", facts=facts, pid=12, mode=1))
    request = request_of(event, nobody)

    assert request is not None
    assert Mode.LEARNING is event.mode
    assert (1000, 12) == (request.facts.task.uid, request.facts.task.global_pid)
    assert request.facts.path1 is not None
    assert (5, FileType.CHAR, 0, 3) == (
        request.facts.path1.ino,
        request.facts.path1.type,
        request.facts.path1.dev_major,
        request.facts.path1.dev_minor,
    )
    assert request.facts.path1_parent is None
    assert request.facts.execution is not None
    assert ("/bin/dash", (b"sh",)) == (request.facts.execution.realpath, request.facts.execution.argv)


def test_a_variable_is_asked_of_with_its_program() -> None:
    request = request_of(read(raw("misc env", b"PATH", b"", b"/bin/dash", b"sh")), nobody)

    assert request is not None
    assert request.facts.execution is not None
    assert ("/bin/dash", (b"sh",)) == (request.facts.execution.realpath, request.facts.execution.argv)


def test_what_a_link_is_to_hold() -> None:
    request = request_of(read(raw("file symlink", b"/l", b"", b"/target x")), nobody)

    assert request is not None
    assert "/target\\040x" == request.facts.symlink_target
