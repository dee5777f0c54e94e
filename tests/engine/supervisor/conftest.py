"""A supervisor that this process is the only caller of, by mode."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from tests.engine.supervisor.stage import Stage, stage

from sekisho.engine.supervisor.system import landlock
from sekisho.policy.model import Mode


@pytest.fixture
def enforcing() -> Iterator[Stage]:
    """Everything is enforced, nothing is allowed yet."""
    with stage(Mode.ENFORCING) as made:
        yield made


@pytest.fixture
def learning() -> Iterator[Stage]:
    """Everything is learned."""
    with stage(Mode.LEARNING) as made:
        yield made


@pytest.fixture
def disabled() -> Iterator[Stage]:
    """Nothing is looked at."""
    with stage(Mode.DISABLED) as made:
        yield made


@pytest.fixture
def landlocked() -> None:
    """This kernel holds workers to fences."""
    assert landlock.abi() >= landlock.REFER_ABI, "this kernel has no Landlock"


class Sockets:
    """Sockets by family and type, closed in the end."""

    def __init__(self) -> None:
        self.made: list[socket.socket] = []

    def __call__(self, family: int, kind: int) -> socket.socket:
        self.made.append(socket.socket(family, kind))
        return self.made[-1]


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    made = Sockets()
    yield made
    for each in made.made:
        each.close()
