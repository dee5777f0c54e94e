"""The kernel's own TOMOYO in the machine: started with a minimal policy under which nothing is confined."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tests.vm.machine import Machine

LSM: Final = "landlock,lockdown,yama,tomoyo,bpf"
COMMAND: Final = "<kernel> /run/local/command"
"""The domain in which the machine's command and all it starts run: disabled, and a manager."""

LOADER: Final = """\
#!/run/busybox sh
# What TOMOYO starts in its own place of /sbin/tomoyo-init.
B=/run/busybox; D=/sys/kernel/security
[ -d $D/tomoyo ] || $B mount -t securityfs securityfs $D
for f in stat manager exception_policy profile domain_policy; do
  [ -f /run/local/$f.conf ] && $B cat /run/local/$f.conf >$D/tomoyo/$f
done
exit 0
"""

MODES: Final = ("disabled", "learning", "permissive", "enforcing")
"""By profile number."""


def profiles() -> str:
    """Profile text: one for each of MODES, all violations logged."""
    lines = ["PROFILE_VERSION=20150505"]
    for number, mode in enumerate(MODES):
        lines += [
            f"{number}-COMMENT={mode}",
            f"{number}-PREFERENCE={{ max_audit_log=100000 max_learning_entry=100000 }}",
            f"{number}-CONFIG={{ mode={mode} grant_log=no reject_log=yes }}",
        ]
    return "\n".join(lines) + "\n"


def with_tomoyo(machine: Machine) -> Machine:
    """``machine`` with TOMOYO started; its command runs in the domain COMMAND and may change policy."""
    files = {
        "tomoyo-loader": LOADER,
        "profile.conf": profiles(),
        "manager.conf": f"/run/busybox\n{COMMAND}\n",
        "exception_policy.conf": f"initialize_domain /run/local/command from any\nkeep_domain any from {COMMAND}\n",
        "domain_policy.conf": f"<kernel>\nuse_profile 0\n\n{COMMAND}\nuse_profile 0\n",
    }
    trigger = "TOMOYO_trigger=/run/local/init TOMOYO_loader=/run/local/tomoyo-loader"
    return replace(machine, lsm=LSM, append=f"{trigger} {machine.append}", files={**files, **machine.files})
