"""How long a big policy takes to be parsed and printed: 100,000 lines, no two the same.

Medians, in seconds. The mix is a learned and then tended policy's: files, most with joined operations, some with
conditions; execs; creations with their modes; sockets; environment variables; a domain every hundred lines.

usage: python bench/parsing.py [ROUNDS]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from statistics import median
from time import perf_counter

from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_domain_policy
from sekisho.policy.printer import print_domain_policy

LINES = 100_000
PER_DOMAIN = 100

FILES = ("read", "read/getattr", "read/write", "getattr", "read/write/unlink", "append/getattr", "write/truncate")
NUMBERED = ("create", "mkdir", "create/chmod", "chmod")
MODES = ("0600", "0644", "0755")
CONDITIONS = (
    "task.uid=0", "path1.uid=task.uid", "task.euid!=0 path1.perm!=others_write", "path1.parent.uid=0 path1.type=file",
)  # fmt: skip
SOCKETS = ("stream connect", "stream bind/listen", "dgram send", "stream accept")


def lines(count: int) -> Iterator[str]:
    """``count`` lines: every tenth kind of each ten, so that the mix is the same everywhere."""
    for n in range(count):
        name = f"/usr/lib/python3/dist-packages/package{n % 997}/module{n}.py"
        kind = n % 20
        if n % PER_DOMAIN == 0:
            yield f"<kernel> /usr/sbin/service{n // PER_DOMAIN} /bin/sh /usr/bin/program{n // PER_DOMAIN}"
        elif n % PER_DOMAIN == 1:
            yield "use_profile 3"
        elif kind < 10:
            yield f"file {FILES[n % len(FILES)]} {name}"
        elif kind < 12:
            yield f"file read /var/lib/\\*/cache{n}/\\{{\\*\\}}/\\X.db"
        elif kind < 14:
            yield f"file {FILES[n % len(FILES)]} /srv/data{n} {CONDITIONS[n // 20 % len(CONDITIONS)]}"
        elif kind == 14:
            yield f'file execute /usr/bin/tool{n} exec.realpath="/usr/bin/tool{n}" exec.argv[0]="tool{n}"'
        elif kind < 17:
            yield f"file {NUMBERED[n % len(NUMBERED)]} /run/service/{n}.lock {MODES[n % len(MODES)]}"
        elif kind == 17:
            yield f"network inet {SOCKETS[n // 20 % len(SOCKETS)]} 10.{n >> 16}.{n >> 8 & 255}.{n & 255} {n % 65536}"
        elif kind == 18:
            yield f"misc env VARIABLE_{n}"
        else:
            yield f"file rename /var/spool/new{n} /var/spool/old{n}"


def measure(rounds: int) -> None:
    """Prints the table; what is printed is what was parsed."""
    text = "".join(f"{line}\n" for line in lines(LINES))
    figures: dict[str, list[float]] = {"parse": [], "print": []}
    policy, printed = Policy(), ""
    for _ in range(rounds):
        policy = Policy()
        start = perf_counter()
        parse_domain_policy(text, policy)
        parsed = perf_counter()
        printed = print_domain_policy(policy)
        end = perf_counter()
        figures["parse"].append(parsed - start)
        figures["print"].append(end - parsed)
    kept = [line for line in printed.splitlines() if line]
    if kept[2:] != text.splitlines():
        raise SystemExit("what was printed isn't what was parsed")
    print(f"{LINES:,} lines, {len(text) / 1e6:.1f} MB, {len(policy.domains):,} domains; seconds, median of {rounds}")
    for name, values in figures.items():
        print(f"{name:8}{median(values):8.2f}")
    print(f"{'both':8}{sum(median(values) for values in figures.values()):8.2f}")


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
