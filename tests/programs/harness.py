"""Law 3 on a real program: what was learned from a run denies nothing when enforced on the same run.

A program runs twice native, which shows what differs between any two of its runs; then learned, enforced,
and enforced once more with one entry taken away: exactly that must be denied.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pytest

from sekisho.learn.rewrite import DEFAULT_REWRITE, RewriteRules
from sekisho.names.pattern import compile_pattern
from sekisho.names.word import encode
from sekisho.policy.edit import delete_entry
from sekisho.policy.model import AclEntry, Domain, Name, Number, Policy
from sekisho.policy.parser import parse_acl, parse_domain_policy
from sekisho.policy.printer import print_acl, print_domain_policy
from sekisho.store.directory import PolicyDirectory

SOURCES: Final = Path(__file__).resolve().parents[2] / "src"
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE: Final = 120
"""Seconds that one run may take, on a machine busy with other things."""
LAUNCHER: Final = (
    "import sys; sys.path.insert(0, {!r}); from sekisho.cli.main import main; sys.exit(main(sys.argv[1:]))"
)

Outcome = dict[tuple[object, ...], object]
"""What came out of a run: exit status, each line of output, each attribute of each file left."""


@dataclass(frozen=True)
class Program:
    """A shell script to hold to Law 3. ``{work}`` in any text is the directory it runs in, ``{port}`` a free port."""

    name: str
    script: str
    removes: tuple[str, str]
    """The last program of the domain, and the entry of it that is taken away in the end."""
    setup: str = ""
    """Run without Sekisho before every run."""
    survives: bool = False
    """Whether the script ends well all the same when that entry is missing."""
    needs: tuple[str, ...] = ()
    lessons: int = 1
    """How often it is learned before it is enforced."""
    ignores: tuple[str, ...] = ()
    """Files whose contents and attributes are not compared, by name."""


@dataclass(frozen=True)
class Place:
    """Where, as whom and by which commands a program is held to Law 3."""

    base: Path
    python: str = sys.executable
    sources: Path = SOURCES
    become: tuple[str, ...] = ()
    """Words before a command that make it run as another user."""
    words: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        return self.base / "work"

    @property
    def audit_log(self) -> Path:
        return PolicyDirectory(self.base / "policy").audit_log

    def fill(self, text: str) -> str:
        """``text`` with its ``{words}`` replaced."""
        for word, value in {"work": str(self.work), **self.words}.items():
            text = text.replace(f"{{{word}}}", value)
        return text

    def sekisho(self, subcommand: str) -> list[str]:
        """The words that run what follows them under Sekisho."""
        launcher = LAUNCHER.format(str(self.sources))
        return [self.python, "-I", "-c", launcher, subcommand, "-P", str(self.base / "policy"), "--"]

    def run(self, program: Program, before: list[str]) -> Outcome:
        """The outcome of ``program`` in a fresh working directory, run by the words ``before``."""
        shutil.rmtree(self.work, ignore_errors=True)
        self._start(["mkdir", str(self.work)], self.base)
        if program.setup:
            prepared = self._start(["/bin/sh", "-ec", self.fill(program.setup)], self.work)
            assert (0, "") == (prepared.returncode, prepared.stderr), prepared
        ended = self._start([*before, "/bin/sh", "-ec", self.fill(program.script)], self.work)
        self._nothing_runs_on()
        outcome: Outcome = {("status",): ended.returncode}
        for stream, text in (("out", ended.stdout), ("err", ended.stderr)):
            lines = [line for line in text.splitlines() if not line.startswith("sekisho: learned ")]
            outcome |= {(stream, number): line for number, line in enumerate(lines)}
        return outcome | left_behind(self.work, program.ignores)

    def _start(self, command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": PATH, "HOME": str(self.work), "LC_ALL": "C", "TZ": "UTC", "USER": "tester"}
        with subprocess.Popen(
            [*self.become, *command], cwd=directory, env=environment, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="surrogateescape",
        ) as process:  # fmt: skip
            try:
                out, err = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, err = process.communicate()
                pytest.fail(f"{command} didn't end; it said:\n{out}\n{err}")
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def _nothing_runs_on(self) -> None:
        """No process that belongs here is left; one that doesn't end in time is killed, and the test fails."""
        late = time.monotonic() + 10
        while left := processes_of(self.base):
            if time.monotonic() > late:
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
                pytest.fail(f"still running: {left}")
            time.sleep(0.05)

    def denials(self) -> list[tuple[str, str]]:
        """(domain, request) of everything refused since the log was last emptied, each once."""
        records = map(json.loads, self.audit_log.read_text().splitlines())
        denied = [r for r in records if r["mode"] == "enforcing" and not r["granted"]]
        return list(dict.fromkeys((record["domain"], record["acl"]) for record in denied))

    def empty_log(self) -> None:
        """Nothing is in the audit log."""
        os.truncate(self.audit_log, 0)


