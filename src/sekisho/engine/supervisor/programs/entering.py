"""What a process has with it when it comes to a domain is held to that domain's policy as well."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sekisho.decide.request import Facts
from sekisho.engine.supervisor.calls import cores
from sekisho.engine.supervisor.tasks import Process
from sekisho.policy.model import Domain

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor


def may_enter(supervisor: Supervisor, process: Process, tids: Iterable[int], destination: str, facts: Facts) -> bool:
    """Whether policy lets whoever has asked for signals to ``process``, of which ``tids`` live on, send them there."""
    if destination == process.domain.name:
        return True
    return supervisor.ownership.may_enter(process, tids, os.getpgid(process.tgid), destination, facts)


def entered(supervisor: Supervisor, process: Process, former: Domain) -> None:
    """``process``, come from ``former``, leaves no core dump and hears nobody where its domain forbids that."""
    cores.withhold(supervisor, process)
    supervisor.earshot.entered(process, former)
