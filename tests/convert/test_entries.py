"""Every allow_ entry of each version, as one line of a table."""

import pytest
from tests.convert.support import scope

from sekisho.convert.dialect import Dialect
from sekisho.convert.entries import entry, written_names
from sekisho.convert.remark import LeftOut
from sekisho.policy.acl import parse_acl

V17, V22, V23 = Dialect.V17, Dialect.V22, Dialect.V23
ALL = (V17, V22, V23)
NUMBERED = (V17, V23)

TABLE = [
    (ALL, "allow_execute /bin/ls", "file execute /bin/ls"),
    (ALL, "allow_read /etc/passwd", "file read /etc/passwd"),
    (ALL, "allow_write /dev/null", "file write/append /dev/null"),
    (ALL, "allow_read/write /dev/null", "file read/write/append /dev/null"),
    (ALL, "allow_read @GROUP", "file read @GROUP"),
    (ALL, "4 /a", "file read /a"),
    (ALL, "2 /a", "file write/append /a"),
    (ALL, "6 /a", "file read/write/append /a"),
    (ALL, "1 /a", "file execute /a"),
    (ALL, "7 /a", "file execute/read/write/append /a"),
    (ALL, "5 /a", "file execute/read /a"),
    (ALL, "3 /a", "file execute/write/append /a"),
    (ALL, "allow_unlink /a", "file unlink /a"),
    (ALL, "allow_rmdir /a/", "file rmdir /a/"),
    (ALL, "allow_truncate /a", "file truncate /a"),
    (ALL, "allow_symlink /a", "file symlink /a"),
    (ALL, "allow_chroot /a/", "file chroot /a/"),
    (ALL, "allow_unmount /mnt/", "file unmount /mnt/"),
    (ALL, "allow_unmount /proc/", "file unmount proc:/"),
    (ALL, "allow_link /a /b", "file link /a /b"),
    (ALL, "allow_rename /a /b", "file rename /a /b"),
    (ALL, "allow_pivot_root /a/ /b/", "file pivot_root /a/ /b/"),
    (NUMBERED, "allow_create /a 0644", "file create /a 0644"),
    (NUMBERED, "allow_create /a @MODES", "file create /a @MODES"),
    (NUMBERED, "allow_mkdir /a/ 0755", "file mkdir /a/ 0755"),
    (NUMBERED, "allow_mkfifo /a 0600", "file mkfifo /a 0600"),
    (NUMBERED, "allow_mksock /a 0700", "file mksock /a 0700"),
    (NUMBERED, "allow_mkblock /dev/hdc 0640 22 0", "file mkblock /dev/hdc 0640 22 0"),
    (NUMBERED, "allow_mkchar /dev/null 0644 1 3", "file mkchar /dev/null 0644 1 3"),
    (NUMBERED, "allow_chmod /a 0644", "file chmod /a 0644"),
    (NUMBERED, "allow_chown /a 0", "file chown /a 0"),
    (NUMBERED, "allow_chgrp /a 92", "file chgrp /a 92"),
    (NUMBERED, "allow_ioctl /dev/null 10000-20000", "file ioctl /dev/null 10000-20000"),
    (NUMBERED, "allow_mount /dev/hdc /var/www/ ext3 0xF", "file mount /dev/hdc /var/www/ ext3 0xF"),
    (NUMBERED, "allow_mount any / --remount 0x0", "file mount any / --remount 0x0"),
    (NUMBERED, "allow_mount /proc /proc/ proc 0x0", "file mount /proc /proc/ proc 0x0"),
    (NUMBERED, "allow_mount usb /proc/bus/usb/ usbdevfs 0x0", "file mount usb proc:/bus/usb/ usbdevfs 0x0"),
    ((V22,), "allow_create /a", "file create /a 0-07777"),
    ((V22,), "allow_mkdir /a/", "file mkdir /a/ 0-07777"),
    ((V22,), "allow_mkfifo /a", "file mkfifo /a 0-07777"),
    ((V22,), "allow_mksock /a", "file mksock /a 0-07777"),
    ((V22,), "allow_mkblock /a", "file mkblock /a 0-07777 0-4294967295 0-4294967295"),
    ((V22,), "allow_mkchar /a", "file mkchar /a 0-07777 0-4294967295 0-4294967295"),
    ((V22,), "allow_chmod /a", "file chmod /a 0-07777"),
    ((V22,), "allow_chown /a", "file chown /a 0-4294967295"),
    ((V22,), "allow_chgrp /a", "file chgrp /a 0-4294967295"),
    ((V22,), "allow_ioctl /a", "file ioctl /a 0x0-0xFFFFFFFF"),
    ((V22,), "allow_mount /proc/", r"file mount @ANY_DEVICE /proc/ \* 0x0-0xFFFFFFFF"),
    ((V17,), "allow_env PATH", "misc env PATH"),
    ((V17,), "allow_network TCP bind 0.0.0.0 80", "network inet stream bind 0.0.0.0 80"),
    ((V17,), "allow_network TCP listen 0:0:0:0:0:0:0:0 80", "network inet stream listen 0:0:0:0:0:0:0:0 80"),
    ((V17,), "allow_network TCP accept @HOSTS 1024-65535", "network inet stream accept @HOSTS 1024-65535"),
    ((V17,), "allow_network TCP connect 10.0.0.1 80", "network inet stream connect 10.0.0.1 80"),
    ((V17,), "allow_network UDP bind 0.0.0.0 53", "network inet dgram bind 0.0.0.0 53"),
    ((V17,), "allow_network UDP connect 127.0.0.1 53", "network inet dgram send/recv 127.0.0.1 53"),
    ((V17,), "allow_network RAW bind 127.0.0.1 255", "network inet raw bind 127.0.0.1 255"),
    ((V17,), "allow_network RAW connect 10.0.0.1 1", "network inet raw send/recv 10.0.0.1 1"),
    ((V17,), "allow_signal 9 <kernel>", "ipc signal 9 <kernel>"),
    ((V17,), "allow_signal 15 <kernel> /proc/self/exe /bin/sh", "ipc signal 15 <kernel> proc:/self/exe /bin/sh"),
    ((V17,), "allow_capability SYS_TIME", "capability SYS_TIME"),
    ((V17,), "execute_handler /usr/sbin/check", "task auto_execute_handler /usr/sbin/check"),
    ((V17,), "denied_execute_handler /bin/true", "task denied_execute_handler /bin/true"),
    ((V17,), "allow_read /a if task.uid=0 path1.uid=0", "file read /a task.uid=0 path1.uid=0"),
    ((V17,), "allow_read/write /a if task.uid=0", "file read/write/append /a task.uid=0"),
    ((V17,), "allow_signal 9 <kernel> /a if task.uid=0", "ipc signal 9 <kernel> /a task.uid=0"),
    ((V17,), "allow_capability SYS_TIME if task.euid=0", "capability SYS_TIME task.euid=0"),
    ((V17,), "execute_handler /a if task.uid=0", "task auto_execute_handler /a task.uid=0"),
    ((V17,), "allow_read /a ; set audit=no", "file read /a grant_log=no"),
]


