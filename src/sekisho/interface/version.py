"""``version``: of which TOMOYO this is the interface."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sekisho.interface.handle import ReadOnly

VERSION: Final = "2.6.0"


class Version(ReadOnly):
    """The version, without a newline."""

    def text(self) -> Iterator[str]:
        """The version."""
        yield VERSION
