"""Which kernels a test of the kernel side runs on."""

from __future__ import annotations

import pytest

KERNELS = ("6.1", "6.12", "6.18")


def on_each(usual: str, *needs: str) -> pytest.MarkDecorator:
    """The test runs on every kernel, but in make test on ``usual`` alone: the tests together meet them all."""

    def marks(kernel: str) -> list[pytest.MarkDecorator]:
        return [pytest.mark.vm(kernel, *needs), *([] if kernel == usual else [pytest.mark.every])]

    return pytest.mark.parametrize("kernel", [pytest.param(kernel, marks=marks(kernel)) for kernel in KERNELS])
