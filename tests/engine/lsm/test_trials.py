"""What the kernel side looks at, tells, and where it moves tasks."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from tests.engine.lsm.trials import ELSEWHERE, Kernel, Trial, fill
from tests.engine.lsm.walk.support import Published, publish, raw_request

from sekisho.decide.request import Execution, Facts, Request
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.kernel.ring import Ring
from sekisho.engine.lsm.walk.request import RawRequest
from sekisho.engine.lsm.walk.tables import Tables
from sekisho.names.word import encode
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, ensure_domain, ensure_namespace
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Config, Mode, Policy, Profile

pytestmark = [pytest.mark.root, pytest.mark.needs("clang", "llvm-strip")]
DOMAIN = "<kernel> /a"


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """The trial programs, loaded."""
    made = Kernel()
    yield made
    made.close()


def policy(*lines: str, mode: Mode = Mode.ENFORCING, logged: bool = False) -> Published:
    """A policy with these entries in DOMAIN."""
    made = Policy()
    ensure_namespace(made, "<kernel>").profiles[3] = Profile(configs={"": Config(mode, logged, True)})
    domain = ensure_domain(made, DOMAIN)
    domain.profile = 3
    for line in lines:
        add_entry(domain, parse_acl(line))
    return publish(made)


def asked(published: Published, keyword: str, *arguments: str | int, facts: Facts | None = None) -> RawRequest:
    """What DOMAIN asks for."""
    request = Request(OPERATIONS[keyword], arguments, facts or Facts())
    return raw_request(published, published.policy.domains[DOMAIN], request)


def test_facts_of_the_caller_are_gathered(kernel: Kernel) -> None:
    trial = kernel.run("trial_facts", Trial())

    values = {name: trial.facts.values[layout.FACTS[f"task.{name}"]] for name in layout.TASK_FACTS}
    assert (os.getpid(), os.getppid()) == (values["pid"], values["ppid"])
    assert os.getresuid() == (values["uid"], values["euid"], values["suid"])
    assert os.getresgid() == (values["gid"], values["egid"], values["sgid"])
    assert (trial.facts.have, trial.facts.handler) == (layout.HAVE_TASK, 0)


@pytest.mark.parametrize("length", [1, *(size - 4 + more for size in layout.NAME_SIZES for more in (-1, 0, 1))][:-1])
def test_names_of_any_length_have_their_ids(kernel: Kernel, length: int) -> None:
    raw = bytes(33 + number % 200 for number in range(length))
    trial = Trial()
    fill(trial.first, raw)
    with kernel.holding(Tables(names={(layout.SPACE_NAME, raw): 77, (layout.SPACE_NAME, raw[:-1]): 78})):
        result = kernel.run("trial_name", trial)

    assert (77, len(encode(raw))) == (result.entry, result.list)


def test_a_name_that_nobody_knows_has_none(kernel: Kernel) -> None:
    trial = Trial()
    fill(trial.first, b"/never/heard")

    assert kernel.run("trial_name", trial).entry == 0


@pytest.mark.parametrize(("length", "granted"), [(4085, False), (4086, True), (4087, True)])
def test_of_an_argument_so_much_is_looked_at(kernel: Kernel, length: int, granted: bool) -> None:
    published = policy(f'file execute /b exec.argv[0]="{"a" * 4086}"')
    facts = Facts()
    facts.execution = Execution("/b", (b"a" * length,), ())
    raw = asked(published, "file execute", "/b", facts=facts)
    with kernel.holding(published.tables):
        assert bool(kernel.ask(raw).granted) is granted


def test_what_is_beyond_that_doesnt_count(kernel: Kernel) -> None:
    shown = "\\001" * 1022  # 4088 characters: the last that begins before 4086 ends there
    published = policy(f'file execute /b exec.argv[0]="{shown}"')
    facts = Facts()
    facts.execution = Execution("/b", (b"\1" * 1022 + b"rest",), ())
    raw = asked(published, "file execute", "/b", facts=facts)
    with kernel.holding(published.tables):
        assert kernel.ask(raw).granted


def test_a_refusal_is_told_once_a_second_and_counted(kernel: Kernel) -> None:
    published = policy("file read /b")
    raw = asked(published, "file rename", "/tmp/one name".replace(" ", "\\040"), "/tmp/other")
    ring = Ring(kernel.loaded.maps["events"])
    ring.drain()
    with kernel.holding(published.tables):
        verdicts = [kernel.ask(raw).verdict for _ in range(5)]
        first = ring.drain()
        time.sleep(1.1)
        kernel.ask(raw)
        second = ring.drain()

    assert [-1] * 5 == verdicts and 1 == len(first) == len(second)
    event = layout.Event.from_buffer_copy(first[0])
    assert (layout.EVENT_REQUEST, layout.NUMBERS["file rename"], 3, 0) == (
        event.kind, event.operation, event.mode, event.granted,
    )  # fmt: skip
    assert (raw.domain, os.getpid(), 0) == (event.domain, event.pid, event.repeated)
    assert [13, 10, 0, 0] == list(event.lengths)
    assert event.size == len(first[0]) and b"/tmp/one name/tmp/other" == first[0][-23:]
    assert 4 == layout.Event.from_buffer_copy(second[0]).repeated


@pytest.mark.parametrize(
    ("mode", "logged", "line", "told"),
    [
        (Mode.LEARNING, False, "file read /b", 1),
        (Mode.PERMISSIVE, False, "file read /b", 1),
        (Mode.DISABLED, True, "file read /b", 0),
        (Mode.ENFORCING, False, "file read /c", 0),
        (Mode.ENFORCING, True, "file read /c", 1),
        (Mode.ENFORCING, True, "file read /c grant_log=no", 0),
        (Mode.ENFORCING, False, "file read /c grant_log=yes", 1),
    ],
)
def test_what_is_told(kernel: Kernel, mode: Mode, logged: bool, line: str, told: int) -> None:
    published = policy(line, mode=mode, logged=logged)
    raw = asked(published, "file read", "/c")
    ring = Ring(kernel.loaded.maps["events"])
    with kernel.holding(published.tables):
        time.sleep(1.1)  # what another test has told is told again
        ring.drain()

        assert 0 == kernel.ask(raw).verdict and told == len(ring.drain())


def in_a_child(work: Callable[[], bool]) -> int:
    """How a process of its own ends that does ``work``: 0 if that is true."""
    pid = os.fork()
    if pid == 0:
        code = 2
        try:
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def moved(kernel: Kernel, published: Published, raw: RawRequest, to: str) -> bool:
    """Whether granting ``raw`` moves this process there."""
    kernel.stand_in(raw.domain)
    kernel.ask(raw)
    return kernel.stands_in() == published.domain(to)


@pytest.mark.parametrize(
    ("line", "to"),
    [
        ('file read /c auto_domain_transition="<kernel> /b"', "<kernel> /b"),
        ("file read /c", DOMAIN),
        ("task auto_domain_transition <kernel> /b task.uid=0", "<kernel> /b"),
        ("task auto_domain_transition <kernel> /b task.uid=1", DOMAIN),
    ],
)
def test_tasks_move(kernel: Kernel, line: str, to: str) -> None:
    published = policy(line)
    raw = asked(published, "file read", "/c")
    published.domain(to)
    with kernel.holding(published.tables):
        assert 0 == in_a_child(lambda: moved(kernel, published, raw, to))


def test_who_cant_get_where_it_has_to_be_is_killed(kernel: Kernel) -> None:
    published = policy('file read /c auto_domain_transition="<other> /b"')
    raw = asked(published, "file read", "/c")
    with kernel.holding(published.tables):
        assert signal.SIGKILL == os.WTERMSIG(in_a_child(lambda: moved(kernel, published, raw, DOMAIN)))


def test_who_stands_elsewhere_isnt_moved(kernel: Kernel) -> None:
    published = policy('file read /c auto_domain_transition="<kernel> /b"')
    raw = asked(published, "file read", "/c")
    with kernel.holding(published.tables):
        kernel.ask(raw)

    assert ELSEWHERE == kernel.stands_in()
