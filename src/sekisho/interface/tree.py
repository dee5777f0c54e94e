"""``.tree``: the processes of a running tree (Sekisho's own; the kernel has no such file).

::

    PID PPID PROFILE MARK DOMAIN         a line each, parents first

MARK is ``-``, or ``handler`` for an execute handler, ``Q5`` for one that waits for the answer to question 5, or
both: ``handler,Q5``.
"""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.interface.authority import ProcessState
from sekisho.interface.handle import ReadOnly, pieces


class Tree(ReadOnly):
    """All of it, as it is when reading begins."""

    def text(self) -> Iterator[str]:
        """A line for each process."""
        return pieces("".join(map(_line, self.authority.processes())))


def _line(process: ProcessState) -> str:
    marks = ["handler"] * process.execute_handler
    if process.waiting is not None:
        marks.append(f"Q{process.waiting}")
    domain = process.domain
    return f"{process.pid} {process.parent} {domain.profile} {','.join(marks) or '-'} {domain.name}\n"
