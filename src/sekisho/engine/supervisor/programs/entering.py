"""What a process has with it when it comes to a domain is held to that domain's policy as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.engine.supervisor.calls import cores
from sekisho.engine.supervisor.tasks import Process
from sekisho.policy.model import Domain

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor


def entered(supervisor: Supervisor, process: Process, former: Domain) -> None:
    """``process``, come from ``former``, leaves no core dump and hears nobody where its domain forbids that."""
    cores.withhold(supervisor, process)
    supervisor.earshot.entered(process, former)
