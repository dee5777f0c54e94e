"""The access control rule: every keyword, the order of entries, modes, logs, and agreement with a plain scan."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.strategies import CHANGES, entries, members, requests
from tests.decide.support import DOMAIN, execution, facts, inode, policy, request, scan

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Request, Task
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, delete_entry, ensure_acl_group
from sekisho.policy.grammar import CAPABILITIES, OPERATIONS
from sekisho.policy.model import Config, Mode, Name, Profile

GRANTS = [
    ("file execute /bin/sh", "file execute /bin/sh", "file execute /bin/bash"),
    ("file read /\\*/passwd", "file read /etc/passwd", "file read /etc/shadow"),
    ("file write @TEMP", "file write /tmp/a", "file write /etc/a"),
    ("file append /var/log/x", "file append /var/log/x", "file write /var/log/x"),
    ("file unlink /tmp/\\?", "file unlink /tmp/a", "file unlink /tmp/ab"),
    ("file getattr /a", "file getattr /a", "file read /a"),
    ("file rmdir /d/", "file rmdir /d/", "file rmdir /e/"),
    ("file truncate /a", "file truncate /a", "file truncate /b"),
    ("file symlink /l", "file symlink /l", "file symlink /m"),
    ("file chroot /j/", "file chroot /j/", "file chroot /k/"),
    ("file unmount /m/", "file unmount /m/", "file unmount /n/"),
    ("file link /a /b", "file link /a /b", "file link /b /a"),
    ("file rename /tmp/\\* /b", "file rename /tmp/x /b", "file rename /tmp/x /c"),
    ("file pivot_root /n/ /n/o/", "file pivot_root /n/ /n/o/", "file pivot_root /m/ /n/o/"),
    ("file create /a 0600-0644", "file create /a 0640", "file create /a 0666"),
    ("file mkdir /d/ 0755", "file mkdir /d/ 0755", "file mkdir /d/ 0777"),
    ("file mkfifo /f @MODES", "file mkfifo /f 0600", "file mkfifo /f 0644"),
    ("file mksock /s 0755", "file mksock /s 0755", "file mksock /t 0755"),
    ("file ioctl /dev/tty 0x5401", "file ioctl /dev/tty 0x5401", "file ioctl /dev/tty 0x5402"),
    ("file chmod /a 0644", "file chmod /a 0644", "file chmod /a 0645"),
    ("file chown /a 0", "file chown /a 0", "file chown /a 1"),
    ("file chgrp /a 0-10", "file chgrp /a 5", "file chgrp /a 11"),
    ("file mkblock /n 0600 8 0-15", "file mkblock /n 0600 8 3", "file mkblock /n 0600 8 16"),
    ("file mkchar /n 0600 1 3", "file mkchar /n 0600 1 3", "file mkchar /n 0600 1 5"),
    ("file mount none /m/ tmpfs 0x0", "file mount none /m/ tmpfs 0x0", "file mount none /m/ tmpfs 0x1"),
    ("network inet stream bind 127.0.0.1 80", "network inet stream bind 127.0.0.1 80",
     "network inet stream bind 127.0.0.1 81"),
    ("network inet stream listen :: 80", "network inet stream listen :: 80", "network inet stream listen 0.0.0.0 80"),
    ("network inet stream connect 10.0.0.0-10.0.0.255 443", "network inet stream connect 10.0.0.9 443",
     "network inet stream connect 10.0.1.0 443"),
    ("network inet dgram bind @HOSTS 53", "network inet dgram bind 127.0.0.1 53", "network inet dgram bind ::1 53"),
    ("network inet dgram send 127.0.0.1 1024-65535", "network inet dgram send 127.0.0.1 5000",
     "network inet dgram send 127.0.0.1 53"),
    ("network inet raw bind 127.0.0.1 1", "network inet raw bind 127.0.0.1 1", "network inet raw bind 127.0.0.1 2"),
    ("network inet raw send ::1 58", "network inet raw send ::1 58", "network inet raw send ::2 58"),
    ("network unix stream bind /s", "network unix stream bind /s", "network unix stream bind /t"),
    ("network unix stream listen /s", "network unix stream listen /s", "network unix stream connect /s"),
    ("network unix stream connect \\000\\*", "network unix stream connect \\000abc", "network unix stream connect abc"),
    ("network unix dgram bind anonymous", "network unix dgram bind anonymous", "network unix dgram bind /s"),
    ("network unix dgram send /dev/log", "network unix dgram send /dev/log", "network unix dgram send /dev/lo"),
    ("network unix seqpacket bind /s", "network unix seqpacket bind /s", "network unix seqpacket bind /t"),
    ("network unix seqpacket listen @TEMP", "network unix seqpacket listen /tmp/s",
     "network unix seqpacket listen /s"),
    ("network unix seqpacket connect /s", "network unix seqpacket connect /s", "network unix seqpacket connect /t"),
    ("misc env LC_\\*", "misc env LC_ALL", "misc env LANG"),
    ("task manual_domain_transition <kernel> /a\\*", "task manual_domain_transition <kernel> /a\\*",
     "task manual_domain_transition <kernel> /ab"),
    ("task auto_domain_transition <kernel> /a", "task auto_domain_transition <kernel> /a",
     "task auto_domain_transition <kernel> /a /b"),
    ("task auto_execute_handler /h", "task auto_execute_handler /h", "task auto_execute_handler /i"),
    ("task denied_execute_handler /h", "task denied_execute_handler /h", "task auto_execute_handler /h"),
    ("network inet stream accept ::1 1024-65535", "network inet stream accept ::1 5000",
     "network inet stream connect ::1 5000"),
    ("network inet dgram recv @HOSTS 53", "network inet dgram recv 127.0.0.1 53", "network inet dgram recv ::1 53"),
    ("network inet raw recv ::1 58", "network inet raw recv ::1 58", "network inet raw recv ::1 59"),
    ("network unix stream accept anonymous", "network unix stream accept anonymous", "network unix stream accept /s"),
    ("network unix dgram recv /tmp/\\*", "network unix dgram recv /tmp/s", "network unix dgram recv /s"),
    ("network unix seqpacket accept /s", "network unix seqpacket accept /s", "network unix seqpacket listen /s"),
    ("ipc signal 9 <kernel> /a", "ipc signal 9 <kernel> /a /b", "ipc signal 9 <kernel> /ab"),
    ("ipc ptrace <kernel> /a", "ipc ptrace <kernel> /a", "ipc ptrace <kernel>"),
    ("ipc read_memory <kernel>", "ipc read_memory <kernel> /a", "ipc write_memory <kernel> /a"),
    ("ipc write_memory/ptrace <a> /a", "ipc write_memory <a> /a", "ipc write_memory <kernel> /a"),
    ("ipc get_descriptor <kernel> /a", "ipc get_descriptor <kernel> /a /\\*", "ipc get_descriptor <kernel> /b"),
    *((f"capability {name}", f"capability {name}", f"capability {other}")
      for name, other in zip(CAPABILITIES, CAPABILITIES[1:] + CAPABILITIES[:1], strict=True)),
]  # fmt: skip


def grouped(*lines: str, mode: Mode = Mode.ENFORCING):
    made, domain = policy(*lines, mode=mode)
    namespace = made.namespaces["<kernel>"]
    namespace.path_groups["TEMP"] = [Name("/tmp/\\*"), Name("/var/tmp/x")]
    for acl, kind in (
        ("file mkfifo /f 0600", "number_groups"),
        ("network inet dgram bind 127.0.0.1 53", "address_groups"),
    ):
        operand = parse_acl(acl).operands[-1 if kind == "number_groups" else 0]
        getattr(namespace, kind)["MODES" if kind == "number_groups" else "HOSTS"] = [operand]
    namespace.generation += 1
    return made, domain


def test_the_table_has_every_keyword() -> None:
    assert {line.partition(" /")[0] for line, _, _ in GRANTS}
    assert set(OPERATIONS) == {request(asked).operation.keyword for _, asked, _ in GRANTS}


@pytest.mark.parametrize(("line", "granted", "refused"), GRANTS)
def test_every_keyword_is_granted_by_its_entry_alone(line: str, granted: str, refused: str) -> None:
    made, domain = grouped(line)
    yes, no = decide(made, domain, request(granted)), decide(made, domain, request(refused))

    assert (True, True, domain.entries[0]) == (yes.granted, yes.allowed, yes.entry)
    assert (False, False, None) == (no.granted, no.allowed, no.entry)


@pytest.mark.parametrize("mode", [Mode.LEARNING, Mode.PERMISSIVE])
@pytest.mark.parametrize("asked", [refused for _, _, refused in GRANTS if not refused.startswith("task")])
def test_every_keyword_is_permitted_with_a_record(asked: str, mode: Mode) -> None:
    made, domain = grouped(mode=mode)
    decision = decide(made, domain, request(asked))

    assert (False, True, False, True, mode) == (
        decision.granted, decision.allowed, decision.grant_log, decision.reject_log, decision.mode,
    )  # fmt: skip


@pytest.mark.parametrize("asked", [refused for _, _, refused in GRANTS if not refused.startswith("task")])
def test_disabled_checks_and_logs_nothing(asked: str) -> None:
    made, domain = grouped(mode=Mode.DISABLED)
    decision = decide(made, domain, request(asked))

    assert (True, False, False) == (decision.allowed, decision.grant_log, decision.reject_log)


def test_execute_is_looked_up_even_when_disabled() -> None:
    made, domain = policy("file execute /\\*/sh keep", mode=Mode.DISABLED)
    decision = decide(made, domain, request("file execute /bin/sh"))

    assert (True, "/\\*/sh", False) == (decision.granted, decision.matched, decision.grant_log)


def test_a_manual_transition_needs_its_entry_in_every_mode() -> None:
    made, domain = policy(mode=Mode.DISABLED)

    assert not decide(made, domain, request("task manual_domain_transition <kernel> /a")).allowed


def test_the_first_entry_that_fits_grants() -> None:
    made, domain = policy("file read /a\\* grant_log=no", "file read /ab", "file read /\\*")

    assert decide(made, domain, request("file read /ab")).entry == domain.entries[0]
    assert decide(made, domain, request("file read /b")).entry == domain.entries[2]


def test_own_entries_come_before_groups_and_groups_in_ascending_number() -> None:
    made, domain = policy("file read /c", groups={7: ["file read /b", "file read /\\*"], 2: ["file read /\\?"]})

    assert decide(made, domain, request("file read /c")).matched == "/c"
    assert decide(made, domain, request("file read /b")).matched == "/\\?"
    assert decide(made, domain, request("file read /long")).matched == "/\\*"


def test_a_group_not_used_grants_nothing() -> None:
    made, domain = policy(groups={7: ["file read /b"]})
    domain.groups.clear()
    domain.generation += 1

    assert not decide(made, domain, request("file read /b")).granted


def test_a_group_used_or_filled_later_counts() -> None:
    made, domain = policy()
    assert not decide(made, domain, request("file read /b")).granted
    domain.groups.add(4)
    assert not decide(made, domain, request("file read /b")).granted
    add_entry(ensure_acl_group(made.namespaces["<kernel>"], 4), parse_acl("file read /b"))
    assert decide(made, domain, request("file read /b")).granted


def test_grant_log_of_the_entry_overrides_the_profile() -> None:
    made, domain = policy("file read /a grant_log=no", "file read /b", "file write /b grant_log=yes")
    asked = ("file read /a", "file read /b", "file write /b")
    assert [False, True, True] == [decide(made, domain, request(text)).grant_log for text in asked]

    made.namespaces["<kernel>"].profiles[3].configs[""] = Config(Mode.ENFORCING, False, False)
    assert [False, False, True] == [decide(made, domain, request(text)).grant_log for text in asked]
    assert not decide(made, domain, request("file read /c")).reject_log


def test_modes_come_from_operation_then_category_then_config() -> None:
    made, domain = policy()
    profile = made.namespaces["<kernel>"].profiles[3]
    profile.configs["file"] = Config(Mode.LEARNING, True, True)
    profile.configs["file::open"] = Config(Mode.PERMISSIVE, True, True)

    assert decide(made, domain, request("file append /a")).mode is Mode.PERMISSIVE
    assert decide(made, domain, request("file getattr /a")).mode is Mode.LEARNING
    assert decide(made, domain, request("misc env A")).mode is Mode.ENFORCING


def test_a_forced_mode_holds_but_where_the_profile_disables() -> None:
    made, domain = policy("file read /a")
    made.namespaces["<kernel>"].profiles[3].configs["misc"] = Config(Mode.DISABLED, True, True)
    made.forced_mode = Mode.PERMISSIVE

    assert decide(made, domain, request("file read /a")).mode is Mode.PERMISSIVE
    assert decide(made, domain, request("misc env A")).mode is Mode.DISABLED
    made.forced_mode = Mode.LEARNING
    assert decide(made, domain, request("file read /a")).mode is Mode.LEARNING
    made.forced_mode = None
    assert decide(made, domain, request("file read /a")).mode is Mode.ENFORCING


def test_an_undefined_profile_disables() -> None:
    made, domain = policy()
    domain.profile = 9

    assert decide(made, domain, request("file read /a")).mode is Mode.DISABLED
    made.namespaces["<kernel>"].profiles[9] = Profile(configs={"": Config(Mode.ENFORCING, True, True)})
    assert decide(made, domain, request("file read /a")).mode is Mode.ENFORCING


def test_conditions_make_a_decision_uncacheable_only_when_looked_at() -> None:
    made, domain = policy("file read /a", "file read /a task.uid=0", "file read /b task.uid=0", "file read /b")

    assert decide(made, domain, request("file read /a")).cacheable
    assert not decide(made, domain, request("file read /b")).cacheable
    assert decide(made, domain, request("file read /c")).cacheable
    made, domain = policy("file read /c task.uid=0")
    assert not decide(made, domain, request("file read /c")).cacheable


def test_an_entry_that_moves_its_caller_says_where_each_time() -> None:
    made, domain = policy('file read /a auto_domain_transition="/b"', "file read /c")
    decision = decide(made, domain, request("file read /a"))

    assert (decision.granted, decision.transition, decision.cacheable) == (True, "/b", False)
    assert decide(made, domain, request("file read /c")).transition is None
    assert decide(made, domain, request("file read /d")).transition is None


def test_conditions_on_the_type_of_task() -> None:
    made, domain = policy("file read /a task.type=execute_handler", "capability SYS_TIME task.type!=execute_handler")
    handler = facts(task=Task(execute_handler=True))

    assert decide(made, domain, request("file read /a", handler)).granted
    assert not decide(made, domain, request("file read /a", facts())).granted
    assert not decide(made, domain, request("capability SYS_TIME", handler)).granted
    assert decide(made, domain, request("capability SYS_TIME", facts())).granted


def test_a_group_gives_the_member_that_matched() -> None:
    made, domain = grouped("file execute @TEMP")

    assert decide(made, domain, request("file execute /tmp/x")).matched == "/tmp/\\*"
    assert decide(made, domain, request("file execute /var/tmp/x")).matched == "/var/tmp/x"
    made.namespaces["<kernel>"].path_groups["TEMP"].insert(0, Name("/\\*/x"))
    made.namespaces["<kernel>"].generation += 1
    assert decide(made, domain, request("file execute /tmp/x")).matched == "/\\*/x"


def test_execute_tells_what_the_last_entry_matched_though_its_condition_failed() -> None:
    made, domain = policy("file execute /bin/\\* task.uid=0")
    decision = decide(made, domain, request("file execute /bin/sh", execution(b"sh")))
    assert (False, "/bin/\\*") == (decision.granted, decision.matched)

    add_entry(domain, parse_acl("file execute /usr/bin/\\*"))
    assert decide(made, domain, request("file execute /bin/sh", execution(b"sh"))).matched is None


def test_the_device_of_a_mount_may_be_left_uncompared() -> None:
    made, domain = policy("file mount /dev/sda1 /m/ ext4 0x0")
    asked = request("file mount /dev/sdb1 /m/ ext4 0x0")

    assert not decide(made, domain, asked).granted
    assert decide(made, domain, replace(asked, ignore_first=True)).granted


def test_conditions_see_the_facts() -> None:
    made, domain = policy("file read /a path1.uid=10 task.uid=1000")

    assert decide(made, domain, request("file read /a", facts(path1=inode()))).granted
    assert not decide(made, domain, request("file read /a", facts(path1=inode(uid=11)))).granted
    assert not decide(made, domain, request("file read /a", facts())).granted


def test_a_copied_policy_decides_for_itself() -> None:
    made, domain = policy("file read /a")
    decide(made, domain, request("file read /a"))
    copied = copy.deepcopy(made)
    delete_entry(copied.domains[DOMAIN], parse_acl("file read /a"))

    assert not decide(copied, copied.domains[DOMAIN], request("file read /a")).granted
    assert decide(made, domain, request("file read /a")).granted


@settings(max_examples=300, deadline=None)
@given(
    st.lists(entries, max_size=12),
    st.dictionaries(st.sampled_from([0, 3, 250]), st.lists(entries, max_size=4), max_size=2),
    st.lists(members, max_size=4),
    st.lists(st.tuples(st.sampled_from(CHANGES), entries), max_size=6),
    st.lists(requests, min_size=1, max_size=6),
)
def test_the_index_agrees_with_a_scan(own, groups, group, changes, asked: list[Request]) -> None:
    made, domain = policy(*own, groups=groups)
    namespace = made.namespaces["<kernel>"]
    namespace.path_groups["G"] = [Name(member) for member in group]
    for change, line in [("none", ""), *changes]:
        if change == "add":
            add_entry(domain, parse_acl(line))
        elif change == "add to group" and domain.groups:
            add_entry(ensure_acl_group(namespace, min(domain.groups)), parse_acl(line))
        elif change == "delete":
            delete_entry(domain, parse_acl(line))
        elif change == "delete first" and domain.entries:
            delete_entry(domain, domain.entries[0])
        for one in asked:
            decision, expected = decide(made, domain, one), scan(made, domain, one)
            assert (expected is not None, expected) == (decision.granted, decision.entry)
            assert decision is decide(made, domain, one) or decision == decide(made, domain, one)