def processes_of(base: Path) -> dict[int, str]:
    """Every process that stands below ``base`` or was started with its name, with its command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(base) in line or base in Path(os.readlink(entry / "cwd")).parents:
                found[int(entry.name)] = line
        except OSError:
            continue
    return found


def left_behind(directory: Path, ignored: tuple[str, ...]) -> Outcome:
    """Every attribute of every file below ``directory`` that two runs may have in common."""
    found: Outcome = {}
    for path in sorted(directory.rglob("*")):
        if path.name in ignored:
            continue
        status = path.lstat()
        name = str(path.relative_to(directory))
        found |= {(name, "mode"): stat.filemode(status.st_mode), (name, "owner"): (status.st_uid, status.st_gid)}
        found |= {(name, "links"): status.st_nlink, (name, "device"): status.st_rdev}
        # A recent time is the clock's, and may by chance be the same in two runs.
        if status.st_mtime < time.time() - 86400:
            found[name, "time"] = status.st_mtime_ns
        if stat.S_ISREG(status.st_mode):
            found[name, "contents"] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif stat.S_ISLNK(status.st_mode):
            found[name, "target"] = os.readlink(path)
    return found


def hold(program: Program, place: Place) -> None:
    """``program`` keeps Law 3 at ``place``."""
    first, second = place.run(program, []), place.run(program, [])
    expected = {key: value for key, value in first.items() if second.get(key) == value}
    assert first[("status",)] == second[("status",)] == 0, first

    for _ in range(program.lessons):
        assert_alike(expected, place.run(program, place.sekisho("learn")))
    place.empty_log()
    enforced = place.run(program, place.sekisho("run"))
    denials = place.denials()
    assert [] == denials, f"denied: {denials}"
    assert_alike(expected, enforced)
    assert len(second) == len(enforced) or len(first) != len(second)

    domain, entry = take_away(program, place)
    place.empty_log()
    hindered = place.run(program, place.sekisho("run"))
    denials = place.denials()
    assert denials, f"{print_acl(entry)} is missing in {domain.name}, and nothing was denied"
    # A program that fails may end the helpers that it never had to end before.
    others = [
        denial
        for denial in denials
        if (denial[0] != domain.name or not grants(entry, denial[1])) and not denial[1].startswith("ipc signal ")
    ]
    assert [] == others, f"also denied: {others}"
    assert program.survives == (hindered[("status",)] == 0), hindered


def assert_alike(expected: Outcome, outcome: Outcome) -> None:
    """What any two runs have in common this one has too."""
    different = {key: (value, outcome.get(key)) for key, value in expected.items() if outcome.get(key) != value}
    errors = [value for key, value in outcome.items() if key[0] == "err"]
    assert {} == different, f"expected, come out: {different}\nerrors: {errors}"


def take_away(program: Program, place: Place) -> tuple[Domain, AclEntry]:
    """The policy on disk lacks the entry that ``program`` names; that, and the domain it was in."""
    last, text = program.removes
    file = place.base / "policy/domain_policy.conf"
    policy = Policy()
    parse_domain_policy(file.read_text(), policy, source=str(file))
    entry = parse_acl(generalised(place.fill(text)))
    domains = [domain for domain in policy.domains.values() if domain.name.rpartition("/")[2] == last]
    changed = [(domain, meant) for domain in domains for meant in like(entry, domain) if delete_entry(domain, meant)]
    listing = "\n".join(line for domain in domains for line in (domain.name, *map(print_acl, domain.entries)))
    assert 1 == len(changed), f"not in exactly one domain: {print_acl(entry)}\nlearned:\n{listing}"
    file.write_text(print_domain_policy(policy))
    return changed[0]


def like(entry: AclEntry, domain: Domain) -> list[AclEntry]:
    """``entry`` as ``domain`` has it: with the conditions that learning adds, where it was written without any."""
    same = [each for each in domain.entries if each.operands == entry.operands]
    return [
        replace(each, operations=entry.operations) for each in same if not set(entry.operations) - {*each.operations}
    ]


def generalised(text: str) -> str:
    """A line of policy with each name as learning writes it down."""
    rules = RewriteRules.parse(DEFAULT_REWRITE, "rewrite.conf")
    return " ".join(rules.name(word) if word.startswith("/") else word for word in text.split(" "))


def grants(entry: AclEntry, text: str) -> bool:
    """Whether ``entry`` is the one that granted the request which the audit log writes as ``text``."""
    request = parse_acl(text)
    if request.operations[0] not in entry.operations or len(request.operands) != len(entry.operands):
        return False
    for have, asked in zip(entry.operands, request.operands, strict=True):
        if isinstance(have, Name) and isinstance(asked, Name):
            if have.text != asked.text and not compile_pattern(have.text).matches(asked.text):
                return False
        elif isinstance(have, Number) and isinstance(asked, Number):
            if not have.low <= asked.low <= have.high:
                return False
        elif have != asked:
            return False
    return True


def cases(programs: list[Program], *marks: pytest.MarkDecorator) -> list[object]:
    """Parameters for pytest, each with the marks that its program needs."""
    return [
        pytest.param(
            program, id=program.name, marks=[*marks, *([pytest.mark.needs(*program.needs)] if program.needs else [])]
        )
        for program in programs
    ]


__all__ = ["Place", "Program", "cases", "encode", "hold"]