@pytest.mark.parametrize(
    ("dialect", "old", "today"),
    [(dialect, old, today) for dialects, old, today in TABLE for dialect in dialects],
    ids=lambda value: str(value).replace("/", "-"),
)
def test_what_an_entry_is_today(dialect, old, today):
    about = scope(dialect)

    assert entry(old.split(), about) == [today]
    assert parse_acl(today) is not None
    assert about.notes.said == []
    assert about.needs_any_device is ("@ANY_DEVICE" in today)


def test_other_processes_and_the_own_one_are_two_lines():
    assert entry(["allow_read", r"/proc/\$/stat"], scope(V23)) == [
        r"file read proc:/\$/stat",
        "file read proc:/self/stat",
    ]
    assert len(entry(["allow_link", r"/proc/\$/a", r"/proc/\$/b"], scope(V23))) == 4
    assert entry(["allow_read", r"/proc/\$/stat"], scope(V17)) == [r"file read proc:/\$/stat"]


CHANGED = [
    (V23, "allow_create /a", ["file create /a 0-07777"], "all are allowed"),
    (
        V23,
        "allow_ioctl socket:[family=2:type=2:protocol=17] 0x8915",
        [r"file ioctl socket:[\$] 0x8915"],
        "every socket",
    ),
    (V17, "allow_transit //cgi", ["task manual_domain_transition <kernel> /a //cgi"], "self_domain"),
    (V17, "allow_read /a ; set task.state[0]=1", ["file read /a"], "state variables"),
    (V23, r"allow_read /\*/a", [r"file read /\*/a"], "doesn't cover"),
]


@pytest.mark.parametrize(("dialect", "old", "today", "reason"), CHANGED)
def test_what_is_not_quite_the_same(dialect, old, today, reason):
    about = scope(dialect)

    assert entry(old.split(), about) == today
    assert [(fate, reason in why) for fate, why in about.notes.said] == [("changed", True)]


