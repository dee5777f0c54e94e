"""``.process_status``: the profile and domain of a process that was asked for (spec g.4).

::

    PID, global-pid PID      PID PROFILE DOMAIN
    info PID                 PID manager=yes|no execute_handler=yes|no
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sekisho.interface.access import Access
from sekisho.interface.authority import Authority
from sekisho.interface.handle import TextFile

_ASKED: Final = re.compile(r"(?P<info>info )?(?:global-pid )?(?P<pid>[0-9]{1,10})")


class ProcessStatus(TextFile):
    """Answers the last line that was written, once, without a newline; nothing for a process that isn't there."""

    def __init__(self, authority: Authority, access: Access, *, readable: bool, writable: bool) -> None:
        super().__init__(authority, access, readable=readable, writable=writable)
        self._asked = ""

    def open_line(self, line: str) -> bool:
        """Anybody may ask."""
        self._asked = line
        self.restart()
        return True

    def forget(self) -> None:
        """Nothing was asked."""
        self._asked = ""

    def text(self) -> Iterator[str]:
        """The answer."""
        found = _ASKED.fullmatch(self._asked)
        pid = int(found["pid"]) if found is not None else -1
        domain = self.authority.domain_of(pid) if pid >= 0 else None
        if found is None or domain is None:
            return
        if found["info"] is None:
            yield f"{pid} {domain.profile} {domain.name}"
            return
        managers = self.authority.policy.managers
        is_manager = domain.name in managers or self.authority.executable_of(pid) in managers
        handlers = {process.pid for process in self.authority.processes() if process.execute_handler}
        yield f"{pid} manager={_word(is_manager)} execute_handler={_word(pid in handlers)} "


def _word(value: bool) -> str:
    return "yes" if value else "no"
