from __future__ import annotations

import pytest

from sekisho.engine.supervisor import bounds
from sekisho.engine.supervisor.bounds import Bounds
from sekisho.engine.supervisor.system import landlock as ll
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Config, Mode, Policy, Profile
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy

DOMAIN = "<kernel> /program"
READ = ll.READ_FILE | ll.READ_DIR
WRITE = ll.WRITE_FILE | ll.TRUNCATE
ENTRIES = (ll.TRUNCATE - 1) & ~(READ | ll.WRITE_FILE | ll.REFER | 1)
"""The rights to entries of directories."""


def policy_of(*lines: str, exceptions: str = "", modes: dict[str, Mode] | None = None) -> Policy:
    """A policy with these lines for DOMAIN, all of it enforced but for ``modes`` (by profile operation)."""
    policy = Policy()
    profile = Profile()
    profile.configs[""] = Config(Mode.ENFORCING, grant_log=False, reject_log=True)
    for name, mode in (modes or {}).items():
        profile.configs[name] = Config(mode, grant_log=False, reject_log=True)
    policy.namespaces["<kernel>"].profiles[3] = profile
    ensure_domain(policy, DOMAIN).profile = 3
    parse_exception_policy(exceptions, policy, source="test")
    text = f"{DOMAIN}\nuse_profile 3\nuse_group 1\n\n" + "".join(f"{line}\n" for line in lines)
    parse_domain_policy(text, policy, source="test")
    return policy


def use(*lines: str, exceptions: str = "", modes: dict[str, Mode] | None = None) -> Bounds:
    policy = policy_of(*lines, exceptions=exceptions, modes=modes)
    return bounds.of_use(policy, policy.domains[DOMAIN])


def moving(*lines: str) -> Bounds:
    policy = policy_of(*lines)
    return bounds.of_moving(policy, policy.domains[DOMAIN])


def left(found: Bounds) -> dict[bytes, tuple[int, int]]:
    return {path: (each.here, each.nearest) for path, each in found.paths.items()}


@pytest.mark.parametrize(
    ("line", "path", "rights"),
    [
        ("file read /etc/passwd", b"/etc/passwd", READ),
        ("file read /etc/", b"/etc", READ),
        ("file read /", b"/", READ),
        ("file read /etc/\\*", b"/etc", READ),
        ("file read /etc/\\*/", b"/etc", READ),
        ("file read /usr/\\{\\*\\}/x", b"/usr", READ),
        ("file read /etc/pass\\*", b"/etc", READ),
        ("file read /\\*/x", b"/", READ),
        ("file read /a\\040b/c\\\\d", b"/a b/c\\d", READ),
        ("file read \\*:/x", b"/", READ),
        ("file write /var/log/x", b"/var/log/x", WRITE),
        ("file append /var/log/x", b"/var/log/x", WRITE),
        ("file truncate /var/log/x", b"/var/log/x", WRITE),
        ("file read/write /var/log/x", b"/var/log/x", READ | WRITE),
    ],
)
def test_what_is_opened_is_left_on_itself_or_above_all_it_may_be(line: str, path: bytes, rights: int) -> None:
    assert {path: (rights, 0)} == left(use(line))


@pytest.mark.parametrize(
    ("line", "path", "right"),
    [
        ("file create /tmp/x 0600", b"/tmp", ll.MAKE_REG),
        ("file mkdir /tmp/x/ 0700", b"/tmp", ll.MAKE_DIR),
        ("file mkdir /tmp/\\*/ 0700", b"/tmp", ll.MAKE_DIR),
        ("file mkdir /tmp/x\\*/ 0700", b"/tmp", ll.MAKE_DIR),
        ("file mkdir /tmp/x/\\{\\*\\}/ 0700", b"/tmp/x", ll.MAKE_DIR),
        ("file mkdir /x/ 0700", b"/", ll.MAKE_DIR),
        ("file mkfifo /tmp/x 0600", b"/tmp", ll.MAKE_FIFO),
        ("file mksock /tmp/x 0600", b"/tmp", ll.MAKE_SOCK),
        ("file mkblock /tmp/x 0600 1 2", b"/tmp", ll.MAKE_BLOCK),
        ("file mkchar /tmp/x 0600 1 2", b"/tmp", ll.MAKE_CHAR),
        ("file symlink /tmp/\\*/x", b"/tmp", ll.MAKE_SYM),
        ("file unlink /tmp/x", b"/tmp", ll.REMOVE_FILE),
        ("file rmdir /tmp/x/", b"/tmp", ll.REMOVE_DIR),
    ],
)
def test_what_is_made_or_removed_is_left_on_the_folder(line: str, path: bytes, right: int) -> None:
    assert {path: (0, right)} == left(use(line))


