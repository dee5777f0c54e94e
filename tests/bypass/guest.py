"""In a virtual machine: attacks under the engine in the kernel.

``python -m tests.bypass.guest PROGRAMS``: PROGRAMS has what is compiled (see ``slug``). One JSON line: what each attack
came to where nothing is in force (``without``) and where the arenas' policies are (``under``), by source.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bypass import arena as arenas
from tests.bypass import policies
from tests.bypass.arena import Arena
from tests.engine.supervisor.supervised import Supervised

PLACE = Path("/run/arena")


@dataclass(frozen=True)
class Program:
    """An attacking program: how its arena is prepared, how often a race is run, with and without anybody watching."""

    prepare: Callable[[Arena], None] = lambda arena: None
    tries: int = 300
    alone: int = 300
    before: tuple[str, ...] = ()


PROGRAMS = {
    "attacks.c": Program(),
    "traced.c": Program(policies.tracing),
    "races.c": Program(policies.racing, 2000, 200000),
    "births.c": Program(policies.breeding, 40, 200, policies.ALONE),
    "deputy.c": Program(policies.deputising, 1000),
    "hearing.c": Program(policies.hearing),
}
"""By source; control.c is tried in the arena of the first.

forger.c isn't tried, for no handlers run here, nor lingering.c: who closes a connection waits for its end himself."""
Outcomes = dict[str, dict[str, str]]


def slug(source: str, flags: tuple[str, ...]) -> str:
    """What a compiled program is called."""
    return "_".join([source, *(flags or ("-static",))]).replace("=", "").replace("-", "").replace(",", "")


PARTS = (
    ("prog.c", ("-DSTATUS=42",)),
    *(("prog.c", ("-static", *more)) for more in ((), ("-DSTATUS=10",), ("-DSTATUS=42",))),
    ("wait.c", ("-static",)),
    ("count.c", ("-static",)),
    ("breeder.c", policies.BREEDING),
    ("keeper.c", policies.KEEPING),
    ("keeper.c", policies.STAYING),
)
"""Source and flags of all that arenas have beside the attacking programs."""


def compile_all(sources: Iterable[str], folder: Path) -> None:
    """The programs, and all that their arenas have, stand in ``folder``."""
    for source, flags in (*((source, ()) for source in sources), *PARTS):
        arenas.compile_c(source, folder / slug(source, flags), *flags)


def take_compiled(folder: Path) -> None:
    """Arenas get what ``compile_all`` has put into ``folder``: there is no compiler here."""

    def copied(source: str, target: Path, *flags: str) -> Path:
        shutil.copy(folder / slug(source, flags), target)
        return target

    arenas.compile_c = copied


def sekisho(*words: str) -> str:
    """What ``sekisho system`` says."""
    ended = subprocess.run(
        [sys.executable, "-m", "sekisho", "system", *words], capture_output=True, text=True, check=False
    )
    print(ended.stdout, ended.stderr, file=sys.stderr)
    assert ended.returncode == 0
    return ended.stdout


def attacked(words: list[str]) -> dict[str, str]:
    """What an attacking command says."""
    begun = time.monotonic()
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    print(*words, ended.returncode, f"{time.monotonic() - begun:.1f} s", ended.stderr, file=sys.stderr, flush=True)
    return dict(line.split(" ", 1) for line in ended.stdout.splitlines())


def tried(source: str, arena: Arena, victim: int, *, alone: bool) -> dict[str, str]:
    """What each attack of the program comes to."""
    program = PROGRAMS[source]
    words = [*program.before, *arena.arguments(victim, program.alone if alone else program.tries)]
    if program.prepare is not policies.racing:
        return attacked(words)
    with policies.victims(arena, lasting=True):
        found = attacked([*words, *(name for name in arenas.names(source) if name != policies.VANISHING)])
    with policies.victims(arena):
        return found | attacked([*words, policies.VANISHING])


def prepared(stack: ExitStack, folder: Path) -> dict[str, Arena]:
    """An arena for each program, in ``folder``."""
    found = {}
    for source, program in PROGRAMS.items():
        (folder / source).mkdir(parents=True)
        found[source] = stack.enter_context(arenas.arena(folder / source, source))
        program.prepare(found[source])
    return found


def alone(arenas_of: dict[str, Arena]) -> Outcomes:
    """What the attacks come to where nothing is in force."""
    stand_in = subprocess.Popen(["sleep", "600"])
    try:
        return {source: tried(source, arena, stand_in.pid, alone=True) for source, arena in arenas_of.items()}
    finally:
        stand_in.kill()
        stand_in.wait()


def united(arenas_of: dict[str, Arena]) -> tuple[Supervised, dict[str, Path]]:
    """The policy of all, in the directory that the attacks of the first are against, and the tools that go there."""
    first = arenas_of["attacks.c"]
    tools = {"control": arenas.compile_c("control.c", first.folder / "control")}
    tools["manager"] = Path(shutil.copy(tools["control"], first.folder / "manager"))
    spare = Supervised(first.folder / "spare")
    policies.controlling(replace(first, tool=tools["control"], policy=spare))
    domains: dict[str, set[str]] = {f"<kernel> {tools['manager']}": set()}
    for policy in (spare, *(arena.policy for arena in arenas_of.values())):
        domains |= {name: lines for name, lines in policy.entries().items() if name != "<kernel>"}
    first.policy.write(domains)
    path = first.policy.path
    with open(path / "exception_policy.conf", "a") as file:
        for tool in (*tools.values(), *(arena.tool for arena in arenas_of.values())):
            file.write(f"initialize_domain {tool} from any\n")
    with open(path / "manager.conf", "a") as file:
        file.write(f"<kernel> {tools['manager']}\n")
    text = (path / "domain_policy.conf").read_text()
    mine = f"<kernel> {tools['manager']}\nuse_profile "
    (path / "domain_policy.conf").write_text(text.replace(f"{mine}3", f"{mine}0"))
    return first.policy, tools


def main() -> None:
    take_compiled(Path(sys.argv[1]))
    with ExitStack() as stack:
        without = alone(prepared(stack, PLACE / "alone"))
        held = prepared(stack, PLACE / "held")
        policy, tools = united(held)
        sekisho("start", "-P", str(policy.path))
        daemon = json.loads(sekisho("status", "--json"))["pid"]
        under = {source: tried(source, arena, daemon, alone=False) for source, arena in held.items()}
        first = held["attacks.c"]
        for found, tool in ((without, "manager"), (under, "control")):
            found["control.c"] = attacked(replace(first, tool=tools[tool]).arguments(daemon, 1))
        status = json.loads(sekisho("status", "--json"))
    refused = Counter(policy.rejected())
    print(json.dumps({"without": without, "under": under, "status": status, "refused": refused}))


if __name__ == "__main__":
    main()
