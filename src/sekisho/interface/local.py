"""The files of a policy directory that no tree runs on, served within the process that opens them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sekisho.interface.client import OpenFile


class Local:
    """The files of the policy directory ``directory``."""

    def __init__(self, directory: Path, log: Callable[[str], None]) -> None:
        raise NotImplementedError

    def open(
        self,
        name: str,
        *,
        readable: bool = True,
        writable: bool = True,
        administrator: bool = False,
        wake: Callable[[], None] | None = None,
    ) -> OpenFile:
        """The file ``name``."""
        raise NotImplementedError

    def close(self) -> None:
        """What was changed is saved."""
