"""What an engine leaves in its policy directory: audit records, what was learned, counters."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from sekisho.audit.record import Record, format_json, make_notice, make_record
from sekisho.decide.decision import Decision
from sekisho.decide.request import Facts, Request
from sekisho.engine.judge import AskerT, Judge
from sekisho.engine.ration import BURST, RATE, Ration
from sekisho.engine.records import RecordQueue
from sekisho.errors import SekishoError
from sekisho.interface.memory import Meter
from sekisho.policy.model import AclEntry, Domain, Mode, Policy
from sekisho.store.auditlog import AuditWriter
from sekisho.store.directory import PolicyDirectory
from sekisho.store.journal import Journal

_SAVE_EVERY: Final = 2.0
_SAVE_EDITS: Final = 0.1


class Keeper:
    """Ties a policy that is in force to the directory it came from."""

    def __init__(
        self, directory: PolicyDirectory, policy: Policy, records: RecordQueue, say: Callable[[str], None]
    ) -> None:
        """The audit log is open; ``say`` is given what goes wrong, maybe many times over."""
        self.directory = directory
        self.policy = policy
        self.records = records
        self._say = say
        self._audit = AuditWriter(directory.audit_log)
        self._ration = Ration()
        self._journal = Journal(directory.path)
        self.statistics = directory.statistics()
        self._meter = Meter()
        self.updates = self._saved = 0
        self._next = time.monotonic() + _SAVE_EVERY

    def judge(self, questions: AskerT) -> Judge[AskerT]:
        """A judge over the policy; what it wants recorded and kept is."""
        rules = self.directory.rewrite_rules()
        judge = Judge(self.policy, rules, self.record, self.note, self.learned, self.violated, questions)
        judge.is_full = self.is_full
        return judge

    def record(self, domain: Domain, request: Request, decision: Decision) -> None:
        """``decision`` stands in the audit log."""
        self.write(make_record(time.time(), domain, request, decision))

    def note(self, domain: Domain, text: str, facts: Facts) -> None:
        """A line about ``domain`` itself stands in the audit log."""
        mode = self.policy.config(domain, "file::execute").mode
        self.write(make_notice(time.time(), domain, mode, text, facts))

    def write(self, record: Record) -> None:
        """``record`` stands in the audit log, unless its domain is refused too often, and waits to be read through the
        interface."""
        namespace = self.policy.namespaces[record.domain.partition(" ")[0]]
        profile = namespace.profiles.get(record.profile)
        most = profile.max_audit_log if profile is not None else 0
        self.records.put(record, most, self.statistics.audit_memory.quota)
        if self._ration.admits(record):
            self._log([record])
        else:
            self._say(
                f"{record.domain} is refused so often that not all is logged: {BURST} at once, {RATE:g} a second; "
                "sekisho log tells how many are missing"
            )

    def _log(self, records: list[Record]) -> None:
        try:
            self._audit.append(map(format_json, records))
        except OSError as error:
            self._say(f"{self.directory.audit_log}: {error.strerror}: audit records are being lost")

    def updated(self, *, by_hand: bool = False) -> None:
        """Policy has changed: that is counted, and saved soon; what no journal holds (``by_hand``), sooner."""
        self.updates += 1
        if by_hand:
            self._next = min(self._next, time.monotonic() + _SAVE_EDITS)
        self.statistics = self.statistics.updated(int(time.time()))

    def learned(self, domain: Domain, entry: AclEntry) -> None:
        """``entry`` of ``domain`` is kept, whatever happens to this process."""
        self.updated()
        try:
            self._journal.add(domain, entry)
        except OSError as error:
            self._say(
                f"{self._journal.path}: {error.strerror}; what is learned is kept in memory until it can be saved"
            )

    def is_full(self) -> bool:
        """Whether policy takes all the memory it may."""
        quota = self.statistics.policy_memory.quota
        if not quota or self._meter.measure(self.policy) < quota:
            return False
        self._say(f"policy takes {quota} bytes, which is all it may (see stat.conf): nothing more is learned")
        return True

    def violated(self, mode: Mode) -> None:
        """A request that nothing grants was made in ``mode``: that is counted."""
        self.statistics = self.statistics.violated(mode, int(time.time()))

    @property
    def is_saved(self) -> bool:
        """Whether the directory has all there is."""
        return self.updates == self._saved

    def patience(self) -> float:
        """How long what there is to write can wait, in seconds (-1: there is nothing)."""
        waits = [self._ration.patience(), -1 if self.is_saved else max(0.0, self._next - time.monotonic())]
        return min((each for each in waits if each >= 0), default=-1)

    def look(self) -> None:
        """What was learned or changed reaches the disk within seconds, and so does how much the log is short of."""
        if self._ration.patience() == 0:
            self._log([*self._ration.missing()])
        if not self.is_saved and time.monotonic() >= self._next:
            self.save()

    def save(self) -> None:
        """All of policy is in the policy directory; a failure is told, and tried again later."""
        self._next = time.monotonic() + _SAVE_EVERY
        try:
            self.directory.save(self.policy, self.statistics)
            self._saved = self.updates
            self._journal.saved()
        except (OSError, SekishoError) as error:
            self._say(f"could not save what was learned: {error}")

    def close(self) -> None:
        """The last of it is saved; what couldn't be, the journal keeps."""
        self.save()
        if self.is_saved:
            self._journal.close()
        self._log([*self._ration.missing()])
        self._audit.close()
