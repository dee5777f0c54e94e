"""Whole policies: golden ones of each version, and laws over any text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.strategies import policies

from sekisho.convert.dialect import Dialect, detect
from sekisho.convert.settle import PARSERS, settled
from sekisho.convert.text import in_ascii
from sekisho.convert.whole import KINDS, Source, convert, kind_of
from sekisho.learn.rewrite import DEFAULT_REWRITE, RewriteRules
from sekisho.policy.model import Policy
from sekisho.policy.printer import print_domain_policy, print_exception_policy, print_manager, print_profile

GOLDEN = Path(__file__).parent / "golden"
HEADING = "# What file_pattern said in the older policy.\n"


def parsed(texts):
    """The policy that converted texts say; fails where today's parser takes one line of them for wrong."""
    assert all(text.isascii() for text in texts.values())
    policy = Policy()
    for kind in KINDS:
        PARSERS[kind](texts.get(kind, ""), policy, source=kind)
    RewriteRules.parse(texts.get("rewrite", ""), "rewrite")
    return policy


@pytest.mark.parametrize("version", sorted(path.name for path in GOLDEN.iterdir()))
def test_golden_policies(version):
    """Policies as administrators wrote and learned them. ``remarks`` has every line that isn't carried over."""
    folder = GOLDEN / version
    sources = [Source(path.stem, path.name, path.read_text()) for path in sorted((folder / "old").iterdir())]
    done = convert(sources)
    texts = dict(done.texts)
    if "rewrite" in texts:
        default, _, texts["rewrite"] = texts["rewrite"].partition(HEADING)
        assert default.startswith(DEFAULT_REWRITE)

    assert done.dialect == version
    assert texts == {path.stem: path.read_text() for path in (folder / "today").iterdir()}
    assert "".join(f"{remark}\n" for remark in done.remarks) == (folder / "remarks").read_text()
    policy = parsed(done.texts)
    assert all(domain.profile in policy.namespaces[domain.namespace].profiles for domain in policy.domains.values())


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("domain_policy.conf", "", "domain_policy"),
        ("/etc/ccs/exception_policy", "", "exception_policy"),
        ("profile.conf", "/a", "profile"),
        ("manager", "", "manager"),
        ("a", "# c\n\n<kernel> /a\n", "domain_policy"),
        ("a", "select <kernel>\n", "domain_policy"),
        ("a", "0-COMMENT=x\n", "profile"),
        ("a", "<kernel> PROFILE_VERSION=20110903\n", "profile"),
        ("a", "PREFERENCE::learning={ }\n", "profile"),
        ("a", "/usr/sbin/tool\n", "manager"),
        ("a", "manage_by_non_root\n", "manager"),
        ("a", "path_group G /a\n", "exception_policy"),
        ("a", "<kernel> path_group G /a\n", "exception_policy"),
        ("a", "", "exception_policy"),
    ],
)
def test_kinds_of_files(name, text, kind):
    assert kind_of(name, text) == kind


@given(policies())
def test_todays_policy_stays_as_it_is(policy):
    for namespace in policy.namespaces.values():
        for profile in namespace.profiles.values():
            profile.comment = in_ascii(profile.comment)
    texts = {
        "domain_policy": print_domain_policy(policy),
        "exception_policy": print_exception_policy(policy),
        "profile": print_profile(policy),
        "manager": print_manager(policy),
    }
    sources = [Source(kind, kind, text) for kind, text in texts.items() if kind != "domain_policy"]
    done = convert(sources)

    assert done.texts == {kind: text for kind, text in texts.items() if kind != "domain_policy"}
    assert done.remarks == ()
    domains = convert([Source("domain_policy", "d", texts["domain_policy"])])
    assert (domains.dialect, domains.texts["domain_policy"], domains.remarks) == (
        Dialect.TODAY,
        texts["domain_policy"],
        (),
    )


