"""decide() alone: does it get slower as a domain grows? Medians of interleaved rounds, in nanoseconds per decision.

Ten requests, spread over the policy, are made in turn. "all in turn" asks for each entry once: that adds what it costs
to fetch ten thousand names from memory instead of ten from the processor's cache.

usage: python bench/decide.py [ROUNDS]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter_ns

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Request
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, ensure_domain
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Config, Domain, Mode, Name, Policy, Profile

SIZES = (10, 10_000)
CALLS = 20_000
READ, EXECUTE, RENAME = (OPERATIONS[f"file {word}"] for word in ("read", "execute", "rename"))
CONNECT = OPERATIONS["network inet stream connect"]
SIGNAL, TIME = OPERATIONS["ipc signal"], OPERATIONS["capability SYS_TIME"]

Made = tuple[Policy, Domain]
Case = Callable[[int], tuple[Made, list[Request]]]


def empty() -> Made:
    policy = Policy()
    policy.namespaces["<kernel>"].profiles[3] = Profile(configs={"": Config(Mode.ENFORCING, False, True)})
    domain = ensure_domain(policy, "<kernel> /usr/bin/program")
    domain.profile = 3
    return policy, domain


def filled(lines: list[str]) -> Made:
    policy, domain = empty()
    for line in lines:
        add_entry(domain, parse_acl(line))
    return policy, domain


def names(size: int) -> list[str]:
    return [f"/usr/lib/python3/dist-packages/package{n // 40}/module{n}.py" for n in range(size)]


def exact(size: int) -> tuple[Made, list[Request]]:
    return filled([f"file read/getattr {name}" for name in names(size)]), [Request(READ, (n,)) for n in names(size)]


def exact_beside_patterns(size: int) -> tuple[Made, list[Request]]:
    patterns = [
        f"file read {text}" for text in ("/tmp/tmp.\\?\\?\\?\\?\\?\\?", "proc:/\\$/stat", "/usr/share/\\*/x", "@G")
    ]
    made = filled([*patterns, *(f"file read {name}" for name in names(size))])
    made[0].namespaces["<kernel>"].path_groups["G"] = [Name(f"/opt/{n}") for n in range(size)]
    return made, [Request(READ, (n,)) for n in names(size)]


def pattern(size: int) -> tuple[Made, list[Request]]:
    lines = [f"file read /srv/r{n:05}/objects/\\x\\x/\\X" for n in range(size)]
    return filled(lines), [Request(READ, (f"/srv/r{n:05}/objects/ab/0123",)) for n in range(size)]


def group(size: int) -> tuple[Made, list[Request]]:
    made = filled(["file read @G"])
    made[0].namespaces["<kernel>"].path_groups["G"] = [Name(name) for name in names(size)]
    return made, [Request(READ, (n,)) for n in names(size)]


def rename(size: int) -> tuple[Made, list[Request]]:
    made = filled([f"file rename /d/new /d/file{n}" for n in range(size)])
    return made, [Request(RENAME, ("/d/new", f"/d/file{n}")) for n in range(size)]


def connect(size: int) -> tuple[Made, list[Request]]:
    made = filled([f"network inet stream connect 10.0.{n // 250}.{n % 250} 443" for n in range(size)])
    return made, [Request(CONNECT, (f"10.0.{n // 250}.{n % 250}", 443)) for n in range(min(size, 1000))]


def signal(size: int) -> tuple[Made, list[Request]]:
    domains = [f"<kernel> /sbin/init {name}" for name in names(size)]
    made = filled([f"ipc signal 15 {domain}" for domain in domains])
    return made, [Request(SIGNAL, (15, f"{domain} /bin/sh")) for domain in domains]


def capability(size: int) -> tuple[Made, list[Request]]:
    made = filled([*(f"capability use_bpf task.uid={n + 1}" for n in range(size)), "capability SYS_TIME"])
    return made, [Request(TIME, ())] * 10


def refused(size: int) -> tuple[Made, list[Request]]:
    return filled([f"file read {name}" for name in names(size)]), [Request(READ, (n + "x",)) for n in names(size)]


def execute(size: int) -> tuple[Made, list[Request]]:
    made = filled([f'file execute {n} exec.argv[0]!="x"' for n in names(size)])
    return made, [Request(EXECUTE, (n + "x",)) for n in names(size)]


CASES: dict[str, Case] = {
    "exact name": exact,
    "exact name, all in turn": exact,
    "exact name beside patterns and a group": exact_beside_patterns,
    "pattern": pattern,
    "member of a group": group,
    "two exact names": rename,
    "exact address and port": connect,
    "signal to a domain below": signal,
    "capability": capability,
    "refused": refused,
    "execute, refused": execute,
}


def deciding(made: Made, requests: list[Request]) -> float:
    policy, domain = made
    batch = (requests * (CALLS // len(requests) + 1))[:CALLS]
    start = perf_counter_ns()
    for request in batch:
        decide(policy, domain, request)
    return (perf_counter_ns() - start) / CALLS


def growing(made: Made, requests: list[Request]) -> float:
    """One entry learned and asked for, then another."""
    policy, domain = made
    first, count = len(domain.entries), 50
    unlink = OPERATIONS["file unlink"]
    new = [(parse_acl(f"file unlink /new{n}"), Request(unlink, (f"/new{n}",))) for n in range(first, first + count)]
    start = perf_counter_ns()
    for entry, request in new:
        add_entry(domain, entry)
        decide(policy, domain, request)
    return (perf_counter_ns() - start) / count


def measure(rounds: int) -> None:
    print(f"{'ns per decision, median':42}" + "".join(f"{size:>10,}" for size in SIZES) + "     ratio")
    for name, case, measured in [*((n, c, deciding) for n, c in CASES.items()), ("learn one, decide", exact, growing)]:
        cases = [case(size) for size in SIZES]
        if "all in turn" not in name:
            cases = [(made, requests[:: max(1, len(requests) // 10)]) for made, requests in cases]
        times: list[list[float]] = [[] for _ in SIZES]
        for number in range(rounds + 1):
            for position, (made, requests) in enumerate(cases):
                taken = measured(made, requests)
                if number:
                    times[position].append(taken)
        medians = [median(each) for each in times]
        print(f"{name:42}" + "".join(f"{taken:>10,.0f}" for taken in medians) + f"{medians[-1] / medians[0]:>10.2f}")


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
