"""Words that policy of all versions is made of."""

from __future__ import annotations

from pathlib import Path

from sekisho.policy.conditions import OPERANDS
from sekisho.policy.grammar import OPERATIONS, PROFILE_OPERATIONS

ROOT = Path(__file__).resolve().parent.parent

NAMES = (
    "/etc/passwd", "/tmp/\\*", "/\\{\\*\\}/", "/\\*\\-a\\-b", "@GROUP", "proc:/self/\\$", "pipe:[\\$]", "\\040", "\\\\",
    "<kernel>", "<kernel> /bin/sh", "<other>", "any", "from", "\n", "# ", "select ", "delete ", "reset\n",
)  # fmt: skip
NUMBERS = ("0", "255", "256", "0644", "0x1F", "1-5", "4294967295", "18446744073709551616", "10.0.0.1", "::1-::2")
DIRECTIVES = tuple(
    "use_profile use_group quota_exceeded transition_failed aggregator initialize_domain no_initialize_domain "
    "keep_domain no_keep_domain reset_domain no_reset_domain path_group number_group address_group acl_group "
    "deny_autobind manage_by_non_root keep child initialize reset parent grant_log=yes grant_log=no "
    'auto_domain_transition=" '
    'exec.realpath=" exec.argv[0]= exec.envp["A"]=NULL symlink.target= task.type=execute_handler != == " '
    "PROFILE_VERSION=20150505 -CONFIG= -CONFIG:: -COMMENT= -PREFERENCE= use_default { } mode=learning mode=enforcing "
    "grant_log= reject_log= max_audit_log= max_learning_entry= enforcing_penalty=".split()
)
TODAY = (*OPERATIONS, *PROFILE_OPERATIONS, *sorted(OPERANDS), *NAMES, *NUMBERS, *DIRECTIVES)


def golden(kind: str) -> tuple[bytes, ...]:
    """The texts of one kind that the tests of converting hold."""
    return tuple(path.read_bytes() for path in sorted((ROOT / "tests/convert/golden").glob(f"*/*/{kind}.conf")))
