"""What the tables of a policy take of the kernel's memory: a domain of 10, 100, 1,000 and 10,000 rules, as Markdown.

usage: python -m bench.system.memory [--kernel 6.12] [--sizes N...]

Literal rules name a file each; patterns are as many, all different, which automata are made of.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.engine.lsm import managed
from tests.vm.machine import Machine

from sekisho.engine.lsm.daemon import machine
from sekisho.store.directory import PolicyDirectory

ROOT: Final = Path(__file__).resolve().parents[2]
DOMAIN: Final = "<kernel> /usr/sbin/measured"
RULES: Final[dict[str, Callable[[int], str]]] = {
    "literal": lambda number: f"file read/getattr /srv/data/{number // 100:03d}/{number:05d}.conf",
    "patterns": lambda number: f"file read/getattr /srv/data/{number // 100:03d}/{number:05d}\\*.conf",
}


def main() -> None:
    """The figures are printed."""
    parser = argparse.ArgumentParser(prog="python -m bench.system.memory", description=__doc__)
    parser.add_argument("--kernel", default="6.12", help="what its version begins with (%(default)s)")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 100, 1000, 10000], help="how many rules")
    for word in ("--inside", "--measured"):
        parser.add_argument(word, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside or options.measured:
        (inside if options.inside else measure)(options.sizes)
        return
    words = " ".join(map(str, options.sizes))
    command = f"PYTHONPATH={ROOT}/src:{ROOT} python3 -B -m bench.system.memory --inside --sizes {words}"
    ended = Machine(options.kernel, share=(ROOT,), memory=2048).run(command, timeout=1800, directory=ROOT)
    if ended.status != 0:
        raise SystemExit(f"the machine's command failed:\n{ended.stderr}\n{ended.console[-2000:]}")
    print(ended.stdout, end="")


def inside(sizes: list[int]) -> None:
    """In the machine: a policy directory, and a shell that may change what is in it."""
    managed.prepare(machine.OBJECT)
    PolicyDirectory(managed.POLICY).create()
    with (managed.POLICY / "exception_policy.conf").open("a") as file:
        file.write(managed.ADMINISTRATOR)
    with (managed.POLICY / "domain_policy.conf").open("a") as file:
        file.write(f"<kernel> {managed.PROGRAMS}/admin\nuse_profile 0\nuse_group 0\n\n")
    (managed.POLICY / "manager.conf").write_text(f"{managed.PROGRAMS}/admin\n")
    managed.as_manager("bench.system.memory", "--measured", "--sizes", *map(str, sizes))


def measure(sizes: list[int]) -> None:
    """One engine, whose policy is read again for each size."""
    plain = (managed.POLICY / "domain_policy.conf").read_text()
    sekisho("start")
    empty = taken()
    print(f"All maps with an empty policy: {empty:,} KiB.\n")
    print(f"| rules | {' | '.join(RULES)} |\n|---:|{'---:|' * len(RULES)}")
    for size in sizes:
        cells = [f"{measured(plain, rule, size) - empty:,}" for rule in RULES.values()]
        print(f"| {size:,} | {' | '.join(cells)} |", flush=True)


def measured(plain: str, rule: Callable[[int], str], size: int) -> int:
    """KiB that all maps take with so many rules of a kind in a domain, after all others are gone."""
    for rules in (0, size):
        lines = [DOMAIN, "use_profile 3", "use_group 0", "", *map(rule, range(rules)), "", ""]
        (managed.POLICY / "domain_policy.conf").write_text(plain + "\n".join(lines))
        sekisho("reload")
    return taken()


def taken() -> int:
    """KiB that the kernel says all maps of the daemon's take."""
    daemon = json.loads(sekisho("--json", "status"))["pid"]
    sizes = {}
    for path in Path(f"/proc/{daemon}/fdinfo").iterdir():
        told = dict(re.findall(r"^(\w+):\s*(\d+)", path.read_text(), re.MULTILINE))
        if "map_id" in told:
            sizes[told["map_id"]] = int(told["memlock"])
    return sum(sizes.values()) // 1024


def sekisho(*action: str) -> str:
    """What ``sekisho system`` says to this action."""
    ended = managed.system(*action)
    if ended.returncode:
        raise SystemExit(ended.stderr)
    return ended.stdout


if __name__ == "__main__":
    main()
