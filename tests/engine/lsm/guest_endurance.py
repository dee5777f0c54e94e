"""In a virtual machine: what programs under policy see while the daemon is killed, follows itself, and policy changes.

``python -m tests.engine.lsm.guest_endurance OBJECT WORKERS TAKEOVERS`` prints ``what: outcome`` lines; WORKERS is the
compiled ``endurance.c``. Two policies take turns (endurance_policy.py).
"""

from __future__ import annotations

import mmap
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.engine.lsm import managed
from tests.engine.lsm.endurance_policy import HOME, change
from tests.engine.lsm.managed import POLICY, PROGRAMS, status, tell

from sekisho.engine.lsm import hooks
from sekisho.engine.lsm.daemon import control, launch, pins
from sekisho.engine.lsm.daemon import system as engine
from sekisho.engine.lsm.kernel.loader import Options
from sekisho.errors import UserError
from sekisho.store.directory import PolicyDirectory

ROLES = ("files", "changes", "sockets", "executions", "learning")
PROGRAM = {"learning": "learner"}
ASKED = {
    "file_open", "path_chmod", "path_link", "path_mkdir", "path_mknod", "path_exchange", "path_rename",
    "path_truncate", "path_unlink", "socket_connect",
}  # fmt: skip
_RECORD = struct.Struct("Qq48s")
_COUNTS = struct.Struct("4Q")
_MOST = 16
_SIZE = _COUNTS.size + _MOST * _RECORD.size


def prepare(image: Path, workers: Path) -> None:
    managed.prepare(image)
    HOME.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", HOME], check=True)
    for name in ("data", "out", "bin"):
        (HOME / name).mkdir()
    data = ["always", "never", "first", "second", "torn", "moved", "halved", "condition"]
    for head, tail in (("p", "txt"), ("q", "txt"), ("a", "dat"), ("b", "dat")):
        data += [f"{head}-{number}.{tail}" for number in range(20)]
    for name in data:
        (HOME / "data" / name).touch()
    for name in ("worker", "learner", "known", "never", *(f"n-{number}" for number in range(400))):
        target = HOME / "bin" / name
        if name.startswith("n-"):
            os.link(HOME / "bin" / "worker", target)
        else:
            shutil.copy(workers, target)
    PolicyDirectory(POLICY).create()
    (POLICY / "manager.conf").write_text(f"{PROGRAMS}/admin\n")
    change(0)


class Workers:
    """Programs under policy, one of each role, until they are stopped."""

    def __init__(self) -> None:
        with (HOME / "counts").open("w+b") as file:
            file.truncate(65536)
            self._memory = mmap.mmap(file.fileno(), 65536)
            self._running = [self._begin(role, place, file.fileno()) for place, role in enumerate(ROLES)]

    def _begin(self, role: str, place: int, counts: int) -> int:
        program = str(HOME / "bin" / PROGRAM.get(role, "worker"))
        pid = os.fork()
        if not pid:
            os.nice(15)  # the daemon is what this is about
            os.dup2(counts, 3)
            os.set_inheritable(3, True)  # it may have been there before
            os.execve(program, [program, role, str(place)], {})
        return pid

    def counts(self, place: int) -> tuple[int, int, int, int]:
        """Requests, those that one policy allows and were, those that weren't, wrong outcomes."""
        done, first, second, wrongs = _COUNTS.unpack_from(self._memory, place * _SIZE)
        return done, first, second, wrongs

    def wrongs(self, place: int) -> Iterator[str]:
        """The last wrong outcomes."""
        for number in range(min(_MOST, self.counts(place)[3])):
            when, error, what = _RECORD.unpack_from(self._memory, place * _SIZE + _COUNTS.size + number * _RECORD.size)
            yield f"{what.rstrip(bytes(1)).decode()} came to {error} at {when / 1e9:.3f}"

    def total(self) -> int:
        """Wrong outcomes."""
        return sum(self.counts(place)[3] for place in range(len(ROLES)))

    def stop(self) -> dict[int, int]:
        """They have ended; those are told that had ended before."""
        gone = dict(ended for pid in self._running if (ended := os.waitpid(pid, os.WNOHANG))[0])
        for pid in set(self._running) - set(gone):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return gone


