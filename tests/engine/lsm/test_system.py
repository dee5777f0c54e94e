"""The engine as a whole, in a kernel of its own: learning, enforcing, a daemon that is killed and one that follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.lsm.guest_system import ALLOWED, OTHER
from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import WITHOUT_BPF, built, run
from tests.vm.machine import PLAIN


@built
@pytest.mark.parametrize("lsm", [PLAIN, pytest.param(WITHOUT_BPF, marks=pytest.mark.every)])
@on_each("6.12")
@pytest.mark.slow
def test_what_is_learned_is_enforced_and_outlives_the_daemon(kernel: str, lsm: str, tmp_path: Path) -> None:
    told = run(kernel, "guest_system", tmp_path, lsm)

    assert ("0", "read", "True", "0") == tuple(told[each] for each in ("start", "learning", "learned", "reload"))
    for when in ("enforced", "killed", "taken over"):
        assert ("read", "refused") == (told[f"{when}, {ALLOWED}"], told[f"{when}, {OTHER}"]), (when, told)
    assert "policy is in force without a daemon: nothing is learned or logged" == told["alone"]
    assert ("True", "{}") == (told["another daemon"], told["missing"])
    assert {"0"} == {told[each] for each in ("lost", "homeless", "crowded", "inconsistent")}
    assert ("read", "refused", "read") == (told["panicking"], told["after panic"], told["stopped"])
    assert "refused" == told["begun in panic"]
    assert "True" == told["audited"]
    handler = "/tmp/policy/domain_policy.conf:8: task auto_execute_handler /bin/true: no hook can run another program"
    assert handler in told["told"] and handler in told["unserved"]
    # What the administrator has there stays.
    assert "8080,32768-60000 True" == told["ports"] == told["ports after panic"]
    assert "8080" == told["ports in panic"] == told["ports when stopped"]
