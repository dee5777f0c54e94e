from __future__ import annotations

import pytest

from sekisho.engine.supervisor.hearing import Sender, Senders, names_anybody, senders
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Config, Mode, Policy, Profile
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy

DOMAIN = "<kernel> /program"
ENFORCING, LEARNING = (Config(mode, grant_log=False, reject_log=True) for mode in (Mode.ENFORCING, Mode.LEARNING))
ONE = 0x7F000001


def policy_of(*lines: str, exceptions: str = "", groups: str = "", **configs: Config) -> Policy:
    """A policy whose domain DOMAIN has these lines, with a profile that says ``configs`` of the network."""
    policy = Policy()
    profile = Profile()
    profile.configs[""] = ENFORCING
    profile.configs |= {f"network::inet_{name}": config for name, config in configs.items()}
    policy.namespaces["<kernel>"].profiles[3] = profile
    ensure_domain(policy, DOMAIN).profile = 3
    parse_exception_policy(exceptions, policy, source="test")
    text = f"{DOMAIN}\nuse_profile 3\n{groups}\n\n" + "".join(f"{line}\n" for line in lines)
    parse_domain_policy(text, policy, source="test")
    return policy


def heard(
    *lines: str, kind: str = "dgram", exceptions: str = "", groups: str = "", **configs: Config
) -> Senders | None:
    policy = policy_of(*lines, exceptions=exceptions, groups=groups, **configs)
    return senders(policy, policy.domains[DOMAIN], kind)


def test_who_is_named_is_heard_and_who_may_be_sent_to() -> None:
    lines = [
        "network inet dgram recv 127.0.0.1 53",
        "network inet dgram send 127.0.0.1-127.0.0.9 1-2",
        "network inet dgram bind 127.0.0.3 7",
        "network inet raw recv 127.0.0.4 1",
        "network inet stream connect 127.0.0.5 80",
        "file read /etc/hosts",
    ]

    assert (Sender(4, ONE, ONE, (53, 53)), Sender(4, ONE, ONE + 8, (1, 2))) == heard(*lines)
    assert (Sender(4, ONE + 3, ONE + 3, (1, 1)),) == heard(*lines, kind="raw")


def test_nobody() -> None:
    assert () == heard()


def test_conditions_do_not_count() -> None:
    assert (Sender(6, 1, 1, (53, 53)),) == heard("network inet dgram recv ::1 53 task.uid=7")


def test_groups() -> None:
    exceptions = "address_group A 127.0.0.1\naddress_group A ::1\nnumber_group N 1-3\nnumber_group N 9\n"
    exceptions += "acl_group 5 network inet dgram recv 127.0.0.1 77\nacl_group 6 network inet dgram recv ::2 77\n"
    lines = ["network inet dgram recv @A @N", "network inet dgram recv @NOBODY 1", "network inet dgram recv ::3 @NONE"]

    assert {
        *(Sender(version, low, low, ports) for version, low in ((4, ONE), (6, 1)) for ports in ((1, 3), (9, 9))),
        Sender(4, ONE, ONE, (77, 77)),
    } == set(heard(*lines, exceptions=exceptions, groups="use_group 5") or ())


def test_ports_that_there_are_not() -> None:
    exceptions = "number_group N 1-100000\nnumber_group M 70000\n"
    lines = ["network inet dgram recv 127.0.0.1 @N", "network inet dgram recv 127.0.0.1 @M"]

    assert (Sender(4, ONE, ONE, (1, 65535)),) == heard(*lines, exceptions=exceptions)


@pytest.mark.parametrize("name", ["dgram_recv", "dgram_send"])
def test_everybody_where_that_is_not_enforced(name: str) -> None:
    """Who may send to anybody may connect to anybody, and hear anybody then."""
    policy = policy_of("network inet dgram recv 127.0.0.1 53", **{name: LEARNING})  # type: ignore[arg-type]

    assert senders(policy, policy.domains[DOMAIN], "dgram") is None
    assert senders(policy, policy.domains[DOMAIN], "raw") == ()


def test_whether_anything_is_said_of_receiving() -> None:
    policy = policy_of("network inet dgram send 127.0.0.1 53", "network inet raw bind/recv 127.0.0.1 1")

    assert not names_anybody(policy, policy.domains[DOMAIN], "dgram")
    assert names_anybody(policy, policy.domains[DOMAIN], "raw")
