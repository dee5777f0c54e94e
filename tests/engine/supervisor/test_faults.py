"""One system call of the supervisor's goes wrong, whichever it is: nothing forbidden is done, nothing learned is lost,
the user is told, and nobody waits for ever.

A scene with files, a connection, programs and another user's rights is played under `learn` and `run`, each time with
one fault (injector.c). Here it is a sample; ``make faults`` (pytest ``--long``) tries each kind of call at several
places.
"""

from __future__ import annotations

import errno
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.engine.supervisor.faulty import Fault, Outcome, Play, Theatre, numbers

pytestmark = [pytest.mark.slow, pytest.mark.root, pytest.mark.needs("gcc")]

PLACES = 6
"""Of each kind of call so many are tried, spread over the whole run."""
SAMPLE = 2
"""So many faults are tried in each test when it isn't to take long."""
AT_ONCE = 2


NEVER = frozenset(
    "exit exit_group rt_sigreturn munmap getpid gettid getppid getuid geteuid getgid getegid rt_sigprocmask".split()
    + ["execve", "futex"]
)
"""Calls that can't fail, or whose failure is nobody's affair."""
MAKERS = frozenset(
    "openat socket socketpair pidfd_open pidfd_getfd pipe2 memfd_create epoll_create1 signalfd4 recvmsg ioctl".split()
)
DISK = frozenset("openat write pwrite64 fsync rename renameat ftruncate unlink unlinkat mkdir flock close".split())
READERS = frozenset("read getdents64 newfstatat fstat statx readlinkat".split())
"""Not pread64: EIO is how the memory of a program says that there is none at an address."""
BIRTHS = frozenset("fork vfork clone clone3".split())


def whats(call: str) -> list[str]:
    """The ways in which ``call`` may go wrong."""
    if call in NEVER:
        return ["kill"]
    after = "~" if call == "close" else "-"
    codes = [] if call == "close" else [errno.ENOMEM]
    codes += [errno.EMFILE] * (call in MAKERS) + [errno.ENOSPC, errno.EIO] * (call in DISK)
    codes += [errno.EIO] * (call in READERS) + [errno.EAGAIN] * (call in BIRTHS)
    return [*(f"{after}{code}" for code in codes), "kill", "stop", *(["short"] if call == "write" else [])]


def faults(theatre: Theatre, verb: str, who: str, places: int) -> Iterator[Fault]:
    """Every way for each kind of call of ``who``, at ``places`` places."""
    names = {number: name for name, number in numbers().items()}
    found: dict[tuple[int, int], int] = defaultdict(int)
    for kind in theatre.calls(verb, who):
        found[kind] += 1
    for (call, request), count in sorted(found.items()):
        chosen = sorted({1 + round(place * (count - 1) / max(1, places - 1)) for place in range(min(places, count))})
        for nth in chosen:
            for what in whats(names[call]):
                yield Fault(who, call, request, nth, what)


def wrong(play: Play, fault: Fault, verb: str, outcome: Outcome) -> list[str]:
    """Everything that must not be."""
    found = []
    told = "sekisho: " in outcome.told.replace("sekisho: learned ", "")
    if outcome.hung:
        found.append("it hangs")
    if "Traceback" in outcome.told or "Error(" in outcome.told:
        found.append("a traceback or the like is shown")
    if outcome.left:
        found.append("processes are left")
    killed = fault.what == "kill" and fault.who in ("front", "command")
    if outcome.status and not told and not killed:
        found.append("nobody says why it ended")
    for name, code in outcome.said:
        if name.startswith("no-") and verb == "run" and not code:
            found.append(f"{name}: forbidden, and done")
    own = abs(int(fault.what[1:])) if fault.what[0] in "-~" else 0
    # What follows from another failure isn't refused: there is no such file, or still is one.
    fine = (0, own, errno.ENOENT, errno.EEXIST)
    refused = {(name, code) for name, code in outcome.said if not name.startswith("no-") and code not in fine}
    if refused and not told:
        found.append(f"refused without a word: {refused}")
    try:
        missing = play.missing(outcome) if verb == "learn" else set()
    except Exception as error:
        found.append(f"policy is broken: {error}")
    else:
        if missing and "neither learned" not in outcome.told:
            found.append(f"learned and lost: {missing}")
    return found


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    # Other users can't go where pytest has its directories.
    with tempfile.TemporaryDirectory() as folder:
        yield Theatre(Path(folder).resolve())


def played(theatre: Theatre, verb: str, fault: Fault) -> str:
    """What was wrong when ``fault`` happened, with all there is to know."""
    play = theatre.stage()
    outcome = play.play(verb, fault)
    found = wrong(play, fault, verb, outcome)
    return f"{verb} {fault}: {found}, status {outcome.status}, told: {outcome.told[-600:]}" if found else ""


@pytest.mark.parametrize("who", ["supervisor", "worker", "command", "front"])
@pytest.mark.parametrize("verb", ["learn", "run"])
def test_nothing_gives(theatre: Theatre, verb: str, who: str, request: pytest.FixtureRequest) -> None:
    chosen = list(faults(theatre, verb, who, PLACES))
    if not request.config.getoption("--long"):
        chosen = random.Random(f"{verb} {who}").sample(chosen, SAMPLE)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        problems = list(filter(None, pool.map(lambda fault: played(theatre, verb, fault), chosen)))
    assert not problems, "\n".join([f"{len(problems)} of {len(chosen)}:", *problems])