class Administrator:
    """Kills and starts the daemon, and has policy read again."""

    def __init__(self, programs: str) -> None:
        self._programs = programs
        self.daemon: subprocess.Popen[str] | None = None
        self.kills = self.starts = self.unfinished = 0
        self.took: list[float] = []
        """How long each reload took, in seconds of this machine's."""
        self.reloading = 0.0
        """How long policy was being changed all the time."""
        self.slow = 0.0
        self.trouble: list[str] = []

    def start(self, patience: float = 400) -> None:
        """The daemon answers, or has been killed when ``patience`` came to its end."""
        command = [sys.executable, "-B", "-m", "tests.engine.lsm.guest_endurance", "daemon", self._programs]
        begin = time.monotonic()
        with (HOME / "said").open("w") as said:
            self.daemon = subprocess.Popen(command, stdout=said, stderr=said, text=True)
        while not control.is_there():
            if self.daemon.poll() is not None:
                raise SystemExit(f"the daemon ended: {(HOME / 'said').read_text()}")
            if time.monotonic() - begin > patience:
                self.kill()
                self.unfinished += 1
                return
            time.sleep(0.05)
        self.starts += 1
        self.slow = max(self.slow, time.monotonic() - begin)

    def kill(self) -> None:
        """Nobody is there who learns, logs or answers."""
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
            self.kills += 1

    def reload(self, which: int) -> None:
        """The other policy holds."""
        change(which)
        begin = time.monotonic()
        try:
            control.ask("reload")
        except UserError as error:
            self.trouble.append(str(error))
            return
        self.took.append(time.monotonic() - begin)


def scene(takeovers: int) -> None:
    chance = random.Random(4)
    administrator = Administrator("few" if takeovers == 1 else "all")
    begin = time.monotonic()
    administrator.start()
    tell("start", f"{time.monotonic() - begin:.1f} s, wall {time.monotonic():.1f}")
    workers = Workers()
    for turn in range(takeovers):
        reloads(administrator, 4 if takeovers == 1 else 40)
        tell(f"wrong before kill {turn}", f"{workers.total()} at {time.monotonic():.1f}")
        administrator.kill()
        change(turn & 1)
        if takeovers > 1 and turn % 3 == 0:  # another is killed on its way, and so is the one after that
            for _ in range(2):
                administrator.start(patience=administrator.slow * chance.uniform(0.2, 1.1))
                if administrator.daemon is not None and administrator.daemon.poll() is None:
                    administrator.kill()
        administrator.start()
        tell(f"wrong after takeover {turn}", f"{workers.total()} at {time.monotonic():.1f}")
    reloads(administrator, 3 if takeovers == 1 else 40)
    tell("folders", len(pins.folders()))
    found = status()
    for place, role in enumerate(ROLES):
        tell(f"{role}", " ".join(map(str, workers.counts(place))))
        tell(f"wrong {role}", "; ".join(workers.wrongs(place)) or "none")
    tell("ended", workers.stop())
    kernel: dict[str, int] = found["kernel"]  # type: ignore[assignment]
    tell("kernel", kernel)
    weak = ("inconsistent", "crowded", "homeless")
    tell(", ".join(weak), " ".join(str(kernel[name]) for name in weak))
    tell("missing", found["missing"])
    tell("trouble", "; ".join(administrator.trouble) or "none")
    tell("said", (HOME / "said").read_text() or "nothing")
    for name in ("kills", "starts", "unfinished"):
        tell(name, getattr(administrator, name))
    took = sorted(administrator.took)
    tell("reloads", f"{len(took)} in {administrator.reloading:.0f} s")
    tell("a reload took", f"{took[len(took) // 2]:.2f} s (median), {took[-1]:.2f} s (longest)")
    tell("slowest start", f"{administrator.slow:.1f}")
    tell("seconds", f"{time.monotonic() - begin:.0f}")


def reloads(administrator: Administrator, seconds: float) -> None:
    """Policy is read again once a second, if it can be so often; no less than twice."""
    start = time.monotonic()
    end = start + seconds
    turn = 0
    while turn < 2 or time.monotonic() < end:
        begin = time.monotonic()
        turn += 1
        administrator.reload(turn & 1)
        time.sleep(max(0.0, 1 - (time.monotonic() - begin)))
    administrator.reloading += time.monotonic() - start


def daemon(programs: str) -> None:
    """This process is the daemon, of ``all`` programs or of the ``few`` that what the workers do comes upon."""
    if programs == "few":
        few = {each.name for each in hooks.PROGRAMS.values() if each.purpose == hooks.LINEAGE} | ASKED
        setattr(engine, "Options", partial(Options, wanted=lambda source: source.name in few))  # noqa: B010
    launch.foreground(PolicyDirectory(POLICY), print, lambda: None)


def main() -> None:
    if sys.argv[1] == "daemon":
        daemon(sys.argv[2])
        return
    if sys.argv[1] == "scene":
        scene(int(sys.argv[2]))
        return
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
    managed.as_manager("tests.engine.lsm.guest_endurance", "scene", sys.argv[3])


if __name__ == "__main__":
    main()
