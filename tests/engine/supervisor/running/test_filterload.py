from __future__ import annotations

import errno

import pytest
from tests.engine.supervisor import tried

from sekisho.engine.supervisor.running import filterload, protect
from sekisho.engine.supervisor.system import abi, bpf
from sekisho.errors import NotSupported

PROGRAM = bpf.assemble(getattr(abi.native(), "audit", 0), 0, {})


def problem(*, refused: int = 0, program: bytes = PROGRAM, supervised: bool = False) -> str:
    """What ``install`` says in a child in which seccomp(2) fails with ``refused``."""

    def play() -> str:
        if supervised:
            tried.supervise_self()
        protect.no_new_privileges()
        if refused:
            tried.refuse({"seccomp": refused})
        try:
            filterload.install(program)
        except NotSupported as error:
            return str(error)
        return ""

    return tried.in_child(play)


def test_a_listener() -> None:
    assert "" == problem()


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.EINVAL, "Linux 5.19"),
        (errno.EPERM, "container"),
        (errno.ENOSYS, "CONFIG_SECCOMP_FILTER"),
        (errno.EACCES, "sekisho doctor"),
    ],
)
def test_a_refusal_says_what_to_do(code: int, hint: str) -> None:
    told = problem(refused=code)

    assert told.startswith("seccomp user notification: ")
    assert hint in told


def test_a_tree_has_one_listener() -> None:
    assert "supervised already" in problem(supervised=True)


def test_a_program_that_is_none_is_not_loaded() -> None:
    assert problem(program=b"\xff" * 8)


def test_trying_out_leaves_nothing_behind() -> None:
    filterload.try_out()

    assert problem() == ""


def test_trying_out_tells_what_installing_would() -> None:
    def play() -> str:
        tried.supervise_self()
        try:
            filterload.try_out()
        except NotSupported as error:
            return str(error)
        return ""

    assert "supervised already" in tried.in_child(play)
