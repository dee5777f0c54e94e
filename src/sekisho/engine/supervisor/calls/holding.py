"""A call on a descriptor that only the kernel can make, while nobody can put another file under its number.

Every other thread of the process is stopped, or waits for an answer of ours. What the number leads to is looked at once
more, and the caller goes on; the others do as soon as the caller is past the kernel's own look: when it sleeps in its
call, or stops on its way out, which it is made to do where it doesn't sleep at once. Such a stop makes a call that
waits in the kernel begin anew: who does that again is given more time to fall asleep.
"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sekisho.engine.supervisor.objects import naming
from sekisho.engine.supervisor.plan import LATER, Answer, Object
from sekisho.engine.supervisor.system import stops
from sekisho.engine.supervisor.tasks import Process

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call
    from sekisho.engine.supervisor.supervisor import Supervisor
    from sekisho.engine.supervisor.system.notify import Notification

_AT_ONCE: Final = 0.002
"""Seconds for which everybody else waits with us."""
_PATIENCE: Final = 10.0
"""Seconds in which all must have been stopped once: who waits for a disk can't be."""
_BRIEFLY, _LONGEST = 0.0003, 0.05
"""Seconds that a caller has to fall asleep in its call: the first time, and at most."""
_TICK: Final = 0.001
_REMEMBERED: Final = 1000
_ADVICE: Final = (
    "its ioctl {:#x} on {} is refused. Where a profile has CONFIG::file::ioctl={{ mode=disabled }}, none is"
)


@dataclass(eq=False, slots=True)
class Hold:
    """One call, and those who may not run before it is past the kernel's look."""

    process: Process
    notification: Notification
    name: str
    judged: naming.Identity
    began: float
    seized: dict[int, int | None] = field(default_factory=dict)
    """The wait status with which each thread has stopped; None while it hasn't."""
    released: float = 0.0
    """When the caller was let go on; 0 before."""
    turns: int = 0
    """How often it had had a processor by then."""
    running: float = 0.0
    """When it was first seen to have had one since."""
    hopeless: bool = False
    """Somebody else traces one of them."""
    parked: list[Notification] = field(default_factory=list)
    """Calls of other threads that wait until this one is over."""


