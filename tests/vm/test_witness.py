"""An independent witness: what the kernel's own TOMOYO saw hostile programs do while an engine held them to policy.

``make witness`` is an hour for each engine and kernel; ``make kernels`` a minute.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.bypass.guest import compile_all
from tests.vm.guest.witness import PLACE, SOURCES, WATCHER
from tests.vm.machine import Machine
from tests.vm.tomoyo import with_tomoyo
from tests.vm.witness import Stray, came_to_nothing, on_behalf, policy_of, strays

REPOSITORY = Path(__file__).resolve().parents[2]
HOUR, MINUTE = 3600, 60
PREPARED = "mount -t bpf bpf /sys/fs/bpf; ip link set lo up"
LSM = "landlock,lockdown,yama,bpf,tomoyo"
"""TOMOYO comes after BPF: what is refused it isn't asked for."""
COMPLAINTS = re.compile(r"WARNING:|BUG:|Oops|general protection|Call Trace|INFO: task .* blocked|KASAN|UBSAN|RIP:")
PIDFD = ("file read anon_inode:[pidfd]", "file write anon_inode:[pidfd]")
"""From Linux 6.9 on pidfd_open(2) opens a file, of a name that all such have; it does nothing to a process."""
LAYER = re.compile(r"file \S+ (9p|tmpfs):/.*")
"""A file of the guest's own is copied from one layer of its root to the other (overlayfs, by mounts that nobody else
has) as soon as anything about it is changed, its times by utimensat(2), say, for which there is no keyword."""
OWN = re.compile(
    r"file (read|ioctl) (9p:)?/(usr|opt|root|tmp|lib|home|etc/(?!shadow|ld\.so\.preload))\S*( \S+)?"  # Python, Sekisho
    r"|file \S+ (proc:|socket:|pipe:|anon_inode:|mnt:|user:|securityfs:|/memfd:|/dev/null)\S*( \S+)?"  # its callers
    rf"|(file|network unix seqpacket) \S+ ({PLACE}/\S+/policy/|/proc/self/fd/\d+/control-).*"
    r"|file getattr \S+"  # whatever is named, before policy is asked
    r"|file ioctl \S+ 0x5451"  # FIOCLEX: what it hands to a worker is left to no program
    rf"|file read\S* {PLACE}/\S*(prog|count|keep\w+|stayer|wait|tool|script|blob)"  # programs, before they are executed
    r"|file \S+ \S+/#\d+"  # a file without a name, which isn't anywhere before it has been made
    rf"|file execute {PLACE}/\S+/tool exec.*|misc env \S+"
)
"""What a supervisor does on its own account."""
Seen = Mapping[str, list[str]]

DOMAIN = "<kernel> /tool"
POLICY = f"{DOMAIN}\nuse_profile 3\nfile read/write /a/\\*\nfile create /a/\\* 0600-0644\nfile execute /a/prog\n"
POLICY += "file read proc:/\\$/stat\n"


@pytest.mark.parametrize(
    ("line", "stray"),
    [
        ("file read /a/x", False),
        ("file read /b/x", True),
        ("file read/write /a/x", False),
        ("file read/unlink /a/x", True),
        ("file create /a/x 0600", False),
        ("file create /a/x 0666", True),
        ('file execute /a/prog exec.realpath="/a/prog" exec.argv[0]="x"', False),
        ('file execute proc:/self/fd/3 exec.realpath="/a/prog" exec.argv[0]="x"', False),
        ('file execute proc:/self/fd/3 exec.realpath="/b/prog" exec.argv[0]="x"', True),
        ('file execute /elsewhere exec.realpath="/a/prog" exec.argv[0]="x"', False),
        ("network inet stream connect 127.0.0.1 80", True),
        (r"file read proc:/\$/stat", False),
        (r"file read proc:/\$/mem", True),
        ("use_profile 1", False),
    ],
)
def test_what_no_line_allows_is_a_stray(line: str, stray: bool) -> None:
    found = {each.line.split(" exec.")[0] for each in strays({DOMAIN: [line]}, policy_of(POLICY))}

    assert bool(found) is stray


def test_nothing_is_allowed_where_there_is_no_policy() -> None:
    assert [*strays({f"{DOMAIN} /b": ["file read /a/x"]}, policy_of(POLICY))] == [
        Stray(f"{DOMAIN} /b", "file read /a/x")
    ]


