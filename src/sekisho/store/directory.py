"""The policy directory: policy on disk in TOMOYO's format, read whole and replaced whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sekisho.errors import UserError
from sekisho.learn.rewrite import DEFAULT_REWRITE, RewriteRules
from sekisho.policy import printer
from sekisho.policy.model import Policy
from sekisho.policy.stat import Statistics, print_stat
from sekisho.store import files, journal, reading
from sekisho.store.defaults import (
    AUDIT,
    DOMAIN_POLICY,
    EXCEPTION_POLICY,
    KERNEL_DOMAIN,
    MANAGER,
    MANAGERS,
    POLICY_FILES,
    PROFILE,
    REWRITE,
    STAT,
    profiles,
)
from sekisho.store.merge import carry_over
from sekisho.store.snapshot import Snapshot, snapshot

_Identity = tuple[tuple[int, int, int, int] | None, ...]


class PolicyDirectory:
    """One policy directory. It remembers what it loaded, so that saving adds to what others saved meanwhile."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Nothing is read or made yet; a relative ``path`` is taken from the current directory of now."""
        self.path = Path(os.path.abspath(path))
        self._saved = Snapshot()
        self._counted = Statistics()
        self._journals: list[str] = []
        self._on_disk: tuple[_Identity, Policy] | None = None
        self._rewrite: tuple[_Identity, RewriteRules] | None = None

    @property
    def audit_log(self) -> Path:
        """Where the audit log is, or will be."""
        return self.path / AUDIT

    def create(self) -> bool:
        """The directory is there with all its files; True if it was made now.

        A making that was cut short is finished; files that are there stay as they are.
        """
        try:
            os.makedirs(self.path, 0o700, exist_ok=True)
        except OSError as error:
            hint = "choose another directory with -P"
            raise UserError(f"cannot make policy directory {self.path}: {error.strerror}", hint) from None
        with files.opened(self.path) as fd:
            if files.exists(fd, DOMAIN_POLICY):
                return False
            with files.locked(fd, self.path):
                # The domain policy comes last: where it is, everything is.
                for name, text in _new_files().items():
                    if not files.exists(fd, name):
                        files.replace(fd, self.path, name, text)
        return True

    def check(self) -> None:
        """The directory is there and can be relied on; raises UserError where it can't."""
        with files.opened(self.path):
            pass

    def check_writable(self) -> None:
        """Policy can be saved and the audit log written; raises UserError where they can't. Changes nothing."""
        with files.opened(self.path) as fd:
            for name in (".", AUDIT):
                if files.exists(fd, name) and not os.access(name, os.W_OK, dir_fd=fd, effective_ids=True):
                    path = self.path if name == "." else self.path / name
                    raise UserError(f"cannot write {path}", "make it writable, or choose another directory with -P")

    def load(self) -> Policy:
        """The whole policy. Raises UserError for a directory that can't be relied on, PolicyError for its text."""
        with files.opened(self.path) as fd:
            policy = reading.read_policy(fd, self.path)
            self._saved = snapshot(policy)
            self._journals = journal.take_in(fd, self.path, policy)
        return policy

    def statistics(self) -> Statistics:
        """The counters on disk; who goes on counting from them gives the result to ``save``."""
        with files.opened(self.path) as fd:
            self._counted = reading.read_statistics(fd, self.path)
        return self._counted

    def rewrite_rules(self) -> RewriteRules:
        """The rules by which learning generalises names, not read again if nobody has written them since."""
        with files.opened(self.path) as fd:
            identity = (files.identity(fd, REWRITE),)
            if self._rewrite is None or self._rewrite[0] != identity:
                self._rewrite = identity, reading.read_rewrite_rules(fd, self.path)
            return self._rewrite[1]

    def errors(self) -> list[UserError]:
        """Every error of every file; none means that ``load`` succeeds."""
        with files.opened(self.path) as fd:
            return reading.find_errors(fd, self.path)

    def save(self, policy: Policy, statistics: Statistics | None = None) -> None:
        """What has become of ``policy`` since loading or the last save has become of what is on disk.

        That was read again, if somebody wrote to it: what others added stays, what they removed stays away. The same
        holds for counters, which begin with zero unless ``statistics`` was asked. On an error (a full disk) each file
        has either all of it or what it had, and the next save tries again.
        """
        now = snapshot(policy)
        if self._is_saved(now, statistics):
            return
        with files.opened(self.path) as fd, files.locked(fd, self.path):
            self._save(fd, now, statistics)

    def sync(self, policy: Policy, statistics: Statistics | None = None) -> bool:
        """The same, and ``policy`` has become what is on disk; whether it was otherwise."""
        now = snapshot(policy)
        with files.opened(self.path) as fd:
            if self._is_saved(now, statistics) and self._is_on_disk(fd, now):
                return False
            with files.locked(fd, self.path):
                current = self._save(fd, now, statistics)
        changed = carry_over(now, snapshot(current), policy)
        self._saved = snapshot(policy)
        return bool(changed)

    def _is_on_disk(self, fd: int, now: Snapshot) -> bool:
        """Whether the files have nothing else; what a save has left as others had written it is something else."""
        known = self._on_disk
        return known is not None and known[0] == _identity(fd) and snapshot(known[1]) == now

    def _is_saved(self, now: Snapshot, statistics: Statistics | None) -> bool:
        return now == self._saved and statistics in (None, self._counted) and not self._journals

    def _save(self, fd: int, now: Snapshot, statistics: Statistics | None) -> Policy:
        """What is on disk now."""
        current = self._save_policy(fd, now)
        journal.remove(fd, self._journals)
        self._journals = []
        if statistics is not None and statistics != self._counted:
            total = reading.read_statistics(fd, self.path).plus(statistics, since=self._counted)
            files.replace(fd, self.path, STAT, print_stat(total))
            self._counted = statistics
        return current

    def _save_policy(self, fd: int, now: Snapshot) -> Policy:
        current = self._current(fd)
        # Until everything is written, what is kept of it must not be taken for what the files have.
        self._on_disk = None
        changed = carry_over(self._saved, now, current)
        for name in POLICY_FILES:
            if name in changed:
                files.replace(fd, self.path, name, _PRINTERS[name](current))
        self._on_disk = (_identity(fd), current)
        self._saved = now
        return current

    def _current(self, fd: int) -> Policy:
        """The policy on disk, not read again if nobody has written since."""
        if self._on_disk is not None and self._on_disk[0] == _identity(fd):
            return self._on_disk[1]
        return reading.read_policy(fd, self.path)

    def format(self) -> list[str]:
        """Every file of policy is in canonical form; the names of those that weren't."""
        changed = []
        with files.opened(self.path) as fd, files.locked(fd, self.path):
            policy = reading.read_policy(fd, self.path)
            for name, print_file in _PRINTERS.items():
                text = print_file(policy)
                if files.read(fd, self.path, name) not in (text, None):
                    files.replace(fd, self.path, name, text)
                    changed.append(name)
        return changed


def _new_files() -> dict[str, str]:
    return {
        PROFILE: profiles(),
        EXCEPTION_POLICY: "",
        MANAGER: MANAGERS,
        STAT: print_stat(Statistics()),
        REWRITE: DEFAULT_REWRITE,
        DOMAIN_POLICY: KERNEL_DOMAIN,
    }


_PRINTERS: Final[dict[str, Callable[[Policy], str]]] = {
    PROFILE: printer.print_profile,
    EXCEPTION_POLICY: printer.print_exception_policy,
    DOMAIN_POLICY: printer.print_domain_policy,
    MANAGER: printer.print_manager,
}


def _identity(fd: int) -> _Identity:
    """What differs once a file of policy is replaced or written to."""
    return tuple(files.identity(fd, name) for name in POLICY_FILES)
