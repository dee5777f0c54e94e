from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from tests.engine.supervisor import tried
from tests.engine.supervisor.forked import child, wait_for_word

from sekisho.engine.supervisor.acting import identity
from sekisho.engine.supervisor.acting.identity import Identity, _Map
from sekisho.engine.supervisor.system import libc

NOBODY = 65534
SETID = 0b11 << 6


def test_of_oneself() -> None:
    own = identity.of(os.getpid())

    assert (*os.getresuid(), os.geteuid()) == own.uids
    assert (*os.getresgid(), os.getegid()) == own.gids
    assert sorted(os.getgroups()) == sorted(own.groups)
    root = os.stat("/")
    assert (root.st_dev, root.st_ino) == own.root
    assert os.readlink("/proc/self/ns/mnt") == own.mount_namespace


def test_a_child_is_what_its_parent_is() -> None:
    with child(wait_for_word) as other:
        other.hear()

        assert identity.of(os.getpid()) == identity.of(other.pid)


def test_what_conditions_see() -> None:
    made = Identity((1, 2, 3, 4), (5, 6, 7, 8), (), 0, "", "", (0, 0)).task(10, 11, 12)

    assert (10, 11, 12) == (made.pid, made.ppid, made.global_pid)
    assert (1, 2, 3, 4) == (made.uid, made.euid, made.suid, made.fsuid)
    assert (5, 6, 7, 8) == (made.gid, made.egid, made.sgid, made.fsgid)


@pytest.mark.parametrize("mask", [0, 0o22, 0o777])
def test_umask(mask: int) -> None:
    def play(channel: socket.socket) -> None:
        os.umask(mask)
        wait_for_word(channel)

    with child(play) as other:
        other.hear()
        assert mask == identity.umask_of(other.pid)


def test_a_task_that_is_gone() -> None:
    with pytest.raises(FileNotFoundError):
        identity.of(0)


def test_entering_what_one_is_already() -> None:
    def play() -> bool:
        own = identity.of(os.getpid())
        identity.enter(own, own, os.getpid(), -1)
        return own == identity.of(os.getpid())

    assert tried.in_child(play)


def test_ids_in_a_user_namespace() -> None:
    some = _Map(0, "uid", spaced=False)
    assert 1000 == some.inside(1000)
    some.rows = [(0, 1000, 1), (1, 100000, 65536)]

    assert [0, 1, 65536, -1, -1] == [some.inside(number) for number in (1000, 100000, 165535, 165536, 0)]


def test_dropping_every_capability() -> None:
    def play() -> int:
        identity.set_capabilities(0)
        return identity.of(os.getpid()).capabilities

    assert 0 == tried.in_child(play)


def changed(wanted: Identity, root: str = "/") -> Identity:
    """What a child that enters ``wanted`` is afterwards."""

    def play() -> Identity:
        own = identity.of(os.getpid())
        fd = os.open(root, os.O_PATH)
        identity.enter(wanted, own, os.getpid(), fd)
        with open("/proc/self/status", "rb") as _:
            return identity.of(os.getpid())

    return tried.in_child(play)


@pytest.mark.root
@pytest.mark.parametrize("capabilities", [0, 1 << 1, SETID])
def test_acting_as_another_user(capabilities: int) -> None:
    own = identity.of(os.getpid())
    wanted = Identity(
        (NOBODY,) * 4, (100, 101, 102, 103), (7, 9), capabilities, own.user_namespace, own.mount_namespace, own.root
    )

    assert wanted == changed(wanted)


@pytest.mark.root
def test_file_rights_alone_may_differ() -> None:
    own = identity.of(os.getpid())
    wanted = Identity(
        (0, 0, 0, NOBODY),
        (0, 0, 0, NOBODY),
        (),
        own.capabilities & ~0x1F,
        own.user_namespace,
        own.mount_namespace,
        own.root,
    )

    assert wanted == changed(wanted)


@pytest.mark.root
def test_a_root_directory_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "inside").touch()

    def play() -> list[str]:
        own = identity.of(os.getpid())
        fd = os.open(tmp_path, os.O_PATH)
        status = os.fstat(fd)
        wanted = Identity(
            own.uids, own.gids, own.groups, own.capabilities, own.user_namespace, own.mount_namespace,
            (status.st_dev, status.st_ino),
        )  # fmt: skip
        identity.enter(wanted, own, os.getpid(), fd)
        return os.listdir("/")

    assert ["inside"] == tried.in_child(play)


@pytest.mark.root
def test_the_namespaces_of_a_caller() -> None:
    def unshared(channel: socket.socket) -> None:
        libc.syscall("unshare", identity.CLONE_NEWNS)
        wait_for_word(channel)

    with child(unshared) as caller:
        caller.hear()
        theirs = identity.of(caller.pid)
        assert identity.of(os.getpid()).mount_namespace != theirs.mount_namespace

        def play() -> str:
            own = identity.of(os.getpid())
            fd = os.open(f"/proc/{caller.pid}/root", os.O_PATH)
            identity.enter(theirs, own, caller.pid, fd)
            return os.readlink("/proc/self/ns/mnt")

        assert theirs.mount_namespace == tried.in_child(play)
