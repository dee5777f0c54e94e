"""Errors are one printable line each and know their exit status."""

import errno
import os
import pickle

import pytest

from sekisho.errors import NotSupported, PolicyError, SekishoError, UserError, explain, is_shortage


@pytest.mark.parametrize(
    ("error", "text", "status"),
    [
        (UserError("no such thing"), "no such thing", 2),
        (UserError("no such thing", "try another"), "no such thing; try another", 2),
        (NotSupported("no seccomp", "use Linux 5.19"), "no seccomp; use Linux 5.19", 3),
        (PolicyError("d/f", 3, 7, "unknown", "remove it"), "d/f:3:7: unknown; remove it", 2),
    ],
)
def test_errors_print_in_one_line(error, text, status):
    assert str(error) == text
    assert error.exit_status == status
    assert isinstance(error, SekishoError)
    assert str(pickle.loads(pickle.dumps(error))) == text


def test_a_policy_error_carries_the_others():
    other = PolicyError("f", 2, 1, "b")
    error = PolicyError("f", 1, 1, "a", others=(other,))

    assert error.all == (error, other)
    assert str(error) == "f:1:1: a"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/a/file"), "No space left on device: /a/file"),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "Cannot allocate memory"),
        (MemoryError(), "out of memory"),
        (UserError("no such thing", "try another"), "no such thing; try another"),
        (KeyError("x"), "internal error: KeyError('x')"),
    ],
)
def test_what_went_wrong_is_told_in_words(error, text):
    assert explain(error) == text


def test_a_shortage_is_the_machines():
    assert is_shortage(OSError(errno.EMFILE, ""))
    assert not is_shortage(FileNotFoundError(errno.ENOENT, ""))
