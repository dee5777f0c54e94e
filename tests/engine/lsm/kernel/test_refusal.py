import errno
import os

import pytest

from sekisho.engine.lsm.kernel.refusal import explain, refused


def test_a_refusal_says_what_and_why_and_what_to_do() -> None:
    error = refused("map found", OSError(errno.EPERM, os.strerror(errno.EPERM)))

    assert (
        "map found: it isn't allowed (EPERM: Operation not permitted); "
        "be root (or have CAP_BPF, CAP_PERFMON), on a kernel that isn't locked down"
    ) == str(error)


@pytest.mark.parametrize("code", [errno.EPERM, errno.EACCES, errno.EINVAL, 524, errno.EXDEV, 9999])
def test_every_error_has_its_words(code: int) -> None:
    reason, _ = explain(OSError(code, os.strerror(code)))

    assert os.strerror(code) in reason