@pytest.mark.parametrize(
    ("lines", "nothing"), [(["misc env A"], True), (["file read /etc/ld.so.cache"], False), ([], True)]
)
def test_a_program_that_was_killed_at_once_has_done_nothing(lines: list[str], nothing: bool) -> None:
    stray = Stray(DOMAIN, 'file execute /b/prog exec.realpath="/b/prog" exec.argv[0]="prog"')

    assert came_to_nothing({f"{DOMAIN} /b/prog": ["use_profile 1", *lines]}, stray) is nothing
    assert not came_to_nothing({}, Stray(DOMAIN, "file read /b/prog"))


def test_who_acts_for_others_may_do_what_they_may_and_what_is_his_own() -> None:
    seen = {"<kernel> /engine": ["use_profile 1", "file read /a/x", "file read /b/x", "file read /own"]}

    found = on_behalf(seen, [policy_of(POLICY)], re.compile("file read /own"))

    assert [each.line for each in found] == ["file read /b/x"]


@cache
def witnessed(kernel: str, engine: str, seconds: int) -> tuple[dict[str, Any], str]:
    """What the witness told, and what the kernel said."""
    with TemporaryDirectory() as name:
        compile_all(SOURCES, Path(name))
        machine = replace(with_tomoyo(Machine(kernel, share=(Path(name),), memory=2048)), lsm=LSM)
        command = f"{PREPARED}; PYTHONPATH=src:. python3 -B -m tests.vm.guest.witness {engine} {seconds} {name}"
        ended = machine.run(command, timeout=2400 + 2 * seconds, directory=REPOSITORY)
    assert ended.status == 0, f"{ended.stderr}\n{ended.console[-2000:]}"
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told, ended.console


def confined(seen: Seen) -> dict[str, list[str]]:
    """What was done in the hostile programs' domains, and below."""
    return {name: lines for name, lines in seen.items() if name.startswith(f"<kernel> {PLACE}/")}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A minute on one kernel (``make kernels``); with ``--long`` (``make witness``) an hour on each."""
    long = metafunc.config.getoption("--long")
    marks = [] if long else [pytest.mark.every]
    kernels = ("6.1", "6.12", "6.18") if long else ("6.12",)
    if "kernel" in metafunc.fixturenames:
        cases = [pytest.param(each, HOUR if long else MINUTE, marks=[pytest.mark.vm(each), *marks]) for each in kernels]
        metafunc.parametrize(("kernel", "seconds"), cases)


@pytest.mark.needs("gcc")
@pytest.mark.slow
def test_the_witness_saw_nothing_that_policy_does_not_allow(kernel: str, seconds: int) -> None:
    told, console = witnessed(kernel, "system", seconds)
    seen = confined(told["seen"])

    # It saw what is allowed, and there was a lot to refuse.
    assert all(len(seen[f"<kernel> {PLACE}/{source}/tool"]) > 10 for source in SOURCES), seen
    assert told["refused"]["wanderer.c"] > 100
    assert [*strays(seen, policy_of(told["policy"]["wanderer.c"]))] == []
    assert COMPLAINTS.findall(console) == []
    counts = told["status"]["kernel"]
    assert (counts["inconsistent"], counts["homeless"], told["status"]["missing"]) == (0, 0, {})


@pytest.mark.needs("gcc")
@pytest.mark.slow
def test_the_witness_saw_nothing_that_a_supervised_program_may_not_do(kernel: str, seconds: int) -> None:
    told, console = witnessed(kernel, "supervisor", seconds)
    seen = told["seen"]
    policies = {source: policy_of(text) for source, text in told["policy"].items()}
    found = {
        each
        for source, policy in policies.items()
        for each in strays({name: lines for name, lines in seen.items() if f" {PLACE}/{source}/" in name}, policy)
        if each.line not in PIDFD and not LAYER.fullmatch(each.line) and not came_to_nothing(seen, each)
    }
    acting = {name: lines for name, lines in seen.items() if name.startswith(f"<kernel> {WATCHER}")}
    found |= {*on_behalf(acting, [*policies.values()], OWN)}

    assert sum(map(len, acting.values())) > 1000
    assert told["refused"]["wanderer.c"] > 50
    assert found == set()
    assert COMPLAINTS.findall(console) == []
