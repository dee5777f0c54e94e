"""Every error that Sekisho raises on purpose.

::

    SekishoError                 anything below
    ├── UserError                the command, a file or a value is wrong        exit 2
    │   └── PolicyError          … in a policy text, at file:line:column
    └── NotSupported             this machine or user can't do what is asked    exit 3

Anything else that is raised is a bug of Sekisho's.
"""

from __future__ import annotations

import errno
from typing import ClassVar, Final

_SHORTAGES: Final = frozenset(
    {
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
    }
)


class SekishoError(Exception):
    """Something that is told to the user in one line; ``str()`` of it is that line."""

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        """``message`` says what is wrong, ``hint`` (may be empty) what to do next."""
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UserError(SekishoError):
    """What the user gave is wrong; doing what ``hint`` says puts it right."""

    exit_status = 2


class PolicyError(UserError):
    """A line of policy can't be understood. ``line`` and ``column`` count from 1.

    ``others`` are the further errors of the same text, in order.
    """

    def __init__(
        self,
        file: str,
        line: int,
        column: int,
        message: str,
        hint: str = "",
        others: tuple[PolicyError, ...] = (),
    ) -> None:
        super().__init__(message, hint)
        self.args = (file, line, column, message, hint, others)
        self.file = file
        self.line = line
        self.column = column
        self.others = others

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {super().__str__()}"

    @property
    def all(self) -> tuple[PolicyError, ...]:
        """This error and its others: one for each bad line of the text."""
        return (self, *self.others)


def is_shortage(error: OSError) -> bool:
    """Whether ``error`` tells of the state that the machine is in, and not of what was asked of it."""
    return error.errno in _SHORTAGES


def explain(error: BaseException) -> str:
    """What went wrong, in words for the user; what nobody foresaw is called so."""
    if isinstance(error, OSError):
        what = error.strerror or "input/output error"
        return f"{what}: {error.filename}" if error.filename else what
    if isinstance(error, MemoryError):
        return "out of memory"
    return str(error) if isinstance(error, SekishoError) else f"internal error: {error!r}"


class NotSupported(SekishoError):
    """This kernel, machine or user lacks what was asked for."""

    exit_status = 3
