from __future__ import annotations

import pytest

from sekisho.audit.values import MISSING, Record
from sekisho.decide.request import Task
from sekisho.engine.ration import BURST, QUIET, RATE, Ration
from sekisho.policy.model import Mode

READ = Record(0, 3, Mode.ENFORCING, False, "<kernel> /program", "file read /x", Task(pid=7))


class Clock:
    """Stands still but when it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ration(clock: Clock) -> Ration:
    return Ration(clock)


def other(**fields: object) -> Record:
    values = {name: getattr(READ, name) for name in Record.__slots__}
    return Record(**{**values, **fields})


def test_a_burst_is_logged_and_then_so_many_a_second(ration: Ration, clock: Clock) -> None:
    assert [True] * BURST + [False] == [ration.admits(READ) for _ in range(BURST + 1)]
    clock.now += 3
    assert 3 * RATE == sum(ration.admits(READ) for _ in range(BURST))
    clock.now += 1e6
    assert BURST == sum(ration.admits(READ) for _ in range(2 * BURST))


def test_domains_have_shares_of_their_own(ration: Ration) -> None:
    assert BURST == sum(ration.admits(READ) for _ in range(BURST + 5))
    assert ration.admits(other(domain="<kernel> /quiet"))


@pytest.mark.parametrize("fields", [{"granted": True}, {"mode": Mode.PERMISSIVE}, {"mode": Mode.LEARNING}])
def test_what_isnt_refused_is_logged(ration: Ration, fields: dict[str, object]) -> None:
    assert all(ration.admits(other(**fields)) for _ in range(2 * BURST))


def test_how_many_are_missing_is_said_once_within_a_while(ration: Ration, clock: Clock) -> None:
    assert (ration.patience(), [*ration.missing()]) == (-1, [])
    for _ in range(BURST + 5):
        ration.admits(READ)
    assert ration.patience() == QUIET
    clock.now += QUIET
    assert ration.patience() == 0

    (said,) = ration.missing()

    assert (f"{MISSING} 5", READ.domain, READ.profile, False) == (said.acl, said.domain, said.profile, said.granted)
    assert (ration.patience(), [*ration.missing()]) == (-1, [])
