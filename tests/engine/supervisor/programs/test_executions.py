"""Execs as far as they are decided on; what becomes of them takes a real tree: test_keywords.py, tests/bypass/."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest
from tests.engine.supervisor import tiny
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.policy.printer import print_acl

EMPTY = 0x1000


@pytest.fixture
def prog(tmp_path: Path) -> Path:
    (tmp_path / "prog").write_bytes(tiny.program())
    (tmp_path / "prog").chmod(0o755)
    return tmp_path / "prog"


def vector(on: Stage, *words: bytes) -> int:
    """A NULL-terminated array of strings in the caller's memory."""
    return on.pointer(struct.pack(f"{len(words) + 1}Q", *(on.pointer(word + b"\0") for word in words), 0))


def execute(on: Stage, path: Path | bytes, *argv: bytes, envp: tuple[bytes, ...] = ()) -> object:
    return on.handle("execve", path, vector(on, *argv), vector(on, *envp))


def domain_lines(on: Stage, name: str) -> list[str]:
    return [print_acl(entry) for entry in on.policy.domains[name].entries]


def test_what_policy_lacks_is_refused_and_recorded(enforcing: Stage, prog: Path) -> None:
    assert -errno.EPERM == execute(enforcing, prog, b"prog")
    assert [f"file execute {prog}"] == enforcing.recorded
    assert not enforcing.process.executing


@pytest.mark.parametrize(("name", "code"), [("absent", errno.ENOENT), ("", errno.EACCES), ("prog/x", errno.ENOTDIR)])
def test_what_fails_whatever_policy_says(enforcing: Stage, prog: Path, name: str, code: int) -> None:
    assert -code == execute(enforcing, prog.parent / name, b"x")
    assert [] == enforcing.recorded


def test_nobody_executes_what_has_no_such_bit(learning: Stage, prog: Path) -> None:
    prog.chmod(0o644)

    assert "proceed" == execute(learning, prog, b"x")
    assert [] == learning.learned
    assert not learning.process.executing


def test_a_script_without_interpreter_is_asked_for_and_then_fails(learning: Stage, prog: Path) -> None:
    prog.write_text("#!/absent\n")

    assert "proceed" == execute(learning, prog, b"x")
    assert learning.learned[0].startswith(f"file execute {prog} ")
    assert f"{DOMAIN} {prog}" in learning.policy.domains
    assert not learning.process.executing


@pytest.mark.parametrize(("flags", "executing"), [(os.O_CLOEXEC, False), (0, True)])
def test_a_script_by_a_descriptor_that_closes_fails(learning: Stage, prog: Path, flags: int, executing: bool) -> None:
    script = prog.with_name("script")
    script.write_bytes(b"#!%s\n" % bytes(prog))
    script.chmod(0o755)
    fd = os.open(script, os.O_RDONLY)
    os.set_inheritable(fd, not flags)
    answer = learning.handle("execveat", fd, b"", vector(learning, b"x"), vector(learning), EMPTY)
    os.close(fd)

    assert "proceed" == answer
    assert executing is learning.process.executing
    assert executing is (f"file read {prog}" in domain_lines(learning, f"{DOMAIN} {script}"))


def test_an_exec_that_cant_be_verified_is_refused(enforcing: Stage, prog: Path) -> None:
    """A process can't attach to itself, as little as to one that another debugger holds."""
    enforcing.allow(f"file execute {prog}")

    assert -errno.EPERM == execute(enforcing, prog, b"prog")
    assert "its call is refused" in enforcing.warnings[0]


def test_what_is_learned_of_an_exec(learning: Stage, prog: Path) -> None:
    script = prog.with_name("script")
    script.write_bytes(b"#!%s\n" % bytes(prog))
    script.chmod(0o755)

    assert "proceed" == execute(learning, script, b"script", envp=(b"HOME=/", b"odd name=1"))
    assert learning.learned[0].startswith(f"file execute {script} ")
    inner = domain_lines(learning, f"{DOMAIN} {script}")
    assert ["misc env HOME", "misc env odd\\040name", f"file read {prog}"] == inner
    assert learning.process.executing


def test_a_link_gives_its_own_name(learning: Stage, prog: Path) -> None:
    prog.with_name("link").symlink_to("prog")

    assert "proceed" == execute(learning, prog.with_name("link"), b"x")
    assert f"{DOMAIN} {prog.parent}/link" in learning.policy.domains


def test_a_descriptor_is_named_after_its_file(learning: Stage, prog: Path) -> None:
    fd = os.open(prog, os.O_RDONLY)
    answer = learning.handle("execveat", fd, b"", vector(learning, b"x"), vector(learning), EMPTY)
    os.close(fd)

    assert "proceed" == answer
    assert learning.learned[0].startswith(f'file execute {prog} exec.realpath="{prog}"')


def test_an_exec_that_failed_leaves_everything_as_it_was(learning: Stage, prog: Path) -> None:
    execute(learning, prog, b"prog")
    assert learning.process.executing
    learning.handle("clone", 0)

    assert not learning.process.executing
    assert DOMAIN == learning.process.domain.name


def test_no_descriptor_is_left(learning: Stage, prog: Path) -> None:
    execute(learning, prog, b"prog")
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        execute(learning, prog, b"prog")

    assert before == os.listdir("/proc/self/fd")


@pytest.mark.parametrize("code", [errno.ENOMEM, errno.EMFILE, errno.EPERM])
def test_what_only_we_lack_refuses_an_exec_in_every_mode(
    learning: Stage, prog: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """The kernel could do it, and the program would stay in a domain that isn't its own: maybe one held to nothing."""

    def lacking(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("sekisho.engine.supervisor.programs.admission.names", lacking)

    assert -code == execute(learning, prog, b"prog")
