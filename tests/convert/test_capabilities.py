"""TOMOYO 1.7's capabilities."""

import pytest

from sekisho.convert.capabilities import INSTEAD, capability
from sekisho.convert.remark import LeftOut
from sekisho.policy.acl import parse_acl
from sekisho.policy.grammar import CAPABILITIES, OPERATIONS

KEPT = (
    "use_route use_packet SYS_REBOOT SYS_VHANGUP SYS_TIME SYS_NICE SYS_SETHOSTNAME use_kernel_module SYS_KEXEC_LOAD "
    "SYS_PTRACE"
).split()


@pytest.mark.parametrize("name", KEPT)
def test_todays(name):
    assert capability([name]) == f"capability {name}"
    assert parse_acl(capability([name])).operands == ()


@pytest.mark.parametrize("name", sorted(INSTEAD))
def test_those_that_other_entries_govern(name):
    assert name not in CAPABILITIES
    assert any(keyword.startswith(INSTEAD[name]) for keyword in OPERATIONS)
    with pytest.raises(LeftOut, match=f"{INSTEAD[name]} governs this today"):
        capability([name])


@pytest.mark.parametrize("operands", [[], ["SYS_FLY"], ["SYS_TIME", "x"]])
def test_no_capability(operands):
    with pytest.raises(LeftOut, match="is no capability"):
        capability(operands)
