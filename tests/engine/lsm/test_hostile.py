"""What root may try from an enforcing domain, beside what has a test of its own: docs/bypasses.md names them all."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.lsm.guest_hostile import FREE, HELD, LATE, LEARNS, LEVERS, RINGS, ROOM
from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import WITHOUT_BPF, built, run
from tests.vm.machine import PLAIN

SAID = {"text": "ENOEXEC", "interpreter": "ENOENT", "script": "EPERM", "large": "E2BIG"}
"""How the kernel finds that a program can't be run; the one that isn't here it ends, with nothing to go back to."""


@pytest.mark.every
@built
@pytest.mark.parametrize("lsm", [PLAIN, WITHOUT_BPF])
@on_each("6.12")
def test_an_enforcing_domain_is_held_whatever_root_tries(kernel: str, lsm: str, tmp_path: Path) -> None:
    told = run(kernel, "guest_hostile", tmp_path, lsm)

    # What leads to the kernel's memory and code.
    assert {name: told[f"{FREE} {name}"] for name in LEVERS} == dict.fromkeys(LEVERS, "ok")
    assert {name: told[f"{HELD} {name}"] for name in LEVERS} == dict.fromkeys(LEVERS, "EPERM")
    for name in RINGS:
        assert (told[f"{FREE} new {name}"], told[f"{HELD} old {name}"]) == ("ok", "ok")
        assert told[f"{HELD} new {name}"] == "EPERM"
    # An execution that fails leaves the domain as it was, or nobody.
    for name in LATE:
        assert told[f"late {name}"] == (f"[Errno 0] {SAID[name]}, old ok, new EPERM" if name in SAID else "died")
    for domain in (FREE, LEARNS, HELD):
        assert told[f"{domain} long"] == "ok"
        assert told[f"{domain} too long"] == ("ENAMETOOLONG" if domain == HELD else "ok")
    # More than there is room for.
    executed = {HELD: ["died"] * ROOM + ["ENOMEM"] * ROOM, FREE: ["died"] * 2 * ROOM}
    for domain, outcomes in executed.items():
        assert [told[f"{domain} number{number}"] for number in range(2 * ROOM)] == outcomes
    assert ("ok", "True") == (told["flood"], told["lost"])
    assert ("EPERM", "ok") == (told["after the flood"], told["granted after the flood"])
