"""Many processes at once, and the supervisor's sudden death: verdicts are neither lost nor wrong."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engine.supervisor.supervised import Supervised

pytestmark = [pytest.mark.needs("gcc")]

_HERE = Path(__file__).resolve().parent
_BOARD = struct.Struct("6l")
_PIDS = struct.Struct("512l")


@dataclass
class Board:
    """What the processes of a storm have seen so far."""

    granted: int
    executed: int
    refused: int
    wrongly_granted: int
    wrongly_refused: int
    errno_of_wrong: int


@dataclass
class Storm:
    """A policy under which allowed/ may be used and forbidden/ may not."""

    folder: Path
    policy: Supervised

    def arguments(self, processes: int, seconds: int) -> list[str]:
        """The supervised command line."""
        self.board_file.write_bytes(bytes(_BOARD.size + _PIDS.size))
        return self.policy.arguments(
            "run", self.folder / "storm", self.folder, str(processes), str(seconds), self.board_file
        )

    @property
    def board_file(self) -> Path:
        """Where the counters stand."""
        return self.folder / "board"

    def board(self) -> Board:
        """The counters now."""
        return Board(*_BOARD.unpack_from(self.board_file.read_bytes()))

    def pids(self) -> list[int]:
        """The processes that go on forever."""
        return [pid for pid in _PIDS.unpack_from(self.board_file.read_bytes(), _BOARD.size) if pid]

    def left(self) -> list[int]:
        """Processes that still run a program of ours, zombies not counted."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if str(self.folder).encode() in (entry / "cmdline").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[Storm]:
    """Built programs, their policy, and nobody left at the end."""
    folder = tmp_path.resolve()
    for name in ("allowed", "forbidden"):
        (folder / name).mkdir()
    (folder / "allowed" / "plain").write_text("plain")
    (folder / "forbidden" / "secret").write_text("secret")
    source = folder / "prog.c"
    source.write_text("int main(void) { return 10; }\n")
    for code, target in (
        (_HERE / "storm.c", "storm"),
        (source, "allowed/prog"),
        (source, "forbidden/prog"),
    ):
        subprocess.run(["gcc", "-O1", "-static", "-o", folder / target, code], check=True, timeout=120)
    policy = Supervised(folder / "policy")
    chain = f"<kernel> {folder}/storm"
    rules = {
        "misc env \\*",
        f"file read {folder}/allowed/plain",
        f"file execute {folder}/allowed/prog",
        f"file read/write {folder}/board",
    }
    policy.write({chain: rules, f"{chain} {folder}/allowed/prog": {"misc env \\*"}})
    made = Storm(folder, policy)
    yield made
    for pid in made.left():
        os.kill(pid, signal.SIGKILL)


def _weather(storm: Storm, processes: int, seconds: int) -> None:
    done = subprocess.run(
        storm.arguments(processes, seconds),
        env=storm.policy.environment(),
        capture_output=True,
        timeout=seconds * 4 + 60,
        check=False,
    )
    board, said = storm.board(), done.stderr.decode()[-3000:]

    assert done.returncode == 0, said
    assert (board.wrongly_granted, board.wrongly_refused, board.errno_of_wrong) == (0, 0, 0), said
    assert board.granted > processes
    assert board.executed > 0
    assert board.refused > processes
    assert storm.left() == []


def test_twenty_processes(storm: Storm) -> None:
    """No deadlock, no lost or wrong verdict, nobody left."""
    _weather(storm, 20, 1)


def test_killed_while_executing(storm: Storm) -> None:
    """A process that dies in the middle of an execve takes nothing with it."""
    done = subprocess.run(
        storm.arguments(4, -1), env=storm.policy.environment(), capture_output=True, timeout=50, check=False
    )
    board = storm.board()

    assert done.returncode == 0
    assert b"internal error" not in done.stderr
    assert (board.granted, board.refused, board.wrongly_refused) == (4, 4, 0)
    assert storm.left() == []


@pytest.mark.slow
def test_two_hundred_processes(storm: Storm) -> None:
    """The same with 200 for half a minute."""
    _weather(storm, 200, 30)


def _child(pid: int) -> int:
    words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(words[0]) if words else 0


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _until(what: str, true: Callable[[], bool]) -> None:
    """Waits until ``true()``, at most 20 seconds."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.002)


def _murder(storm: Storm, delay: float) -> None:
    """The supervisor is killed ``delay`` seconds into a run; no mediated call succeeds afterwards."""
    errors = storm.folder / "errors"
    with errors.open("wb") as file:
        front = subprocess.Popen(
            storm.arguments(6, 0),
            env=storm.policy.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        _until("processes open files", lambda: storm.board().granted > 0)
        supervisor = _child(front.pid)
        time.sleep(delay)
        os.kill(supervisor, signal.SIGKILL)
        _until("the supervisor is dead", lambda: not _alive(supervisor))
        # What was granted before counts only when its process has had its turn, which a busy machine may delay.
        time.sleep(0.2)
        before = storm.board()
        time.sleep(0.1)
        after = storm.board()
        front.wait(timeout=20)
    finally:
        front.kill()
        front.wait()
        for pid in storm.pids():
            if str(storm.folder).encode() in _command_line(pid):
                os.kill(pid, signal.SIGKILL)
    _until("nobody is left", lambda: not storm.left())

    assert before.granted == after.granted
    assert after.wrongly_granted == 0
    assert front.returncode == 128 + signal.SIGKILL
    assert "the supervisor died" in errors.read_text()


def test_a_stopped_supervisor(storm: Storm) -> None:
    """While it is stopped from outside all wait and nothing passes; afterwards everything goes on."""
    with subprocess.Popen(
        storm.arguments(6, 2), env=storm.policy.environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as front:
        _until("processes open files", lambda: storm.board().granted > 0)
        supervisor = _child(front.pid)
        os.kill(supervisor, signal.SIGSTOP)
        try:
            time.sleep(0.2)
            before = storm.board()
            time.sleep(0.3)
            assert before == storm.board()
        finally:
            os.kill(supervisor, signal.SIGCONT)
        _until("they go on", lambda: storm.board().granted > before.granted)
        said = front.communicate(timeout=60)[1].decode()
    board = storm.board()

    assert (0, 0, 0) == (front.returncode, board.wrongly_granted, board.wrongly_refused), said
    assert board.executed > before.executed


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_sudden_death(storm: Storm) -> None:
    """When the supervisor is gone nothing is granted any more."""
    _murder(storm, 0.01)


@pytest.mark.slow
def test_fifty_sudden_deaths(storm: Storm) -> None:
    """The same at fifty random moments."""
    chance = random.Random(1)
    for _ in range(50):
        _murder(storm, chance.uniform(0, 0.2))
