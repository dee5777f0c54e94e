"""In a virtual machine: attacks under the engine in the kernel, of which the policy is the arena's.

``python -m tests.bypass.guest PROGRAMS SOURCE [TRIES]``: PROGRAMS has what is compiled (see ``slug``); a line for each
attack with what it came to where nothing is in force, and where the arena's policy is.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bypass import arena as arenas

PLACE = Path("/run/arena")


def slug(source: str, flags: tuple[str, ...]) -> str:
    """What a compiled program is called."""
    return "_".join([source, *(flags or ("-static",))]).replace("=", "").replace("-", "")


def sekisho(*words: str) -> str:
    """What ``sekisho system`` says."""
    ended = subprocess.run(
        [sys.executable, "-m", "sekisho", "system", *words], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def main() -> None:
    programs, source = Path(sys.argv[1]), sys.argv[2]
    tries = int(sys.argv[3]) if len(sys.argv) > 3 else 2000

    def copied(source: str, target: Path, *flags: str) -> Path:
        shutil.copy(programs / slug(source, flags), target)
        return target

    arenas.compile_c = copied
    PLACE.mkdir()
    for name in ("native", "held"):
        (PLACE / name).mkdir()
    with arenas.arena(PLACE / "native", source) as native:
        without = native.without(tries=tries)
    with arenas.arena(PLACE / "held", source) as held:
        policy = held.policy.path
        with open(policy / "exception_policy.conf", "a") as file:
            file.write(f"initialize_domain {held.tool} from any\n")
        print(sekisho("start", "-P", str(policy)), file=sys.stderr)
        daemon = json.loads(sekisho("status", "--json"))["pid"]
        ended = subprocess.run(held.arguments(daemon, tries), capture_output=True, text=True, check=False)
        print(ended.stderr, ended.returncode, file=sys.stderr)
        under = dict(line.split(" ", 1) for line in ended.stdout.splitlines())
        status = sekisho("status", "--json")
    print(
        json.dumps(
            {"without": without, "under": under, "status": json.loads(status), "refused": held.policy.rejected()}
        )
    )


if __name__ == "__main__":
    main()