class Holding:
    """The held processes of one supervisor's tree."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._holds: dict[Process, Hold] = {}
        self._leaving: set[int] = set()
        """Threads whose stop is still to come, though nobody needs it any more."""
        self._again: list[Notification] = []
        self._slow: dict[tuple[int, ...], float] = {}
        """How long each call that we have woken may take to fall asleep."""

    def begin(self, call: Call, found: Object) -> Answer:
        """The kernel runs the call on the open file that was ``found``, or it is judged anew, or refused."""
        if self.parks(call):
            return LATER
        process = call.process
        if process.shares_apart:
            self._warn(call.process, call.notification, found.name, "shares its descriptors with another process")
            return -errno.EPERM
        hold = Hold(process, call.notification, found.name, naming.identity(found.fd), time.monotonic())
        # Nothing of the caller's is kept open by us while it goes on.
        call.close()
        self._holds[process] = hold
        self._try_at_once(hold)
        return LATER

    def parks(self, call: Call) -> bool:
        """Whether another call of the process has to be over first; this one is looked at anew then."""
        hold = self._holds.get(call.process)
        if hold is None:
            return False
        hold.parked.append(call.notification)
        call.close()
        return True

    def gives(self, tid: int) -> bool:
        """Whether thread ``tid`` is traced already, by us, and whoever asks may have it; raises OSError where it can't
        be had yet."""
        if any(tid in hold.seized for hold in self._holds.values()):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if tid not in self._leaving:
            return False
        self._leaving.discard(tid)
        return True

    def patience(self) -> float:
        """How long the loop may sleep, in seconds (-1: as long as it likes)."""
        if self._again:
            return 0
        return _TICK if self._holds else -1

    def look(self) -> None:
        """Holds go on as far as they can; calls that had to wait for one are looked at."""
        for hold in list(self._holds.values()):
            self._advance(hold)
        again, self._again = self._again, []
        for notification in again:
            if self._supervisor.listener.valid(notification.id):
                self._supervisor.take(notification)

    def stopped(self, tid: int, status: int) -> bool:
        """Handles a ptrace stop of ``tid``; False when it isn't one of ours."""
        hold = next((each for each in self._holds.values() if tid in each.seized), None)
        if hold is not None:
            self._note(hold, tid, status)
            self._advance(hold)
        elif tid in self._leaving or status >> 16 == stops.EVENT_STOP:
            # Or it was made by one that we had told to stop.
            self._leaving.discard(tid)
            stops.resume(tid, status)
        else:
            return False
        return True

    def ended(self, tid: int) -> None:
        """Thread ``tid`` is gone."""
        self._leaving.discard(tid)
        for hold in self._holds.values():
            hold.seized.pop(tid, None)

    def _try_at_once(self, hold: Hold) -> None:
        until = hold.began + _AT_ONCE
        while True:
            self._advance(hold)
            if self._holds.get(hold.process) is not hold:
                return
            if time.monotonic() > until:
                break
            os.sched_yield()
        if hold.released:
            self._stop_those_who_wait(hold)

    def _advance(self, hold: Hold) -> None:
        for tid in [tid for tid, status in hold.seized.items() if status is None]:
            status = stops.reported(tid)
            if status is not None:
                self._note(hold, tid, status)
        if hold.released:
            if self._is_past(hold):
                self._finish(hold)
        elif not self._supervisor.listener.valid(hold.notification.id):
            self._finish(hold)
        elif self._all_stand(hold):
            self._release(hold)
        elif hold.hopeless or time.monotonic() > hold.began + _PATIENCE:
            self._refuse(hold, "has threads that can't be stopped (are they traced?)")

    def _note(self, hold: Hold, tid: int, status: int) -> None:
        hold.seized[tid] = status
        child = stops.born(tid, status)
        if child is not None:
            hold.seized.setdefault(child, None)

    def _others(self, hold: Hold) -> set[int]:
        return stops.threads(hold.process.tgid) - {hold.notification.tid}

    def _all_stand(self, hold: Hold) -> bool:
        """Whether no other thread can run: nor can there be one more, when all of two equal lists stand."""
        seen: set[int] | None = None
        until, seized = time.monotonic() + _AT_ONCE, len(hold.seized)
        while True:
            now = self._others(hold)
            standing = True
            for tid in now:
                standing = self._stands(hold, tid) and standing
                if len(hold.seized) > seized and time.monotonic() > until:
                    return False
            if not standing or now == seen:
                return standing
            seen = now

    def _stands(self, hold: Hold, tid: int) -> bool:
        if hold.seized.get(tid) is not None or self._supervisor.listener.awaits(tid):
            return True
        if tid not in hold.seized:
            self._seize(hold, tid)
        return stops.harmless(tid)

    def _seize(self, hold: Hold, tid: int) -> bool:
        try:
            if tid in self._leaving:
                self._leaving.discard(tid)
                stops.again(tid)
            else:
                stops.stop(tid)
        except OSError:
            hold.hopeless = hold.hopeless or stops.traced(tid)
            return False
        hold.seized[tid] = None
        return True

    def _release(self, hold: Hold) -> None:
        """The caller goes on, if what stands under the number is what was judged."""
        notification = hold.notification
        if _looked_up(notification) != hold.judged:
            self._again.append(notification)
            self._finish(hold)
        elif all(map(stops.harmless, self._others(hold))):
            self._supervisor.listener.proceed(notification.id)
            self._finish(hold)
        elif stops.traced(notification.tid):
            self._refuse(hold, "is traced")
        else:
            hold.turns = stops.turns(notification.tid)
            self._supervisor.listener.proceed(notification.id)
            hold.released = time.monotonic()

    def _is_past(self, hold: Hold) -> bool:
        tid = hold.notification.tid
        if hold.seized.get(tid) is not None or stops.past(tid):
            return True
        if tid not in hold.seized and self._has_had_time(hold):
            self._seize(hold, tid)
        return False

    def _has_had_time(self, hold: Hold) -> bool:
        """Whether the caller would be asleep by now, were it to sleep in its call: what it does else ends soon."""
        now, tid = time.monotonic(), hold.notification.tid
        if not hold.running and (not hold.turns or stops.turns(tid) != hold.turns):
            hold.running = now
        key = (tid, *hold.notification.args)
        patience = self._slow.get(key, _BRIEFLY)
        if now < (hold.running + patience if hold.running else hold.released + _LONGEST):
            return False
        if len(self._slow) > _REMEMBERED:
            self._slow.clear()
        self._slow[key] = min(2 * patience, _LONGEST)
        return True

    def _stop_those_who_wait(self, hold: Hold) -> None:
        """Who waits for an answer of ours may get it now, and runs no further than that."""
        for tid in self._others(hold) - hold.seized.keys():
            if not self._seize(hold, tid) and not stops.harmless(tid):
                self._supervisor.executions.kill(hold.process, "a thread can't be stopped")

    def _refuse(self, hold: Hold, reason: str) -> None:
        self._warn(hold.process, hold.notification, hold.name, reason)
        self._supervisor.listener.finish(hold.notification.id, -errno.EPERM)
        self._finish(hold)

    def _finish(self, hold: Hold) -> None:
        del self._holds[hold.process]
        for tid, status in hold.seized.items():
            if status is None:
                self._leaving.add(tid)
            else:
                stops.resume(tid, status)
        self._again += hold.parked

    def _warn(self, process: Process, notification: Notification, name: str, reason: str) -> None:
        command = notification.args[1] & 0xFFFFFFFF
        self._supervisor.warn_once(process, f"{reason}: {_ADVICE.format(command, name)}")


def _looked_up(notification: Notification) -> naming.Identity | None:
    """What the number that the call names leads to; None when that can't be told."""
    try:
        number = notification.args[0] & 0xFFFFFFFF
        fd = os.open(f"/proc/{notification.tid}/fd/{number}", os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return naming.identity(fd)
    finally:
        os.close(fd)
