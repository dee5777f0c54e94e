"""Names that were written in another way."""

import pytest
from tests.convert.support import Noted

from sekisho.convert import names
from sekisho.convert.dialect import Dialect

BY_MOUNT_POINT = [
    ("/proc/meminfo", ["proc:/meminfo"]),
    ("/proc/", ["proc:/"]),
    ("/proc", ["/proc"]),
    ("/procx/a", ["/procx/a"]),
    ("/proc/1/status", ["proc:/1/status"]),
    ("/proc/self/status", ["proc:/self/status"]),
    (r"/proc/\$/status", [r"proc:/\$/status", "proc:/self/status"]),
    (r"/proc/\$/", [r"proc:/\$/", "proc:/self/"]),
    (r"/proc/1\+/fd/\$", [r"proc:/1\+/fd/\$", r"proc:/self/fd/\$"]),
    (r"/proc/\*/status", [r"proc:/\*/status"]),
    (r"/proc/\$", [r"proc:/\$", "proc:/self"]),
    ("/sys/kernel/security/tomoyo/profile", ["securityfs:/tomoyo/profile"]),
    ("/sys/kernel/debug/x", ["debugfs:/x"]),
    (r"/dev/pts/\$", [r"devpts:/\$"]),
    ("/sys/class/net/", ["/sys/class/net/"]),
    (r"pipe:[\$]", [r"pipe:[\$]"]),
    ("@GROUP", ["@GROUP"]),
    ("/etc/passwd", ["/etc/passwd"]),
]


@pytest.mark.parametrize(("old", "today"), BY_MOUNT_POINT)
def test_names_below_a_mount_point(old, today):
    notes = Noted()

    assert names.names(old, Dialect.V23, notes) == today
    assert names.name(old, Dialect.V23, notes) == today[0]
    assert names.names(old, Dialect.V17, notes) == today[:1]
    assert names.names(old, Dialect.V25, notes) == [old]
    assert notes.said == []


@pytest.mark.parametrize("dialect", [Dialect.V17, Dialect.V18, Dialect.V22, Dialect.V25])
def test_names_of_sockets(dialect):
    notes = Noted()

    assert names.names("socket:[family=2:type=2:protocol=17]", dialect, notes) == [r"socket:[\$]"]
    assert names.names("sysfs:/class/net/", dialect, notes) == ["/sys/class/net/"]
    assert notes.said == [
        ("changed", "sockets are named socket:[NUMBER] today, so the line covers every socket"),
    ]


@pytest.mark.parametrize("pattern", [r"/\*/x", r"/\{\*\}/x", r"/\*\-sys/a", r"/\@"])
def test_a_pattern_that_covered_proc(pattern):
    notes = Noted()

    assert names.names(pattern, Dialect.V23, notes) == [pattern]
    assert [fate for fate, _ in notes.said] == ["changed"]


@pytest.mark.parametrize(
    "pattern", [r"/\*\-proc/x", r"/\$/x", r"/\A\-\@/x", r"/\{\*\-proc\}/", r"/pro\?/x", "/", r"/\q"]
)
def test_a_pattern_that_never_did(pattern):
    notes = Noted()

    assert names.names(pattern, Dialect.V23, notes) == [pattern]
    assert notes.said == []


def test_a_mount_point_is_named_before_it_is_one():
    notes = Noted()

    assert names.mount_point("/proc/", Dialect.V23, notes) == ["/proc/"]
    assert names.mount_point("/proc/bus/usb/", Dialect.V23, notes) == ["proc:/bus/usb/"]


def test_domains_and_whole_lines():
    notes = Noted()

    assert names.domain(["<kernel>", "/proc/self/exe", "/bin/sh"], Dialect.V17, notes) == (
        "<kernel> proc:/self/exe /bin/sh"
    )
    assert names.words("file  read sysfs:/x", Dialect.V24, notes) == "file read /sys/x"
    assert names.words("file  read sysfs:/x", Dialect.TODAY, notes) == "file  read sysfs:/x"
    assert names.words("file  read /x", Dialect.V24, notes) == "file  read /x"
