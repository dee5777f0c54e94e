"""Every setting of a profile of each version."""

import pytest
from tests.convert.support import Noted

from sekisho.convert.dialect import Dialect
from sekisho.convert.profiles import Profiles
from sekisho.policy.grammar import PROFILE_OPERATIONS
from sekisho.policy.model import Config, Mode, Policy
from sekisho.policy.parser import parse_profile

V17, V18, V22, V23, V24, V25 = (Dialect(version) for version in ("1.7", "1.8", "2.2", "2.3", "2.4", "2.5"))
OLD = (V17, V22, V23)


def converted(text, dialect):
    """The profiles of ``<kernel>`` as today's parser sees them, and what was said of other things than additions."""
    notes = Noted()
    policy = Policy()
    today = Profiles(dialect, notes).convert(text)
    parse_profile(today, policy)
    return policy.namespaces["<kernel>"].profiles, [(fate, why) for fate, why in notes.said if fate != "added"], today


@pytest.mark.parametrize(
    ("dialects", "line", "name", "mode"),
    [
        ((V22,), "1-MAC_FOR_FILE=learning", "file::open", Mode.LEARNING),
        ((V22,), "1-MAC_FOR_FILE=3", "file::open", Mode.ENFORCING),
        ((V17, V23, V24, V25, V18), "1-CONFIG={ mode=enforcing }", "file::open", Mode.ENFORCING),
        ((V17, V23), "1-CONFIG=enforcing", "file::open", Mode.ENFORCING),
        ((V17, V23), "1-CONFIG::file={ mode=permissive }", "file::create", Mode.PERMISSIVE),
        ((V17, V23), "1-CONFIG::file::umount={ mode=learning }", "file::unmount", Mode.LEARNING),
        ((V17, V23), "1-CONFIG::file::execute=learning", "file::execute", Mode.LEARNING),
        ((V17,), "1-CONFIG::network::inet_tcp_bind={ mode=learning }", "network::inet_stream_bind", Mode.LEARNING),
        ((V17,), "1-CONFIG::network::inet_tcp_accept={ mode=learning }", "network::inet_stream_accept", Mode.LEARNING),
        ((V17,), "1-CONFIG::network::inet_udp_bind={ mode=learning }", "network::inet_dgram_bind", Mode.LEARNING),
        ((V17,), "1-CONFIG::network::inet_udp_connect={ mode=learning }", "network::inet_dgram_send", Mode.LEARNING),
        ((V17,), "1-CONFIG::network::inet_udp_connect={ mode=learning }", "network::inet_dgram_recv", Mode.LEARNING),
        ((V17,), "1-CONFIG::network::inet_raw_connect={ mode=learning }", "network::inet_raw_recv", Mode.LEARNING),
        ((V17,), "1-CONFIG::network={ mode=learning }", "network::inet_raw_bind", Mode.LEARNING),
        ((V17,), "1-CONFIG::misc::env={ mode=learning }", "misc::env", Mode.LEARNING),
        ((V17, V18), "1-CONFIG::ipc::signal={ mode=learning }", "ipc::signal", Mode.LEARNING),
        ((V17, V18), "1-CONFIG::capability::SYS_TIME={ mode=learning }", "capability::SYS_TIME", Mode.LEARNING),
        ((V18,), "1-CONFIG::network::unix_dgram_recv={ mode=learning }", "network::unix_dgram_recv", Mode.LEARNING),
        ((V25,), "1-CONFIG::network::unix_stream_bind={ mode=learning }", "network::unix_stream_bind", Mode.LEARNING),
        ((V24,), "1-CONFIG::file::getattr={ mode=learning }", "file::getattr", Mode.LEARNING),
    ],
)
def test_modes(dialects, line, name, mode):
    for dialect in dialects:
        profiles, said, _ = converted(f"{line}\n", dialect)

        assert profiles[1].config(name).mode is mode
        assert said == []


@pytest.mark.parametrize("dialect", [V17, V18, V22, V23, V24, V25])
def test_what_a_version_could_not_check_stays_unchecked(dialect):
    from sekisho.convert.checked import checked_operations

    line = "3-MAC_FOR_FILE=enforcing" if dialect is V22 else "3-CONFIG={ mode=enforcing }"
    profiles, _, _ = converted(line, dialect)
    enforced = {name for name in PROFILE_OPERATIONS if profiles[3].config(name).mode is Mode.ENFORCING}

    assert enforced == checked_operations(dialect)


def test_what_is_disabled_anyway_is_not_said():
    notes = Noted()

    assert "CONFIG::" not in Profiles(V23, notes).convert("0-CONFIG={ mode=disabled }\n")
    assert notes.said == []


