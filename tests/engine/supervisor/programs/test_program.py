"""``#!`` lines as fs/binfmt_script.c cuts them, binfmt_misc formats, and what runs in the end."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.engine.supervisor import tiny
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.programs import program
from sekisho.engine.supervisor.programs.program import Program, _matches, _script, foresee, name_passed


@pytest.mark.parametrize(
    ("head", "parsed"),
    [
        (b"", None),
        (b"#", None),
        (b"\x7fELF", None),
        (b" #!/bin/sh\n", None),
        (b"#!/bin/sh\n", (b"/bin/sh", None)),
        (b"#!/bin/sh", (b"/bin/sh", None)),
        (b"#! /bin/sh\n", (b"/bin/sh", None)),
        (b"#! \t /bin/sh \t \nmore", (b"/bin/sh", None)),
        (b"#!/bin/sh -e\n", (b"/bin/sh", b"-e")),
        (b"#!/bin/sh -e -x\n", (b"/bin/sh", b"-e -x")),
        (b"#!/bin/sh\t-e\t-x \n", (b"/bin/sh", b"-e\t-x")),
        (b"#!/bin/sh  -e\n", (b"/bin/sh", b"-e")),
        (b"#!/bin/sh -e\r\n", (b"/bin/sh", b"-e\r")),
        (b"#!/bin/sh\r\n", (b"/bin/sh\r", None)),
        (b"#!sh\n", (b"sh", None)),
        (b"#!\n", None),
        (b"#! \t\n", None),
        (b"#!", None),
        (b"#!/bin/sh\0rest", (b"/bin/sh", None)),
        (b"#!/bin/sh -a\0b\n", (b"/bin/sh", b"-a")),
        (b"#!" + b"/" + b"x" * 253, None),
        (b"#!" + b"/" + b"x" * 252 + b"\n", (b"/" + b"x" * 252, None)),
        (b"#!/bin/sh " + b"x" * 246, (b"/bin/sh", b"x" * 246)),
    ],
)
def test_the_first_line(head: bytes, parsed: tuple[bytes, bytes | None] | None) -> None:
    assert parsed == _script(head)


def executable(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def look(stage: Stage, path: Path, *argv: bytes) -> Program:
    call = stage.call("execve", path)
    return foresee(call, call.object(-100, bytes(path)), bytes(path), argv)


@pytest.fixture
def prog(tmp_path: Path) -> Path:
    return executable(tmp_path / "prog", tiny.program())


def test_a_binary_is_what_runs(enforcing: Stage, prog: Path) -> None:
    seen = look(enforcing, prog, b"name", b"a")

    assert ((), str(prog), (b"name", b"a")) == (seen.interpreters, seen.image.name, seen.argv)


def test_a_script(enforcing: Stage, prog: Path, tmp_path: Path) -> None:
    script = executable(tmp_path / "script", b"#!%s -x  y\n" % bytes(prog))
    seen = look(enforcing, script, b"name", b"a", b"b")

    assert [str(prog)] == [each.name for each in seen.interpreters]
    assert str(prog) == seen.image.name
    assert (bytes(prog), b"-x  y", bytes(script), b"a", b"b") == seen.argv


def test_a_script_by_a_script(enforcing: Stage, prog: Path, tmp_path: Path) -> None:
    inner = executable(tmp_path / "inner", b"#!%s\n" % bytes(prog))
    outer = executable(tmp_path / "outer", b"#!%s -o\n" % bytes(inner))
    seen = look(enforcing, outer, b"name", b"a")

    assert [str(inner), str(prog)] == [each.name for each in seen.interpreters]
    assert (bytes(prog), bytes(inner), b"-o", bytes(outer), b"a") == seen.argv


def test_a_script_by_a_link(enforcing: Stage, prog: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("prog")
    script = executable(tmp_path / "script", b"#!%s/link\n" % bytes(tmp_path))
    seen = look(enforcing, script, b"name")

    assert str(prog) == seen.image.name
    assert (bytes(tmp_path / "link"), bytes(script)) == seen.argv


def test_an_interpreter_that_isnt_there(enforcing: Stage, tmp_path: Path) -> None:
    script = executable(tmp_path / "script", b"#!/absent\n")

    seen = look(enforcing, script, b"name")

    assert seen.failure
    assert (errno.ENOENT, ()) == (seen.failure.errno, seen.interpreters)


def test_an_interpreter_of_an_interpreter_that_isnt_there(enforcing: Stage, tmp_path: Path) -> None:
    inner = executable(tmp_path / "inner", b"#!/absent\n")
    seen = look(enforcing, executable(tmp_path / "outer", b"#!%s\n" % bytes(inner)), b"name")

    assert seen.failure
    assert (errno.ENOENT, [str(inner)]) == (seen.failure.errno, [each.name for each in seen.interpreters])


@pytest.mark.parametrize(
    ("dirfd", "path", "name"),
    [
        (-100, b"a", b"a"), (0xFFFFFF9C, b"a", b"a"), (5, b"/a", b"/a"), (5, b"a", b"/dev/fd/5/a"),
        (5, b"", b"/dev/fd/5"),
    ],
)  # fmt: skip
def test_the_name_that_an_interpreter_is_given(dirfd: int, path: bytes, name: bytes) -> None:
    assert name == name_passed(dirfd, path)


def test_what_the_kernel_really_runs(prog: Path, tmp_path: Path) -> None:
    """The table above against the kernel: /bin/echo as interpreter shows how its line was cut."""
    script = executable(tmp_path / "script", b"#!/bin/echo  -n\t two \nrest")
    here, there = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(there, 1)
        os.execv(script, ["name", "argument"])
    os.close(there)
    with open(here, "rb") as said:
        assert b"-n\t two %s argument\n" % bytes(script) == said.read()
    os.waitpid(pid, 0)
    assert (b"/bin/echo", b"-n\t two") == _script(script.read_bytes())


@pytest.mark.parametrize(
    ("fields", "head", "path", "matches"),
    [
        ({b"extension": b".exe"}, b"", b"/a/b.exe", True),
        ({b"extension": b".exe"}, b"", b"/a/b.ex", False),
        ({b"magic": b"4d5a"}, b"MZ rest", b"/a", True),
        ({b"magic": b"4d5a"}, b"M", b"/a", False),
        ({b"magic": b"4d5a", b"offset": b"2"}, b"xxMZ", b"/a", True),
        ({b"magic": b"40", b"mask": b"f0"}, b"\x4f", b"/a", True),
        ({b"magic": b"40", b"mask": b"f0"}, b"\x5f", b"/a", False),
        ({}, b"anything", b"/a", False),
    ],
)
def test_formats_of_binfmt_misc(fields: dict[bytes, bytes], head: bytes, path: bytes, matches: bool) -> None:
    assert matches is _matches(fields, head, path)


def test_a_registered_format(enforcing: Stage, prog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "formats").mkdir()
    (tmp_path / "formats/odd").write_bytes(b"enabled\ninterpreter %s\nflags: \noffset 0\nmagic 4f4444\n" % bytes(prog))
    (tmp_path / "formats/off").write_bytes(b"disabled\ninterpreter /absent\nflags: \nextension .x\n")
    monkeypatch.setattr(program, "_BINFMT", str(tmp_path / "formats"))
    seen = look(enforcing, executable(tmp_path / "file", b"ODD data"), b"name")

    assert (str(prog), None) == (seen.image.name, seen.argv)
    assert () == look(enforcing, executable(tmp_path / "file.x", b"other"), b"name").interpreters
