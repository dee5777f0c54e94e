"""Profiles in slots: every operation's config worked out."""

from __future__ import annotations

import pytest

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.profiles import UNDEFINED, Profiles, profile_row
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Config, Domain, Mode, Policy, Profile


@pytest.fixture
def policy() -> Policy:
    policy = Policy()
    configs = {
        "": Config(Mode.PERMISSIVE, False, True),
        "file": Config(Mode.ENFORCING, True, False),
        "file::execute": Config(Mode.DISABLED, True, True),
        "network": Config(Mode.DISABLED, False, False),
    }
    policy.namespaces["<kernel>"].profiles = {3: Profile(enforcing_penalty=7, configs=configs), 1: Profile()}
    return policy


@pytest.mark.parametrize("forced", [None, Mode.LEARNING])
@pytest.mark.parametrize("chosen", [False, True])
def test_every_operation_has_the_config_that_policy_says(policy: Policy, forced: Mode | None, chosen: bool) -> None:
    policy.forced_mode = forced
    profiles = Profiles(policy)
    domain = Domain("<kernel> /a", profile=3, chosen=chosen)
    row = profiles.rows[profiles.slot_of(domain)]

    for keyword, operation in OPERATIONS.items():
        if operation.category == "task":
            continue
        config = policy.config(domain, operation.profile)
        byte = row.config[layout.NUMBERS[keyword]]
        assert (config.mode, config.grant_log, config.reject_log) == (byte & 3, bool(byte & 4), bool(byte & 8))
        if layout.FAMILY_OF[keyword] is layout.NAME:
            assert (not config.grant_log) == bool(row.quiet >> layout.BITS[keyword] & 1)
    assert (1, 7) == (row.defined, row.penalty)


def test_what_is_enabled_is_told_by_family(policy: Policy) -> None:
    profiles = Profiles(policy)
    row = profiles.rows[profiles.slot_of(Domain("<kernel>", profile=3))]
    enabled = dict(
        zip(
            ("NAME", "INET", "DOMAIN", "NONE"),
            (row.enabled, row.enabled_inet, row.enabled_domains, row.enabled_capabilities),
            strict=True,
        )
    )

    assert 0 == enabled["INET"]
    assert {
        name: (1 << len(family.operations)) - 1 for name, family in (("DOMAIN", layout.DOMAIN), ("NONE", layout.NONE))
    } == {
        "DOMAIN": enabled["DOMAIN"],
        "NONE": enabled["NONE"],
    }
    assert not enabled["NAME"] & 1
    assert enabled["NAME"] & 1 << layout.BITS["file read"]


def test_a_profile_that_is_not_defined_disables_all_but_the_manual_transition(policy: Policy) -> None:
    profiles = Profiles(policy)
    assert UNDEFINED == profiles.slot_of(Domain("<kernel>", profile=9))

    row = profile_row(None, Mode.ENFORCING)
    assert bytes(row) == bytes(profiles.rows[UNDEFINED])
    assert (0, 0, 0, 0) == (row.defined, row.enabled, row.enabled_inet, row.enabled_capabilities)
    assert 1 << layout.BITS["task manual_domain_transition"] == row.enabled_domains


def test_more_profiles_than_slots_are_refused() -> None:
    policy = Policy()
    kernel = policy.namespaces["<kernel>"]
    for name in range(5):
        policy.namespaces[f"<{name}>"] = type(kernel)(f"<{name}>", profiles={n: Profile() for n in range(256)})

    with pytest.raises(ValueError, match="too many"):
        Profiles(policy)
