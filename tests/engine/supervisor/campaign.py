"""All rows of keywords in four runs: learned; enforced with all lines, and with each line left out; permissive."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.engine.supervisor import keywords, tiny
from tests.engine.supervisor.keywords import Row
from tests.engine.supervisor.supervised import Supervised, domain

from sekisho.engine.supervisor.system import abi

ASKER = Path(__file__).with_name("asker.py")
PYTHON = [sys.executable, "-I", "-S", str(ASKER)]
NUMBERS = getattr(abi.native(), "numbers", {})


@dataclass(frozen=True)
class Variant:
    """Who asks: the code that the asker runs first, and the ids that it has then."""

    name: str
    before: str = ""
    uid: int = os.getuid()
    gid: int = os.getgid()
    prefix: tuple[str, ...] = ()


@dataclass
class Case:
    """One row in a directory of its own; ``missing`` is the line that policy lacks, None when it lacks nothing."""

    row: Row
    place: Path
    number: int
    port: int
    variant: Variant
    missing: int | None = None
    outcome: int | None = None

    lines: list[tuple[str, str]] = field(init=False)
    """(domain, line) of everything that the row needs."""

    def __post_init__(self) -> None:
        ids = {"uid": self.variant.uid, "gid": self.variant.gid}
        values = {"d": str(self.place), "number": self.number, "port": self.port, "TREE": tree_type(self.place), **ids}
        self.lines = []
        for template in self.row.lines:
            inner, colon, rest = template.format(**values).partition(": ")
            self.lines.append((domain(sys.executable, inner), rest) if colon else (domain(sys.executable), inner))


def tree_type(place: Path) -> str:
    """The type of the file system that ``place`` lies on, as ``file mount`` names it."""
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        device = os.stat(place).st_dev
        for line in lines:
            words = line.split()
            if words[2] == f"{os.major(device)}:{os.minor(device)}":
                return words[words.index("-") + 1]
    return "?"


@dataclass
class Campaign:
    """What came of every row, by its name."""

    learned: dict[str, tuple[set[tuple[str, str]], set[tuple[str, str]]]] = field(default_factory=dict)
    """(what was learned, what had to be)."""
    allowed: dict[str, Case] = field(default_factory=dict)
    denied: dict[tuple[str, int], tuple[Case, list[str]]] = field(default_factory=dict)
    """By row and missing line: the case and the records of its directory."""
    permitted: dict[str, tuple[Case, list[str]]] = field(default_factory=dict)
    first: dict[str, Case] = field(default_factory=dict)
    """Each row as it was learned."""
    noise: list[str] = field(default_factory=list)
    """Requests denied that belong to no row, or to one that lacked nothing."""
    said: str = ""


class Play:
    """The directories, ports and runs of one campaign below ``root`` (a short path: UNIX addresses are)."""

    def __init__(self, root: Path, variant: Variant, rows: list[Row]) -> None:
        self.root, self.variant, self.rows = root, variant, rows
        self.supervised = Supervised(root / "policy", before=variant.prefix)
        self.plan = root / "plan.json"
        self.count = self.raw = 0
        self.stack = ExitStack()
        self.said = ""

    def case(self, row: Row, missing: int | None = None) -> Case:
        """``row`` in a new directory."""
        self.count += 1
        number = 252 - self.raw if "RAW" in row.code else self.count
        self.raw += "RAW" in row.code
        place = self.root / f"{self.count}"
        place.mkdir()
        keywords.populate(place, tiny.program())
        port = self._peers(row, place)
        for each in (place, *place.iterdir()):
            os.chown(each, self.variant.uid, self.variant.gid, follow_symlinks=False)
        return Case(row, place, number, port, self.variant, missing)

    def _peers(self, row: Row, place: Path) -> int:
        """Sockets that the row talks to; the port of its own."""
        for name, kind in (
            ("stream", socket.SOCK_STREAM),
            ("dgram", socket.SOCK_DGRAM),
            ("seqpacket", socket.SOCK_SEQPACKET),
        ):
            if f"/{name}'" in row.code or f"b'{name}'" in row.code:
                peer = self.stack.enter_context(socket.socket(socket.AF_UNIX, kind))
                peer.bind(str(place / name))
                if kind != socket.SOCK_DGRAM:
                    peer.listen()
        if "port" not in row.code:
            return 0
        kind = socket.SOCK_STREAM if "STREAM" in row.code else socket.SOCK_DGRAM
        peer = self.stack.enter_context(socket.socket(socket.AF_INET6 if "6" in row.name else socket.AF_INET, kind))
        peer.bind(("localhost" if "6" not in row.name else "::1", 0))
        port: int = peer.getsockname()[1]
        if "bind" in row.code:
            peer.close()
        elif kind == socket.SOCK_STREAM:
            peer.listen()
        return port

    def play(self, verb: str, cases: list[Case], mode: str | None = None) -> None:
        """The asker has tried every case under supervision."""
        steps = [
            (str(number), case.row.code, str(case.place), case.number, case.port) for number, case in enumerate(cases)
        ]
        self.plan.write_text(json.dumps({"numbers": NUMBERS, "before": self.variant.before, "steps": steps}))
        command = [*PYTHON, str(self.plan)]
        result = self.supervised.learn(*command) if verb == "learn" else self.supervised.run(*command, mode=mode)
        self.said += f"{verb} {mode}: status {result.status}\n{result.err}"
        for line in result.out.splitlines():
            number, _, code = line.partition("\t")
            cases[int(number)].outcome = int(code)

    def rejected(self, mode: str) -> list[tuple[str, str]]:
        """(domain, request) of what was not granted, each once."""
        records = [record for record in self.supervised.records() if record["mode"] == mode and not record["granted"]]
        return list(dict.fromkeys((record["domain"], record["acl"]) for record in records))


@contextmanager
def played(root: Path, variant: Variant, rows: list[Row]) -> Iterator[Campaign]:
    """The whole campaign, played."""
    play, found = Play(root, variant, rows), Campaign()
    with play.stack:
        play.play("learn", [])
        base = play.supervised.entries()
        learning = [play.case(row) for row in rows]
        play.play("learn", learning)
        _compare_learned(play, found, base, learning)
        enforcing = [play.case(row, missing) for row in rows for missing in _missing(row)]
        permitting = [play.case(row) for row in rows if "permit" in row.parts]
        policy = {name: set(lines) for name, lines in base.items()}
        for case in enforcing:
            for index, (name, line) in enumerate(case.lines):
                lines = policy.setdefault(name, set())
                if index != case.missing:
                    lines.add(line)
        policy.pop("<kernel>")
        play.supervised.write(policy)
        play.supervised.forget_records()
        play.play("run", enforcing)
        records = play.rejected("enforcing")
        for case in enforcing:
            mine = [acl for name, acl in records if _belongs(name, acl, case)]
            if case.missing is None:
                found.allowed[case.row.name] = case
                found.noise += mine
            else:
                found.denied[case.row.name, case.missing] = case, mine
        play.play("run", permitting, "permissive")
        permissive = play.rejected("permissive")
        for case in permitting:
            found.permitted[case.row.name] = case, [acl for name, acl in permissive if _belongs(name, acl, case)]
        found.said = play.said
        yield found


def _missing(row: Row) -> list[int | None]:
    return [*([None] if "allow" in row.parts else []), *(range(len(row.lines)) if "deny" in row.parts else [])]


def _belongs(name: str, acl: str, case: Case) -> bool:
    return (name, acl) in [(name, bare(line)) for name, line in case.lines] or f"{case.place}/" in acl


def bare(line: str) -> str:
    """A line without its conditions, as records name it."""
    return " ".join(word for word in line.split(" ") if '="' not in word)


def _compare_learned(play: Play, found: Campaign, base: dict[str, set[str]], cases: list[Case]) -> None:
    new = {(name, line) for name, lines in play.supervised.entries().items() for line in lines - base.get(name, set())}
    for case in cases:
        wanted = set(case.lines)
        mine = {pair for pair in new if pair in wanted or str(case.place) + "/" in pair[0] + pair[1]}
        new -= mine
        found.learned[case.row.name] = mine, wanted
        found.first[case.row.name] = case
    found.noise += [f"learned in {name}: {line}" for name, line in sorted(new)]