def test_what_may_be_made_is_opened_by_the_right_to_make_it() -> None:
    found = left(use("file create /tmp/\\* 0600", "file write /tmp/a/x", "file read /tmp/y", "file read /tmpfile"))

    assert {
        b"/tmp": (0, ll.MAKE_REG | WRITE | READ),
        b"/tmp/a/x": (WRITE, 0),
        b"/tmp/y": (READ, 0),
        b"/tmpfile": (READ, 0),
    } == found


@pytest.mark.parametrize("line", ["file read proc:/self/maps", "file read pipe:[\\$]", "file getattr /x", "misc env A"])
def test_what_landlock_doesnt_know_is_left_out(line: str) -> None:
    assert {} == left(use(line))


def test_all_that_is_enforced_is_withheld() -> None:
    found = use()

    assert READ | WRITE | ENTRIES == found.files
    assert ll.BIND_TCP | ll.CONNECT_TCP == found.network


@pytest.mark.parametrize(
    ("operation", "free"),
    [
        ("file::open", READ | WRITE),
        ("file::truncate", ll.TRUNCATE),
        ("file::create", ll.MAKE_REG),
        ("file::rmdir", ll.REMOVE_DIR),
        ("file::mksock", ll.MAKE_SOCK),
        ("file", READ | WRITE | ENTRIES),
    ],
)
@pytest.mark.parametrize("mode", [Mode.DISABLED, Mode.LEARNING, Mode.PERMISSIVE])
def test_what_isnt_enforced_isnt_withheld(operation: str, free: int, mode: Mode) -> None:
    assert (READ | WRITE | ENTRIES) & ~free == use(modes={operation: mode}).files


def test_ports() -> None:
    found = use(
        "network inet stream connect 127.0.0.1 80",
        "network inet stream bind/connect @HOSTS 8080-8081",
        "network inet stream bind 0.0.0.0 @PORTS",
        "network inet dgram bind 0.0.0.0 53",
        exceptions="number_group PORTS 22\nnumber_group PORTS 25\naddress_group HOSTS 10.0.0.1\n",
    )

    both = ll.BIND_TCP | ll.CONNECT_TCP
    assert {80: ll.CONNECT_TCP, 8080: both, 8081: both, 22: ll.BIND_TCP, 25: ll.BIND_TCP} == found.ports


def test_more_ports_than_can_be_told_arent_withheld() -> None:
    found = use("network inet stream connect 0.0.0.0-255.255.255.255 0-65535", "network inet stream bind 0.0.0.0 80")

    assert (ll.BIND_TCP, {80: ll.BIND_TCP}) == (found.network, found.ports)


def test_ports_that_arent_enforced() -> None:
    found = use("network inet stream connect 0.0.0.0 80", modes={"network::inet_stream_connect": Mode.LEARNING})

    assert ll.BIND_TCP == found.network


def test_groups_count() -> None:
    exceptions = "path_group PLACES /srv/\\*\npath_group PLACES /opt/x\nacl_group 1 file read /usr/\\*\n"

    assert {b"/srv": (READ, 0), b"/opt/x": (READ, 0), b"/usr": (READ, 0)} == left(
        use("file read @PLACES", exceptions=exceptions)
    )


def test_moving_leaves_everything_where_anything_is_moved() -> None:
    found = moving("file rename /a/x /b/\\*", "file link /c/d/ /e", "file read /x", "file create /y/z 0600")

    rights = ENTRIES | ll.REFER
    assert dict.fromkeys((b"/a", b"/b", b"/c", b"/"), (0, rights)) == left(found)
    assert (rights, 0) == (found.files, found.network)


@pytest.mark.parametrize(
    ("line", "modes", "concerned"),
    [
        ("file read /x", {}, True),
        ("file rename /x /y", {}, True),
        ("network inet stream bind 0.0.0.0 80", {}, True),
        ("file getattr /x", {}, False),
        ("file read /x", {"file::open": Mode.LEARNING}, False),
    ],
)
def test_entries_that_make_a_difference(line: str, modes: dict[str, Mode], concerned: bool) -> None:
    policy = policy_of(line, modes=modes)
    domain = policy.domains[DOMAIN]

    assert concerned == bounds.concerns(policy, domain, domain.entries)
    assert not bounds.concerns(policy, domain, [])
