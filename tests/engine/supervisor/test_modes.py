from __future__ import annotations

import pytest

from sekisho.engine.supervisor.modes import Modes
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Config, Domain, Mode, Policy, Profile


@pytest.fixture
def policy() -> Policy:
    made = Policy()
    mixed = Profile()
    for operation, mode in (("", Mode.DISABLED), ("file::open", Mode.LEARNING), ("file::execute", Mode.ENFORCING)):
        mixed.configs[operation] = Config(mode, grant_log=False, reject_log=True)
    made.namespaces["<kernel>"].profiles[1] = mixed
    ensure_domain(made, "<kernel> /program").profile = 1
    return made


def domain(policy: Policy) -> Domain:
    return policy.domains["<kernel> /program"]


@pytest.mark.parametrize(
    ("operations", "mode"),
    [
        (("file::open",), Mode.LEARNING),
        (("file::getattr",), Mode.DISABLED),
        (("file::getattr", "file::open"), Mode.LEARNING),
        (("file::open", "file::execute", "misc::env"), Mode.ENFORCING),
        ((), Mode.ENFORCING),
    ],
)
def test_the_strictest_mode_counts(policy: Policy, operations: tuple[str, ...], mode: Mode) -> None:
    assert mode is Modes(policy).of(domain(policy), 1, operations)


def test_a_domain_as_a_whole(policy: Policy) -> None:
    modes = Modes(policy)

    assert Mode.ENFORCING is modes.strictest(domain(policy))
    assert Mode.DISABLED is modes.strictest(policy.domains["<kernel>"])


def test_another_profile_is_another_mode(policy: Policy) -> None:
    modes = Modes(policy)
    assert Mode.ENFORCING is modes.strictest(domain(policy))
    domain(policy).profile = 0

    assert Mode.DISABLED is modes.strictest(domain(policy))