WORDS = st.sampled_from(
    r"""
    <kernel> <other> <kernel /bin/sh /proc/\$/exe /proc/self/fd/\$ /\* /\{\*\}/ /var/log/\* @G @ \ \q é select delete if
    ; set task.state[0]=1 task.uid=0 exec.realpath="/proc/x" grant_log=no use_profile use_group 0 1 7 255 0644 0x10 1-5
    allow_read allow_write allow_read/write allow_execute allow_create allow_mount allow_rewrite allow_truncate
    allow_network TCP UDP RAW bind connect 10.0.0.1 @H allow_env PATH allow_capability SYS_TIME SYS_KILL allow_signal
    allow_transit allow_argv0 execute_handler denied_execute_handler ignore_global_allow_read ignore_global_allow_env
    deny_rewrite file_pattern path_group number_group address_group aggregator alias initialize_domain keep_domain from
    any deny_autobind acl_group file read read/write network inet stream misc env ipc signal capability task
    PROFILE_VERSION=20090903 PROFILE_VERSION=20100903 PREFERENCE::learning={ max_entry=5 verbose=no } 1-CONFIG={
    mode=learning 1-CONFIG::file::umount=enforcing 3-MAC_FOR_FILE=learning 1-COMMENT=x use_default manage_by_non_root
    socket:[family=1:type=1:protocol=0] sysfs:/x quota_exceeded # = { }
    """.split()
)
SOUP = st.lists(
    st.lists(WORDS | st.text(max_size=6), max_size=6).map(" ".join) | st.text(max_size=20), max_size=12
).map("\n".join)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(KINDS), SOUP, min_size=1), st.none() | st.sampled_from(list(Dialect)))
def test_any_text_is_converted_and_what_comes_out_parses(texts, dialect):
    done = convert([Source(kind, kind, text) for kind, text in texts.items()], dialect)

    assert done.dialect is (dialect or detect(texts.values()))
    parsed(done.texts)
    again = convert([Source(kind, kind, text) for kind, text in done.texts.items() if kind in KINDS], Dialect.TODAY)
    assert {kind: done.texts[kind] for kind in again.texts} == again.texts
    assert again.remarks == ()


CONSUMED = ("ignore_global_allow_read", "ignore_global_allow_env", "allow_rewrite", "PROFILE_VERSION", "PREFERENCE")


@given(st.dictionaries(st.sampled_from(KINDS), SOUP, min_size=1), st.sampled_from(list(Dialect)))
def test_nothing_is_lost_in_silence(texts, dialect):
    """Every line of the older policy is in the new one, or is spoken of."""
    kept: dict[str, set[int]] = {}

    def recording(kind, file, lines, remarks):
        lines = list(lines)
        kept[kind] = {line.number for line in lines}
        return settled(kind, file, lines, remarks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sekisho.convert.whole.settled", recording)
        done = convert([Source(kind, kind, text) for kind, text in texts.items()], dialect)
    told = {(remark.file, remark.line) for remark in done.remarks}
    for kind, text in texts.items():
        if kind == "profile":  # is written anew
            continue
        for number, raw in enumerate(text.split("\n")[: -1 if text.endswith("\n") else None], 1):
            words = raw.split() or [""]
            if not words[0].startswith(CONSUMED) and words[:1] != ["delete"]:
                assert number in kept[kind] or (kind, number) in told or not text


@pytest.mark.parametrize("dialect", Dialect)
def test_comments_may_be_of_any_language(dialect):
    text = "# 関所\n0-COMMENT=無効\n0-CONFIG={ mode=disabled }\n<é> 1-CONFIG={ mode=disabled }\n"
    done = convert([Source("profile", "p", text)], dialect)

    assert parsed(done.texts)
    assert done.texts["profile"].startswith(r"# \351\226\242\346\211\200" + "\n")
    assert r"0-COMMENT=\347\204\241\345\212\271" + "\n" in done.texts["profile"]
    assert [(remark.line, remark.fate) for remark in done.remarks] == [(4, "left out")]


def test_missing_files_are_as_given_and_profiles_that_are_used_are_defined():
    defaults = {"profile": "0-CONFIG={ mode=disabled }\n", "exception_policy": "", "manager": "/m\n"}
    text = "<kernel>\nuse_profile 0\n<x> /a\nuse_profile 5\n<kernel> /b\nuse_profile 5\n<kernel> /c\nuse_profile 5\n"
    done = convert([Source("domain_policy", "d", text)], None, defaults)

    assert {kind: done.texts[kind] for kind in ("exception_policy", "manager")} == {
        "exception_policy": "",
        "manager": "/m\n",
    }
    assert [remark.text for remark in done.remarks] == [
        "<x> 5-CONFIG={ mode=disabled grant_log=no reject_log=yes }",
        "5-CONFIG={ mode=disabled grant_log=no reject_log=yes }",
    ]
    policy = parsed(done.texts)
    assert all(domain.profile in policy.namespaces[domain.namespace].profiles for domain in policy.domains.values())


def test_a_profile_that_is_made_up_checks_no_more_than_the_older_version_could():
    defaults = {"profile": "0-CONFIG={ mode=disabled }\n3-CONFIG={ mode=enforcing }\n"}
    done = convert([Source("domain_policy", "d", "<kernel> /a\nuse_profile 3\nallow_read /a\n")], None, defaults)
    profile = parsed(done.texts).namespaces["<kernel>"].profiles[3]

    assert (profile.config("file::open").mode.word, profile.config("misc::env").mode.word) == ("enforcing", "disabled")
    assert [(remark.file, remark.fate) for remark in done.remarks] == [("profile.conf", "added")]
    assert (
        convert([Source("domain_policy", "d", "<kernel>\nfile read /a\n")], None, defaults).texts["profile"]
        == (defaults["profile"])
    )
