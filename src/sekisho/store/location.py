"""Where policy is kept when the user names no directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SYSTEM: Final = Path("/etc/sekisho")


def default_directory(environment: Mapping[str, str], user: int) -> Path:
    """The policy directory of ``user``: /etc/sekisho for root, else ``sekisho`` in the XDG state directory.

    A relative XDG_STATE_HOME is ignored, as the XDG Base Directory Specification asks.
    """
    if user == 0:
        return SYSTEM
    state = environment.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):
        return Path(state) / "sekisho"
    return Path(environment.get("HOME") or "/") / ".local/state/sekisho"
