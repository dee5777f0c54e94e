"""What tests of the kernel's interface share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel.loader import Loaded, Loader, Options


@pytest.fixture
def loaded() -> Iterator[Loaded]:
    """The sample's programs that any kernel takes, and its maps."""
    options = Options(wanted=lambda source: source.section in ("syscall", "iter/task"))
    found = Loader().load(sample.image(), options)
    yield found
    found.close()
