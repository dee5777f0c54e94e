"""Calls that can't be looked at: of a foreign system call interface, or of a process whose domain can't be known."""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING

from sekisho.engine.supervisor.system.notify import Notification
from sekisho.engine.supervisor.tasks import Lost, Process
from sekisho.errors import explain
from sekisho.policy.model import Mode

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor


def foreign(supervisor: Supervisor, notification: Notification, process: Process) -> None:
    """A call of another architecture or number space is there only where nothing is enforced."""
    if supervisor.modes.strictest(process.domain) is Mode.ENFORCING:
        supervisor.listener.finish(notification.id, -errno.ENOSYS)
        return
    supervisor.warn_once(process, "uses a foreign system call interface, which is not seen: enforcing mode refuses it")
    supervisor.listener.proceed(notification.id)


def lost(supervisor: Supervisor, notification: Notification, reason: Lost) -> None:
    """Fail closed: a process whose domain can't be known is killed if anything at all is being enforced."""
    if any(supervisor.modes.strictest(domain) is Mode.ENFORCING for domain in supervisor.judge.policy.domains.values()):
        supervisor.warn(f"{reason}; killed")
        if supervisor.listener.valid(notification.id):
            os.kill(notification.tid, signal.SIGKILL)
        return
    supervisor.warn(f"{reason}; not mediated")
    supervisor.listener.proceed(notification.id)


def unseen(supervisor: Supervisor, process: Process, name: str, reason: Exception) -> None:
    """What nobody is held to goes on; that nothing is learned from it is told."""
    who = f"process {process.tgid} in {process.domain.name}"
    supervisor.warn(f"{name} of {who}: {explain(reason)}: what it asked for is neither learned nor recorded")
