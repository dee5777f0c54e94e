"""The files of a new policy directory.

Profiles are those that TOMOYO's init_policy makes, with room for more learned entries: the engine's
index doesn't slow down as a domain grows.
"""

from __future__ import annotations

from typing import Final

from sekisho.policy.model import Mode

DOMAIN_POLICY: Final = "domain_policy.conf"
EXCEPTION_POLICY: Final = "exception_policy.conf"
PROFILE: Final = "profile.conf"
MANAGER: Final = "manager.conf"
STAT: Final = "stat.conf"
REWRITE: Final = "rewrite.conf"
AUDIT: Final = "audit.jsonl"

POLICY_FILES: Final = (PROFILE, EXCEPTION_POLICY, DOMAIN_POLICY, MANAGER)
"""The files that a policy is read from, in the order of reading."""

KERNEL_DOMAIN: Final = "<kernel>\nuse_profile 0\nuse_group 0\n\n\n"

MANAGERS: Final = "".join(
    f"/usr/sbin/tomoyo-{tool}\n" for tool in ("loadpolicy", "editpolicy", "setlevel", "setprofile", "queryd")
)
"""Who may change policy of a running tree through the interface files: the tools that TOMOYO's init_policy names, where
Debian has them."""


def profiles() -> str:
    """The text of profile.conf: profile 0 to 3 hold everything in the mode of that number."""
    lines = ["PROFILE_VERSION=20150505"]
    for mode in Mode:
        lines += [
            f"{mode.value}-COMMENT=-----{mode.word.capitalize()} Mode-----",
            f"{mode.value}-PREFERENCE={{ max_audit_log=1024 max_learning_entry=65536 }}",
            f"{mode.value}-CONFIG={{ mode={mode.word} grant_log=no reject_log=yes }}",
        ]
    return "\n".join(lines) + "\n"
