"""Ten readers and a writer on the interface of a tree that learns all the while: nothing is lost, nothing comes twice.

Ten seconds of it; ``make stress`` (pytest ``--long``) is a minute.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.supervised import Supervised

from sekisho.interface import client
from sekisho.interface.client import OpenFile, Service

CHURNING = Path(__file__).with_name("churning.py")
PATIENCE = 60.0
DOMAIN = "<kernel> /stress"
LINE = re.compile(r"file read /stress/([0-9]+)")
RECORD = re.compile(rb"#[^\n]* mode=learning granted=no [^\n]*\n<kernel> [^\n]*\n([^\n]*)\n\0", re.DOTALL)


class Tree:
    """A program that is being learned, and whoever looks at it meanwhile."""

    def __init__(self, supervised: Supervised, place: Path, pause: float) -> None:
        place.mkdir()
        profile = supervised.path / "profile.conf"
        profile.write_text(profile.read_text().replace("max_audit_log=1024", "max_audit_log=1000000"))
        self.path = supervised.path
        self.place = place
        self.program = subprocess.Popen(
            supervised.arguments("learn", supervised.python, "-I", CHURNING, place, str(pause)),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=supervised.environment(),
        )  # fmt: skip
        self.stopping = threading.Event()
        self.written = 0
        """So many lines of the writer's have been taken."""
        self.problems: list[BaseException] = []
        self.threads: list[threading.Thread] = []
        assert self.program.stdout is not None
        assert b"running\n" == self.program.stdout.readline()

    def start(self, work: Callable[[Service], None]) -> None:
        """``work`` is done in a thread, with a connection of its own."""

        def whole() -> None:
            try:
                service = client.connect(self.path)
                try:
                    work(service)
                finally:
                    service.close()
            except BaseException as problem:
                self.problems.append(problem)
                self.stopping.set()

        self.threads.append(threading.Thread(target=whole))
        self.threads[-1].start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        if self.problems:
            raise self.problems[0]

    def say(self, line: bytes) -> None:
        """The program hears something: first that it may stop, then that it may end."""
        assert self.program.stdin is not None
        self.program.stdin.write(line)
        self.program.stdin.flush()

    def end(self) -> None:
        self.stopping.set()
        self.program.kill()
        self.program.wait(PATIENCE)
        for stream in (self.program.stdin, self.program.stdout):
            assert stream is not None
            stream.close()
        for thread in self.threads:
            thread.join(PATIENCE)


def everything(file: OpenFile) -> Iterator[bytes]:
    while piece := file.read(65536):
        yield piece


def audit_reader(tree: Tree, seen: Counter[str]) -> Callable[[Service], None]:
    """Takes records until the program has stopped and there are no more."""

    def work(service: Service) -> None:
        file = service.open("audit", writable=False)
        while True:
            was_stopping = tree.stopping.is_set()
            record = file.read(65536)
            if record:
                found = RECORD.fullmatch(record)
                assert found is not None, record
                seen[found[1].decode()] += 1
            elif was_stopping:
                break
            else:
                file.wait_readable(0.1)
        file.close()

    return work


def domain_reader(tree: Tree, *, chosen: bool) -> Callable[[Service], None]:
    """Sees every line that was taken before it began to read, and none without those before it."""

    def work(service: Service) -> None:
        while not tree.stopping.is_set():
            written = tree.written
            file = service.open("domain_policy")
            if chosen:
                file.write(f"select domain={DOMAIN}\n".encode())
            text = b"".join(everything(file)).decode()
            file.close()
            mine = [line for line in block(text, DOMAIN) if line.startswith("file ")]
            numbers = [int(found[1]) for line in mine if (found := LINE.fullmatch(line))]
            assert numbers == list(range(len(numbers)))
            assert len(numbers) >= written
            assert len(mine) - len(numbers) in (0, 1), mine[-3:]

    return work


def block(text: str, name: str) -> list[str]:
    """The lines of one domain."""
    lines = text.splitlines()
    if name not in lines:
        return []
    rest = lines[lines.index(name) + 1 :]
    end = next((place for place, line in enumerate(rest) if line.startswith("<")), len(rest))
    return rest[:end]


def other_reader(tree: Tree) -> Callable[[Service], None]:
    def work(service: Service) -> None:
        while not tree.stopping.is_set():
            written = tree.written
            for name, marks in (("profile", 4), ("stat", 1), ("exception_policy", written), ("manager", 1)):
                file = service.open(name)
                text = b"".join(everything(file)).decode()
                file.close()
                assert len(text.splitlines()) >= marks, name

    return work


def writer(tree: Tree) -> Callable[[Service], None]:
    """A line of each file at a time, in two pieces, and one that comes and goes."""

    def work(service: Service) -> None:
        domains, exceptions = (
            service.open("domain_policy", administrator=True),
            service.open("exception_policy", administrator=True),
        )
        domains.write(f"{DOMAIN}\nuse_profile 1\n".encode())
        while not tree.stopping.is_set():
            line = f"file read /stress/{tree.written}\nfile write /gone\ndelete file write /gone\n".encode()
            middle = tree.written % len(line)
            exceptions.write(f"path_group STRESS /stress/{tree.written}\n".encode())
            domains.write(line[:middle])
            domains.write(line[middle:])
            tree.written += 1
        domains.close()
        exceptions.close()

    return work


@pytest.mark.slow
def test_ten_readers_and_a_writer_lose_nothing(
    policy_directory: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seconds = 60 if request.config.getoption("--long") else 10
    supervised = Supervised(policy_directory)
    tree = Tree(supervised, tmp_path / "place", 0.002)
    counters = [Counter[str]() for _ in range(4)]
    try:
        for counter in counters:
            tree.start(audit_reader(tree, counter))
        for number in range(5):
            tree.start(domain_reader(tree, chosen=number > 0))
        tree.start(other_reader(tree))
        tree.start(writer(tree))
        tree.stopping.wait(seconds)
        tree.say(b"stop\n")
        assert tree.program.stdout is not None
        count = int(tree.program.stdout.readline())
        tree.stopping.set()
        tree.join()
        tree.say(b"end\n")
        assert 0 == tree.program.wait(PATIENCE)
    finally:
        tree.end()
    assert count > seconds
    assert tree.written > seconds
    made = {f'file symlink {tree.place}/link{n} symlink.target="nowhere"' for n in range(count)} | {
        f"file unlink {tree.place}/link{n}" for n in range(count)
    }
    taken = sum(counters, Counter[str]())
    churned = {line: times for line, times in taken.items() if "/link" in line}
    assert {line.partition(" symlink.target")[0] for line in made} == {
        line.partition(" symlink.target")[0] for line in churned
    }
    assert set(churned.values()) == {1}
    entries = supervised.entries()
    assert {f"file read /stress/{n}" for n in range(tree.written)} == entries[DOMAIN]
    assert made == {line for lines in entries.values() for line in lines if "/link" in line}
    exceptions = (policy_directory / "exception_policy.conf").read_text().splitlines()
    assert {f"path_group STRESS /stress/{n}" for n in range(tree.written)} == set(exceptions)
    logged = Counter(record["acl"] for record in supervised.records() if "/link" in record["acl"])
    assert set(logged.values()) == {1}
    assert len(logged) == 2 * count
