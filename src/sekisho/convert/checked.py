"""Which operations each older version could check; what it couldn't, its policies say nothing of."""

from __future__ import annotations

from typing import Final

from sekisho.convert.dialect import Dialect
from sekisho.policy.grammar import PROFILE_OPERATIONS

_FILE: Final = frozenset(name for name in PROFILE_OPERATIONS if name.startswith("file::"))
_NETWORK: Final = frozenset(name for name in PROFILE_OPERATIONS if name.startswith("network::"))
_PATCHED_CAPABILITIES: Final = frozenset(
    f"capability::{name}"
    for name in "use_route use_packet SYS_REBOOT SYS_VHANGUP SYS_TIME SYS_NICE SYS_SETHOSTNAME use_kernel_module "
    "SYS_KEXEC_LOAD SYS_PTRACE".split()
)
_OLD_FILE: Final = _FILE - {"file::getattr"}
_PEERS: Final = frozenset(name for name in _NETWORK if name.endswith(("_accept", "_recv")))
_INET: Final = frozenset(name for name in _NETWORK if name.startswith("network::inet_"))

_CHECKED: Final = {
    Dialect.V22: _OLD_FILE,
    Dialect.V23: _OLD_FILE,
    Dialect.V17: _OLD_FILE | _INET | {"misc::env", "ipc::signal"} | _PATCHED_CAPABILITIES,
    Dialect.V18: _FILE | _NETWORK | {"misc::env", "ipc::signal"} | _PATCHED_CAPABILITIES,
    Dialect.V24: _FILE,
    Dialect.V25: _FILE | (_NETWORK - _PEERS) | {"misc::env"},
    Dialect.V26: _FILE | (_NETWORK - _PEERS) | {"misc::env"},
    Dialect.TODAY: frozenset(PROFILE_OPERATIONS),
}


def checked_operations(dialect: Dialect) -> frozenset[str]:
    """The operations, as profiles name them, that ``dialect`` knew."""
    return _CHECKED[dialect]
