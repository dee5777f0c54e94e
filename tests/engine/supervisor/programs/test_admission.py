from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.engine.supervisor import tiny
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.decide.request import Execution
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.plan import CallFacts
from sekisho.engine.supervisor.programs.admission import Admission, names
from sekisho.engine.supervisor.programs.program import foresee
from sekisho.engine.supervisor.system.libc import AT_EMPTY_PATH, AT_FDCWD


@pytest.fixture
def prog(tmp_path: Path) -> Path:
    (tmp_path / "prog").write_bytes(tiny.program())
    (tmp_path / "prog").chmod(0o755)
    (tmp_path / "link").symlink_to("prog")
    return tmp_path / "prog"


def _facts(call: Call, path: Path, *envp: bytes) -> CallFacts:
    return CallFacts(call, path1=os.stat(path), execution=Execution(str(path), (b"x",), envp))


def test_the_name_is_that_of_the_link_and_the_file_what_it_leads_to(enforcing: Stage, prog: Path) -> None:
    call = enforcing.call("execve", 0)
    found, name = names(call, AT_FDCWD, bytes(prog.with_name("link")), 0)

    assert (str(prog), f"{prog.parent}/link") == (found.name, name)


def test_a_descriptor_is_named_by_its_file(enforcing: Stage, prog: Path) -> None:
    fd = os.open(prog, os.O_RDONLY)
    call = enforcing.call("execve", 0)
    empty = names(call, fd, b"", AT_EMPTY_PATH)
    paths = [names(call, AT_FDCWD, b"%s/fd/%d" % (each, fd), 0) for each in (b"/proc/self", b"/dev")]
    prog.with_name("own").symlink_to(f"/proc/self/fd/{fd}")
    own = names(call, AT_FDCWD, bytes(prog.with_name("own")), 0)
    os.close(fd)

    assert [(str(prog), str(prog))] * 3 == [(found.name, name) for found, name in (empty, *paths)]
    assert (str(prog), f"{prog.parent}/own") == (own[0].name, own[1])


def test_what_isnt_there(enforcing: Stage, prog: Path) -> None:
    with pytest.raises(FileNotFoundError):
        names(enforcing.call("execve", 0), AT_FDCWD, bytes(prog) + b"x", 0)


def test_a_plan_is_what_policy_allows(enforcing: Stage, prog: Path) -> None:
    admission, call = Admission(enforcing.supervisor), enforcing.call("execve", 0)
    assert admission.plan(call, str(prog), _facts(call, prog)) is None
    assert [f"file execute {prog}"] == enforcing.recorded
    enforcing.allow(f"file execute {prog}")

    plan = admission.plan(call, str(prog), _facts(call, prog))
    assert plan is not None
    destination = admission.enter(call, plan, _facts(call, prog))
    assert (f"{DOMAIN} {prog}", 3) == (destination.name, destination.profile)
    assert ["use_profile 3"] == enforcing.notes


def test_a_learned_program_goes_where_its_new_entry_says(learning: Stage, prog: Path) -> None:
    admission, call = Admission(learning.supervisor), learning.call("execve", 0)
    plan = admission.plan(call, str(prog), _facts(call, prog))

    assert plan is not None
    assert plan.decision.granted
    assert learning.learned[0].startswith(f"file execute {prog} ")


def test_a_domain_that_cant_be_had(enforcing: Stage, prog: Path) -> None:
    enforcing.allow(f"file execute {prog} <elsewhere>")
    admission, call = Admission(enforcing.supervisor), enforcing.call("execve", 0)
    plan = admission.plan(call, str(prog), _facts(call, prog))

    assert plan is not None
    with pytest.raises(OSError, match=os.strerror(errno.ENOMEM)):
        admission.enter(call, plan, _facts(call, prog))
    assert ["ERROR: Domain '<elsewhere>' not ready."] == enforcing.warnings


def test_interpreters_are_read_by_the_destination(enforcing: Stage, prog: Path) -> None:
    script = prog.with_name("script")
    script.write_text(f"#!{prog}\n")
    admission, call = Admission(enforcing.supervisor), enforcing.call("execve", 0)
    program = foresee(call, call.object(AT_FDCWD, bytes(script)), bytes(script), ())

    assert not admission.interpreters(call, enforcing.domain, program)
    enforcing.allow(f"file read {prog}")
    assert admission.interpreters(call, enforcing.domain, program)


def test_an_environment_is_asked_for_once_until_policy_changes(enforcing: Stage, prog: Path) -> None:
    admission, call = Admission(enforcing.supervisor), enforcing.call("execve", 0)
    facts = _facts(call, prog, b"A=1", b"odd name=2")
    assert not admission.environment(call, enforcing.domain, facts)
    enforcing.allow("misc env A", "misc env odd\\040name")

    assert admission.environment(call, enforcing.domain, facts)
    assert admission.environment(call, enforcing.domain, _facts(call, prog, b"A=2", b"odd name="))
    enforcing.domain.entries.clear()
    enforcing.domain.generation += 1
    assert not admission.environment(call, enforcing.domain, facts)
