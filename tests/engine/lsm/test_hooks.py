from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.lsm.kernel import sample
from tests.engine.lsm.test_object import bpf

from sekisho.engine.lsm import hooks
from sekisho.engine.lsm.hooks import PROGRAMS, PROTECTION, UNAVAILABLE, lacking, needed, unprotected
from sekisho.engine.lsm.kernel import object as objects
from sekisho.policy.grammar import OPERATIONS


def test_every_operation_is_asked_for_or_said_to_be_unavailable() -> None:
    served = {keyword for program in PROGRAMS.values() for keyword in program.operations}

    # The other tasks' entries are looked at with whatever is asked for, or asked for by the daemon.
    assert set(OPERATIONS) - {"task auto_domain_transition", "task manual_domain_transition"} == served | set(
        UNAVAILABLE
    )
    assert not served & set(UNAVAILABLE)
    assert set(hooks.LIMITS) <= served
    assert set(hooks.UNSERVED) <= {*UNAVAILABLE, *hooks.LIMITS}


@pytest.mark.needs(*sample.COMPILER)
def test_programs_are_those_of_the_kernel_side(tmp_path: Path) -> None:
    bpf.build(tmp_path / "object")
    attached = {
        source.name: source.section.partition("/")[2]
        for source in objects.read((tmp_path / "object").read_bytes()).programs.values()
        if source.section.startswith(("lsm/", "lsm.s/"))
    }
    known = {program.name: program.hook for program in PROGRAMS.values()}

    assert {name: hook for name, hook in attached.items() if known.get(name) != hook} == {}
    assert set(known) - set(attached) == set()


def test_what_a_kernel_lacks_is_told_by_operation() -> None:
    assert lacking(["userns_create"]) == {"capability use_user_namespace": ("userns_create",)}
    assert lacking(["protect_map", "unheard of"]) == {}
    assert lacking(["sb_umount", "sb_pivotroot"]) == {
        "file unmount": ("sb_umount",),
        "file pivot_root": ("sb_pivotroot",),
    }


def test_a_program_that_another_stands_in_for_is_not_missed() -> None:
    assert lacking(["file_truncate"]) == {}
    assert lacking(["file_truncate", "path_truncate"]) == {"file truncate": ("file_truncate", "path_truncate")}


def test_what_protects_the_engine_is_always_needed() -> None:
    chosen = needed(["network inet stream connect"])

    assert {"socket_connect", "socket_sendmsg", "bprm_check_security", "protect_map"} <= chosen
    assert "file_open" not in chosen
    assert unprotected(["protect_map", "file_open"]) == ("protect_map",)
    assert all(name in chosen for name, program in PROGRAMS.items() if program.purpose == PROTECTION)
