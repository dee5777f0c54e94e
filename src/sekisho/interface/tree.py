"""``.tree``: the processes of a running tree (Sekisho's own; the kernel has no such file).

::

    PID PPID PROFILE MODE MARK DOMAIN    a line each, parents first

MODE is the one that holds for what the profile doesn't name: the profile's, or what the whole run is forced to.
MARK is ``-``, or ``handler`` for an execute handler, ``Q5`` for one that waits for the answer to question 5, or
both: ``handler,Q5``.
"""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.interface.authority import ProcessState
from sekisho.interface.handle import ReadOnly, pieces
from sekisho.policy.model import Policy


class Tree(ReadOnly):
    """All of it, as it is when reading begins."""

    def text(self) -> Iterator[str]:
        """A line for each process."""
        policy = self.authority.policy
        return pieces("".join(_line(policy, process) for process in self.authority.processes()))


def _line(policy: Policy, process: ProcessState) -> str:
    marks = ["handler"] * process.execute_handler
    if process.waiting is not None:
        marks.append(f"Q{process.waiting}")
    domain = process.domain
    mode = policy.config(domain, "").mode.word
    return f"{process.pid} {process.parent} {domain.profile} {mode} {','.join(marks) or '-'} {domain.name}\n"
