"""``with failing(errno.EFAULT): ...``: the block raises exactly that OSError."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def failing(code: int) -> Iterator[None]:
    """The block raises the OSError ``code``."""
    with pytest.raises(OSError) as raised:
        yield
    assert errno.errorcode[code] == errno.errorcode.get(raised.value.errno or 0)