REFUSED = [
    ("allow_fly /a", "nothing that TOMOYO 1.7 knows"),
    ("file read /a", "nothing that TOMOYO 1.7 knows"),
    ("0 /a", "nothing that TOMOYO 1.7 knows"),
    ("12 /a", "nothing that TOMOYO 1.7 knows"),
    ("if task.uid=0", "there is no entry"),
    ("allow_read /a if task.state[0]=1", "state variables"),
    ("allow_network SCTP bind 10.0.0.1 1", "'SCTP bind'"),
    ("allow_network", "''"),
    ("allow_signal 9", "a number and a domainname"),
    ("allow_capability SYS_KILL", "ipc signal governs"),
    ("allow_argv0 /bin/sh -sh", "a condition today"),
    ("allow_argv0", "a condition today"),
    ("allow_mount", "a device"),
    ("allow_rewrite", "takes one name"),
]


@pytest.mark.parametrize(("old", "reason"), REFUSED)
def test_what_cannot_be_said_today(old, reason):
    with pytest.raises(LeftOut, match=reason.replace("(", r"\(")):
        entry(old.split(), scope(V17))


MISSING = ["allow_read", "allow_write", "6", "allow_link /a", "allow_create", "allow_truncate", "allow_env"]


@pytest.mark.parametrize("old", MISSING)
def test_what_has_no_operands_is_left_to_the_parser(old):
    from sekisho.errors import PolicyError

    for line in entry(old.split(), scope(V17)):
        with pytest.raises(PolicyError):
            parse_acl(line)


DENIED = [r"/var/log/\*"]
OVERWRITING = [
    # entry, allow_writes, allow_rewrites of the domain, today
    ("allow_write /tmp/a", (), (), ["file write/append /tmp/a"]),
    ("allow_write /var/log/a", (), (), ["file append /var/log/a"]),
    ("allow_read/write /var/log/a", (), (), ["file read/append /var/log/a"]),
    ("6 /var/log/a", (), (), ["file read/append /var/log/a"]),
    ("allow_write /var/log/a", (), ("/var/log/a",), ["file write/append /var/log/a"]),
    ("allow_write /var/log/a", (), (r"/var/log/\*",), ["file write/append /var/log/a"]),
    (r"allow_write /var/log/\*", (), (r"/var/log/\*",), [r"file write/append /var/log/\*"]),
    (r"allow_write /var/log/\*.log", (), (r"/var/log/\*",), [r"file append /var/log/\*.log"]),
    (r"allow_write /var/log/\*", (), ("/var/log/a",), [r"file append /var/log/\*"]),
    ("allow_rewrite /var/log/a", (r"/var/log/\*",), ("/var/log/a",), ["file write /var/log/a"]),
    ("allow_rewrite /var/log/a", ("/var/log/a",), ("/var/log/a",), []),
    (r"allow_rewrite /var/log/\*", ("/var/log/a",), (r"/var/log/\*",), []),
    ("allow_rewrite /tmp/a", ("/tmp/a",), ("/tmp/a",), []),
    ("allow_rewrite /var/log/a", (), ("/var/log/a",), None),
    (r"allow_rewrite /var/log/\*", (r"/var/log/\*.log",), (r"/var/log/\*",), None),
    ("allow_truncate /var/log/a", (), (), None),
    ("allow_truncate /var/log/a", (), ("/var/log/a",), ["file truncate /var/log/a"]),
    ("allow_truncate /tmp/a", (), (), ["file truncate /tmp/a"]),
]


@pytest.mark.parametrize(("old", "writes", "rewrites", "today"), OVERWRITING)
def test_overwriting_is_granted_where_it_was(old, writes, rewrites, today):
    about = scope(V23, denied=DENIED, writes=writes, rewrites=rewrites)
    if today is None:
        with pytest.raises(LeftOut):
            entry(old.split(), about)
        return

    assert entry(old.split(), about) == today
    is_less = any("append" in line and "write" not in line for line in today)
    fates = [fate for fate, _ in about.notes.said]
    assert fates == ["changed"] * is_less + ["left out"] * (old == "allow_rewrite /tmp/a")


@pytest.mark.parametrize(
    ("old", "names"),
    [
        ("allow_write /a", (["/a"], [])),
        ("allow_read/write /a", (["/a"], [])),
        ("6 /a", (["/a"], [])),
        ("4 /a", ([], [])),
        ("allow_read /a", ([], [])),
        ("allow_rewrite /a", ([], ["/a"])),
        ("allow_write", ([], [])),
    ],
)
def test_names_that_may_be_written(old, names):
    assert written_names(old.split()) == names