@pytest.mark.parametrize(
    ("dialect", "lines", "limits"),
    [
        (V22, "1-MAX_ACCEPT_ENTRY=10000", (1024, 10000, 0)),
        (V23, "PREFERENCE::learning={ max_entry=4096 }", (1024, 4096, 0)),
        (V23, "PREFERENCE::learning={ max_entry=4096 }\n1-PREFERENCE::learning={ max_entry=16 }", (1024, 16, 0)),
        (V17, "PREFERENCE::audit={ max_grant_log=7 max_reject_log=9 task_info=yes path_info=yes }", (9, 2048, 0)),
        (V17, "1-PREFERENCE::enforcing={ penalty = 10 }", (1024, 2048, 10)),
        (V17, "PREFERENCE::learning={ exec.realpath=yes exec.argv0=yes symlink.target=yes }", (1024, 2048, 0)),
        (V18, "1-PREFERENCE={ max_audit_log=1 max_learning_entry=2 enforcing_penalty=3 }", (1, 2, 3)),
        (V25, "1-PREFERENCE={ max_audit_log=1 max_learning_entry=2 }", (1, 2, 0)),
    ],
)
def test_limits(dialect, lines, limits):
    profiles, said, _ = converted(f"1-CONFIG={{ mode=disabled }}\n{lines}\n", dialect)
    profile = profiles[1]

    assert (profile.max_audit_log, profile.max_learning_entry, profile.enforcing_penalty) == limits
    assert said == []


@pytest.mark.parametrize(
    ("dialect", "text", "config"),
    [
        (V23, "1-CONFIG={ mode=learning }", Config(Mode.LEARNING, False, True)),
        (V17, "1-CONFIG={ mode=learning }", Config(Mode.LEARNING, True, True)),
        (V17, "1-CONFIG={ mode=learning grant_log=no reject_log=no }", Config(Mode.LEARNING, False, False)),
        (V17, "1-CONFIG={ mode=learning }\n1-CONFIG={ reject_log=no }", Config(Mode.LEARNING, True, False)),
        (V25, "1-CONFIG={ mode=learning grant_log=yes }", Config(Mode.LEARNING, True, True)),
    ],
)
def test_logs(dialect, text, config):
    assert converted(text, dialect)[0][1].configs[""] == config


def test_comments_defaults_namespaces_and_versions():
    text = (
        "# mine\nPROFILE_VERSION=20110903\n1-COMMENT=a = b\n1-CONFIG::file={ mode=learning }\n"
        "1-CONFIG::file=use_default\n<x> 2-CONFIG={ mode=learning }\n"
    )
    profiles, said, today = converted(text, V25)

    assert today.startswith("# mine\n<kernel> PROFILE_VERSION=20150505\n")
    assert (profiles[1].comment, "file" in profiles[1].configs) == ("a = b", False)
    assert "<x> 2-CONFIG={ mode=learning grant_log=yes reject_log=yes }\n" in today
    assert said == []


@pytest.mark.parametrize(
    ("dialect", "line", "fate", "reason"),
    [
        (V22, "1-TOMOYO_VERBOSE=enabled", "left out", "no messages"),
        (V22, "1-MAC_FOR_NETWORK=enforcing", "left out", "no setting of TOMOYO 2.2"),
        (V22, "1-MAC_FOR_FILE=strict", "changed", "'strict'"),
        (V22, "1-MAX_ACCEPT_ENTRY=many", "left out", "'many' is no number"),
        (V23, "PREFERENCE::enforcing={ verbose=yes }", "changed", "verbose=yes means nothing today"),
        (V23, "1-CONFIG::file::rewrite={ mode=learning }", "left out", "overwriting is file write today"),
        (V17, "1-CONFIG::file::transit={ mode=learning }", "left out", "in every mode"),
        (V17, "1-CONFIG::capability::SYS_MOUNT={ mode=learning }", "left out", "file mount governs"),
        (V17, "1-CONFIG::file::fly={ mode=learning }", "left out", "'file::fly' is no operation"),
        (V17, "PREFERENCE::audit={ path_info=no }", "changed", "path_info=no means nothing today"),
        (V17, "PREFERENCE::audit={ max_grant_log=x }", "left out", "'x' is no number"),
        (V17, f"PREFERENCE::audit={{ max_grant_log={'9' * 5000} }}", "left out", "is no number"),
        (V17, f"{'9' * 5000}-CONFIG={{ mode=learning }}", "left out", "belongs to no profile"),
        (V17, "1-CONFIG::file={ grant_log=no }", "left out", "it names no mode"),
        (V17, "CONFIG={ mode=learning }", "left out", "belongs to no profile"),
        (V17, "256-CONFIG={ mode=learning }", "left out", "from 0 to 255"),
        (V17, "what?", "left out", "no line of a profile"),
    ],
)
def test_what_means_nothing_today_is_said(dialect, line, fate, reason):
    said = converted(f"0-CONFIG={{ mode=disabled }}\n{line}\n", dialect)[1]

    assert fate in [is_ for is_, _ in said]
    assert any(reason in why for _, why in said)
