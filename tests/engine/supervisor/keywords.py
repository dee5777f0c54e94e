"""Every ACL keyword and every system call that can ask for it: what the tests of keywords run.

``d`` is a directory of the row's own, in which what ``populate`` makes stands; ``{d}`` is its name in
policy. ``number`` is one that no other row has, and small enough for a protocol.
A line that begins with ``{d}/prog: `` belongs to the domain that the row's program enters.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One operation, as code for the asker, and the policy that it needs, in the order in which it is asked for."""

    name: str
    code: str
    lines: tuple[str, ...]
    optional: bool = False
    """The kernel may not have it: ENOSYS is an answer, then."""
    parts: tuple[str, ...] = ("allow", "deny", "permit")
    """What is tried; a line without a name of its own can't be there and be lacking in one policy."""

    @property
    def keywords(self) -> set[str]:
        """The ACL keywords that the row shows."""
        return {keyword(line) for line in self.lines}


def keyword(line: str) -> str:
    """The keyword that a line begins with."""
    words = line.split(": ")[-1].split(" ")
    return " ".join(words[: 4 if words[0] == "network" else 2])


def populate(d: Path, program: bytes) -> None:
    """What every row finds in its directory."""
    for name in ("f", "g"):
        (d / name).write_text("hello")
        (d / name).chmod(0o644)
    (d / "dir").mkdir()
    (d / "empty").mkdir()
    (d / "link").symlink_to("f")
    (d / "dangling").symlink_to("new")
    (d / "prog").write_bytes(program)
    (d / "prog").chmod(0o755)
    (d / "script").write_text(f"#!{d}/prog\n")
    (d / "script").chmod(0o755)


def _row(name: str, code: str, *lines: str, optional: bool = False, parts: str = "allow deny permit") -> Row:
    return Row(name, code, lines, optional, tuple(parts.split()))


READ, WRITE, APPEND = "file read {d}/f", "file write {d}/f", "file append {d}/f"
FILES = [
    _row("open", "call('open', d + b'/f', 0)", READ),
    _row("openat", "call('openat', AT, b'f', os.O_RDONLY)", READ),
    _row("openat dirfd", "call('openat', os.open(d, os.O_PATH), b'f', os.O_RDONLY)", READ),
    _row("openat2", "call('openat2', AT, d + b'/f', how(os.O_RDONLY), 24)", READ),
    _row("openat2 beneath", "call('openat2', os.open(d, os.O_PATH), b'f', how(0, resolve=8), 24)", READ),
    _row("open link", "call('openat', AT, b'link', os.O_RDONLY)", READ),
    _row("open directory", "call('openat', AT, b'dir', os.O_RDONLY | os.O_DIRECTORY)", "file read {d}/dir/"),
    _row("open write", "call('openat', AT, b'f', os.O_WRONLY)", WRITE),
    _row("open append", "call('openat', AT, b'f', os.O_WRONLY | os.O_APPEND)", APPEND),
    _row("open both", "call('openat', AT, b'f', os.O_RDWR)", READ, WRITE),
    _row("open both append", "call('openat', AT, b'f', os.O_RDWR | os.O_APPEND)", READ, APPEND),
    _row("open truncate", "call('openat', AT, b'f', os.O_WRONLY | os.O_TRUNC)", WRITE, "file truncate {d}/f"),
    _row(
        "open create",
        "call('openat', AT, b'new', os.O_WRONLY | os.O_CREAT, 0o640)",
        "file create {d}/new 0640",
        "file write {d}/new",
    ),
    _row(
        "open exclusive",
        "call('openat', AT, b'new', os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600)",
        "file create {d}/new 0600",
        "file read {d}/new",
    ),
    _row(
        "openat2 create",
        "call('openat2', AT, b'new', how(os.O_WRONLY | os.O_CREAT, 0o604), 24)",
        "file create {d}/new 0604",
        "file write {d}/new",
    ),
    _row(
        "open dangling",
        "call('openat', AT, b'dangling', os.O_WRONLY | os.O_CREAT, 0o600)",
        "file create {d}/new 0600",
        "file write {d}/new",
    ),
    _row("creat", "call('creat', b'new', 0o644)", "file create {d}/new 0644", "file write {d}/new"),
    _row("creat existing", "call('creat', b'f', 0o644)", WRITE, "file truncate {d}/f"),
    _row("set append", "fd = os.open(b'f', os.O_WRONLY); call('fcntl', fd, 4, os.O_APPEND)", WRITE, APPEND),
    _row("clear append", "fd = os.open(b'f', os.O_WRONLY | os.O_APPEND); call('fcntl', fd, 4, 0)", APPEND, WRITE),
    _row("stat", "call('stat', b'link', room())", "file getattr {d}/f"),
    _row("lstat", "call('lstat', b'link', room())", "file getattr {d}/link"),
    _row("fstat", "call('fstat', os.open(b'f', os.O_PATH), room())", "file getattr {d}/f"),
    _row("newfstatat", "call('newfstatat', AT, b'link', room(), NOFOLLOW)", "file getattr {d}/link"),
    _row("newfstatat empty", "call('newfstatat', os.open(b'f', os.O_PATH), b'', room(), EMPTY)", "file getattr {d}/f"),
    _row("statx", "call('statx', AT, b'f', 0, 0xfff, room())", "file getattr {d}/f"),
    _row("stat directory", "call('newfstatat', AT, b'dir', room(), 0)", "file getattr {d}/dir/"),
    _row("unlink", "call('unlink', b'f')", "file unlink {d}/f"),
    _row("unlink link", "call('unlink', b'link')", "file unlink {d}/link"),
    _row("unlinkat", "call('unlinkat', AT, b'f', 0)", "file unlink {d}/f"),
    _row("rmdir", "call('rmdir', b'empty')", "file rmdir {d}/empty/"),
    _row("unlinkat directory", "call('unlinkat', AT, b'empty/', REMOVEDIR)", "file rmdir {d}/empty/"),
    _row("mkdir", "call('mkdir', b'made', 0o750)", "file mkdir {d}/made/ 0750"),
    _row("mkdirat", "call('mkdirat', AT, b'made/', 0o1777)", "file mkdir {d}/made/ 01777"),
    _row("mknod file", "call('mknod', b'new', 0o100600, 0)", "file create {d}/new 0600"),
    _row("mknodat file", "call('mknodat', AT, b'new', 0o600, 0)", "file create {d}/new 0600"),
    _row("mknod fifo", "call('mknod', b'new', 0o010620, 0)", "file mkfifo {d}/new 0620"),
    _row("mknodat fifo", "call('mknodat', AT, b'new', 0o010600, 0)", "file mkfifo {d}/new 0600"),
    _row("mknod socket", "call('mknod', b'new', 0o140600, 0)", "file mksock {d}/new 0600"),
    _row("mknodat socket", "call('mknodat', AT, b'new', 0o140600, 0)", "file mksock {d}/new 0600"),
    _row("symlink", "call('symlink', b'to/f', b'new')", 'file symlink {d}/new symlink.target="to/f"'),
    _row("symlinkat", "call('symlinkat', b'/', AT, b'new')", 'file symlink {d}/new symlink.target="/"'),
    _row("link", "call('link', b'f', b'new')", "file link {d}/f {d}/new"),
    _row("linkat", "call('linkat', AT, b'f', AT, b'new', 0)", "file link {d}/f {d}/new"),
    _row("linkat follow", "call('linkat', AT, b'link', AT, b'new', FOLLOW)", "file link {d}/f {d}/new"),
    _row("linkat link", "call('linkat', AT, b'link', AT, b'new', 0)", "file link {d}/link {d}/new"),
    _row("rename", "call('rename', b'f', b'new')", "file rename {d}/f {d}/new"),
    _row("rename directory", "call('rename', b'dir', b'new')", "file rename {d}/dir/ {d}/new/"),
    _row("renameat", "call('renameat', AT, b'f', AT, b'g')", "file rename {d}/f {d}/g"),
    _row("renameat2", "call('renameat2', AT, b'f', AT, b'new', 1)", "file rename {d}/f {d}/new"),
    _row(
        "exchange",
        "call('renameat2', AT, b'f', AT, b'dir', 2)",
        "file rename {d}/dir/ {d}/f/",
        "file rename {d}/f {d}/dir/",
    ),
    _row("chmod", "call('chmod', b'link', 0o600)", "file chmod {d}/f 0600"),
    _row("fchmod", "call('fchmod', os.open(b'f', os.O_RDONLY), 0o4755)", READ, "file chmod {d}/f 04755"),
    _row("fchmodat", "call('fchmodat', AT, b'dir', 0o700)", "file chmod {d}/dir/ 0700"),
    _row("fchmodat2", "call('fchmodat2', AT, b'f', 0o600, NOFOLLOW)", "file chmod {d}/f 0600", optional=True),
    _row("chown", "call('chown', b'link', UID, -1)", "file chown {d}/f {uid}"),
    _row("lchown", "call('lchown', b'link', -1, GID)", "file chgrp {d}/link {gid}"),
    _row(
        "fchown",
        "call('fchown', os.open(b'f', os.O_RDONLY), UID, GID)",
        READ,
        "file chown {d}/f {uid}",
        "file chgrp {d}/f {gid}",
    ),
    _row(
        "fchownat",
        "call('fchownat', AT, b'dir', UID, GID, 0)",
        "file chown {d}/dir/ {uid}",
        "file chgrp {d}/dir/ {gid}",
    ),
    _row("truncate", "call('truncate', b'f', 2)", "file truncate {d}/f"),
    _row("ftruncate", "call('ftruncate', os.open(b'f', os.O_WRONLY), 2)", WRITE, "file truncate {d}/f"),
    _row("ioctl", "call('ioctl', os.open(b'f', os.O_RDONLY), 0x541B, room())", READ, "file ioctl {d}/f 0x541B"),
]

_EXECUTED = ('file execute {d}/prog exec.realpath="{d}/prog" exec.argv[0]="x"', "{d}/prog: misc env A")
_SCRIPT = (
    'file execute {d}/script exec.realpath="{d}/script" exec.argv[0]="x"',
    "{d}/script: misc env A",
    "{d}/script: file read {d}/prog",
)
PROGRAMS = [
    _row("execve", "execute('execve', b'prog', vector(b'x'), vector(b'A=1'))", *_EXECUTED),
    _row("execveat", "execute('execveat', AT, d + b'/prog', vector(b'x'), vector(b'A=1'), 0)", *_EXECUTED),
    _row(
        "execveat dirfd",
        "execute('execveat', os.open(d, os.O_PATH), b'prog', vector(b'x'), vector(b'A=1'), 0)",
        *_EXECUTED,
    ),
    _row("execve script", "execute('execve', d + b'/script', vector(b'x'), vector(b'A=1'))", *_SCRIPT),
    _row(
        "environment",
        "execute('execve', b'prog', vector(b'x'), vector(b'A=1', b'B', b'C='))",
        *_EXECUTED,
        "{d}/prog: misc env B",
        "{d}/prog: misc env C",
    ),
]

_STREAM, _DGRAM, _SEQ = "sock(UNIX, STREAM)", "sock(UNIX, DGRAM)", "sock(UNIX, SEQPACKET)"
_WORD = "\\000{d}"


def _accepts() -> list[Row]:
    """A server and its client: the address of either says who it is."""
    opened = (
        "s = sock({family}, {kind} | NONBLOCK); a = {server}; call('bind', s, a, len(a)); call('listen', s, 1); "
        "c = sock({family}, {kind}); b = {client}; call('bind', c, b, len(b)); call('connect', c, a, len(a)); "
    )
    inet = opened.format(family="INET", kind="STREAM", server="inet(port)", client="inet(port, '127.0.0.2')")
    lines = [
        f"network inet stream {word} {{port}}" for word in ("bind 127.0.0.1", "listen 127.0.0.1", "bind 127.0.0.2")
    ]
    lines += [f"network inet stream {word} {{port}}" for word in ("connect 127.0.0.1", "accept 127.0.0.2")]
    rows = [
        _row("inet accept", inet + "call('accept', s, room(), buffer(bytes(4)))", *lines),
        _row("inet accept4", inet + "call('accept4', s, None, None, 0o2000000)", *lines),
    ]
    for word, kind in (("unix", "STREAM"), ("seqpacket", "SEQPACKET")):
        code = opened.format(family="UNIX", kind=kind, server="abstract(d)", client="abstract(d + b'/client')")
        verbs = ("bind {}", "listen {}", "bind {}/client", "connect {}", "accept {}/client")
        type_word = kind.lower()
        named = [f"network unix {type_word} {verb.format(_WORD)}" for verb in verbs]
        rows.append(_row(f"{word} accept", code + "call('accept4', s, None, None, 0)", *named))
    return rows


def _receives() -> list[Row]:
    """A socket that has sent itself a datagram."""
    ways = {
        "recvfrom": "call('recvfrom', s, room(), 9, DONTWAIT, room(), buffer(bytes(4)))",
        "recvmsg": "call('recvmsg', s, buffer(message(room())), DONTWAIT)",
        "recvmmsg": "call('recvmmsg', s, buffer(message(room()) + bytes(8)), 1, DONTWAIT, None)",
    }
    sent = "call('bind', s, a, len(a)); call('sendto', s, b'x', 1, 0, a, len(a)); "
    rows = []
    for name, way in ways.items():
        for word, family, address, shown in (
            ("dgram", "INET", "inet(port)", "inet dgram {} 127.0.0.1 {{port}}"),
            ("dgram6", "INET6", "inet6(port)", "inet dgram {} ::1 {{port}}"),
            ("dgram unix", "UNIX", "abstract(d)", f"unix dgram {{}} {_WORD.replace('{d}', '{{d}}')}"),
        ):
            lines = [f"network {shown}".format(verb) for verb in ("bind", "send", "recv")]
            rows.append(_row(f"{word} {name}", f"a = {address}; s = sock({family}, DGRAM); {sent}{way}", *lines))
    return rows


SOCKETS = [
    _row(
        "inet bind",
        "a = inet(port); call('bind', sock(INET, STREAM), a, len(a))",
        "network inet stream bind 127.0.0.1 {port}",
    ),
    _row(
        "inet6 bind",
        "a = inet6(port); call('bind', sock(INET6, STREAM), a, len(a))",
        "network inet stream bind ::1 {port}",
    ),
    _row(
        "inet listen",
        "a = inet(port); s = sock(INET, STREAM); call('bind', s, a, len(a)); call('listen', s, 1)",
        "network inet stream bind 127.0.0.1 {port}",
        "network inet stream listen 127.0.0.1 {port}",
    ),
    _row(
        "inet connect",
        "a = inet(port); call('connect', sock(INET, STREAM), a, len(a))",
        "network inet stream connect 127.0.0.1 {port}",
    ),
    _row(
        "dgram bind",
        "a = inet(port); call('bind', sock(INET, DGRAM), a, len(a))",
        "network inet dgram bind 127.0.0.1 {port}",
    ),
    _row(
        "dgram connect",
        "a = inet(port); call('connect', sock(INET, DGRAM), a, len(a))",
        "network inet dgram send 127.0.0.1 {port}",
    ),
    _row(
        "dgram sendto",
        "a = inet(port); call('sendto', sock(INET, DGRAM), b'x', 1, 0, a, len(a))",
        "network inet dgram send 127.0.0.1 {port}",
    ),
    _row(
        "dgram6 sendto",
        "a = inet6(port); call('sendto', sock(INET6, DGRAM), b'x', 1, 0, a, len(a))",
        "network inet dgram send ::1 {port}",
    ),
    _row(
        "dgram sendmsg",
        "call('sendmsg', sock(INET, DGRAM), buffer(message(inet(port))), 0)",
        "network inet dgram send 127.0.0.1 {port}",
    ),
    _row(
        "dgram sendmmsg",
        "call('sendmmsg', sock(INET, DGRAM), buffer((message(inet(port)) + bytes(8)) * 2), 2, 0)",
        "network inet dgram send 127.0.0.1 {port}",
    ),
    _row("unix bind", f"a = abstract(d); call('bind', {_STREAM}, a, len(a))", f"network unix stream bind {_WORD}"),
    _row(
        "unix bind path",
        f"a = unix(d + b'/s'); call('bind', {_STREAM}, a, len(a))",
        "network unix stream bind {d}/s",
        "file mksock {d}/s 0777",
    ),
    _row(
        "unix bind relative",
        f"a = unix(b's%d' % number); call('bind', {_DGRAM}, a, len(a))",
        "network unix dgram bind s{number}",
        "file mksock {d}/s{number} 0777",
    ),
    _row(
        "unix bind anonymous",
        f"call('bind', {_STREAM}, buffer(b'\\1\\0'), 2)",
        "network unix stream bind anonymous",
        parts="deny permit",
    ),
    _row(
        "dgram bind anonymous",
        f"call('bind', {_DGRAM}, buffer(b'\\1\\0'), 2)",
        "network unix dgram bind anonymous",
        parts="allow",
    ),
    _row(
        "unix listen",
        f"a = abstract(d); s = {_STREAM}; call('bind', s, a, len(a)); call('listen', s, 1)",
        f"network unix stream bind {_WORD}",
        f"network unix stream listen {_WORD}",
    ),
    _row(
        "unix connect",
        f"a = unix(d + b'/stream'); call('connect', {_STREAM}, a, len(a))",
        "network unix stream connect {d}/stream",
    ),
    _row("dgram unix bind", f"a = abstract(d); call('bind', {_DGRAM}, a, len(a))", f"network unix dgram bind {_WORD}"),
    _row(
        "dgram unix connect",
        f"os.rename(b'dgram', b'd%d' % number); a = unix(b'd%d' % number); call('connect', {_DGRAM}, a, len(a))",
        "file rename {d}/dgram {d}/d{number}",
        "network unix dgram send d{number}",
    ),
    _row(
        "dgram unix sendto",
        f"a = unix(d + b'/dgram'); call('sendto', {_DGRAM}, b'x', 1, 0, a, len(a))",
        "network unix dgram send {d}/dgram",
    ),
    _row(
        "dgram unix sendmsg",
        f"call('sendmsg', {_DGRAM}, buffer(message(unix(d + b'/dgram'))), 0)",
        "network unix dgram send {d}/dgram",
    ),
    _row(
        "dgram unix sendmmsg",
        f"call('sendmmsg', {_DGRAM}, buffer(message(unix(d + b'/dgram')) + bytes(8)), 1, 0)",
        "network unix dgram send {d}/dgram",
    ),
    _row("seqpacket bind", f"a = abstract(d); call('bind', {_SEQ}, a, len(a))", f"network unix seqpacket bind {_WORD}"),
    _row(
        "seqpacket listen",
        f"a = abstract(d); s = {_SEQ}; call('bind', s, a, len(a)); call('listen', s, 1)",
        f"network unix seqpacket bind {_WORD}",
        f"network unix seqpacket listen {_WORD}",
    ),
    _row(
        "seqpacket connect",
        f"a = unix(d + b'/seqpacket'); call('connect', {_SEQ}, a, len(a))",
        "network unix seqpacket connect {d}/seqpacket",
    ),
    *_accepts(),
    *_receives(),
]

ORDINARY = FILES + PROGRAMS + SOCKETS

_RAW = "sock(INET, RAW, number)"
_MOUNT = "call('mount', b'none', d + b'/dir', b'tmpfs', {flags}, b'size=4k')"
_MOUNTED = "file mount none {d}/dir/ tmpfs 0x0"
_TREE = "tree = call('open_tree', AT, b'dir', 1); "
_CLONED = "file mount {d}/dir/ {d}/dir/ --bind 0x0"
PRIVILEGED = [
    _row("mknod block", "call('mknod', b'new', 0o060600, os.makedev(7, 300))", "file mkblock {d}/new 0600 7 300"),
    _row("mknodat block", "call('mknodat', AT, b'new', 0o060600, os.makedev(7, 1))", "file mkblock {d}/new 0600 7 1"),
    _row("mknod char", "call('mknod', b'new', 0o020666, os.makedev(1, 3))", "file mkchar {d}/new 0666 1 3"),
    _row("mknodat char", "call('mknodat', AT, b'new', 0o020666, os.makedev(1, 3))", "file mkchar {d}/new 0666 1 3"),
    _row("chown other", "call('chown', b'f', 65534, 65533)", "file chown {d}/f 65534", "file chgrp {d}/f 65533"),
    _row("chroot", "inside(\"call('chroot', b'dir')\", locals())", "file chroot {d}/dir/"),
    _row(
        "chroot used",
        "inside(\"call('chroot', b'.'); call('newfstatat', AT, b'/f', room(), 0)\", locals())",
        "file chroot {d}/",
        "file getattr {d}/f",
    ),
    _row("mount", _MOUNT.format(flags=0), _MOUNTED),
    _row("mount flags", _MOUNT.format(flags="0xC0ED0000 | 6"), "file mount none {d}/dir/ tmpfs 0x6"),
    _row(
        "mount bind",
        "call('mount', b'dir', b'empty', None, 0x1000 | 0x4000, None)",
        "file mount {d}/dir/ {d}/empty/ --bind 0x4000",
    ),
    _row(
        "mount remount",
        _MOUNT.format(flags=0) + "; call('mount', None, b'dir', None, 0x20 | 1, None)",
        _MOUNTED,
        "file mount <NULL> {d}/dir/ --remount 0x1",
    ),
    _row(
        "mount private",
        _MOUNT.format(flags=0) + "; call('mount', None, b'dir', None, 1 << 18, None)",
        _MOUNTED,
        "file mount <NULL> {d}/dir/ --make-private 0x0",
    ),
    _row(
        "mount shared",
        _MOUNT.format(flags=0) + "; call('mount', b'x', b'dir', None, 1 << 20, None)",
        _MOUNTED,
        "file mount x {d}/dir/ --make-shared 0x0",
    ),
    _row(
        "mount slave",
        _MOUNT.format(flags=0) + "; call('mount', b'x', b'dir', None, 1 << 19, None)",
        _MOUNTED,
        "file mount x {d}/dir/ --make-slave 0x0",
    ),
    _row(
        "mount unbindable",
        _MOUNT.format(flags=0) + "; call('mount', b'x', b'dir', None, 1 << 17, None)",
        _MOUNTED,
        "file mount x {d}/dir/ --make-unbindable 0x0",
    ),
    _row(
        "mount move",
        _MOUNT.format(flags=0) + "; call('mount', b'dir', b'empty', None, 0x2000, None)",
        _MOUNTED,
        "file mount {d}/dir/ {d}/empty/ --move 0x0",
    ),
    _row("umount", _MOUNT.format(flags=0) + "; call('umount2', b'dir', 2)", _MOUNTED, "file unmount {d}/dir/"),
    _row(
        "pivot_root",
        "inside(\"call('unshare', 0x20000); "
        + _MOUNT.format(flags=0)
        + "; os.mkdir('dir/old', 0o755); call('pivot_root', b'dir', b'dir/old')\", locals())",
        _MOUNTED,
        "file mkdir {d}/dir/old/ 0755",
        "file pivot_root {d}/dir/ {d}/dir/old/",
    ),
    _row("open_tree", "call('open_tree', AT, b'dir', 1)", _CLONED, parts="deny permit"),
    _row(
        "move_mount attached",
        _MOUNT.format(flags=0) + "; call('move_mount', AT, b'dir', AT, b'empty', 0)",
        _MOUNTED,
        "file mount {d}/dir/ {d}/empty/ --move 0x0",
    ),
    _row(
        "move_mount",
        _TREE + "call('move_mount', tree, b'', AT, b'empty', 4)",
        _CLONED,
        "file mount none {d}/empty/ {TREE} 0x0",
        parts="permit",
    ),
    _row(
        "mount_setattr",
        _MOUNT.format(flags=0) + "; call('mount_setattr', AT, b'dir', 0, buffer(struct.pack('QQQQ', 1, 0, 0, 0)), 32)",
        _MOUNTED,
        "file mount none {d}/dir/ --remount 0x201001",
    ),
    _row(
        "fspick",
        _MOUNT.format(flags=0) + "; call('fspick', AT, b'dir', 0)",
        _MOUNTED,
        "file mount none {d}/dir/ --remount 0x0",
        parts="deny permit",
    ),
    _row("raw bind", f"a = inet(0); call('bind', {_RAW}, a, len(a))", "network inet raw bind 127.0.0.1 {number}"),
    _row("raw connect", f"a = inet(0); call('connect', {_RAW}, a, len(a))", "network inet raw send 127.0.0.1 {number}"),
    _row(
        "raw sendto",
        f"a = inet(0); call('sendto', {_RAW}, b'x', 1, 0, a, len(a))",
        "network inet raw send 127.0.0.1 {number}",
    ),
    _row(
        "raw sendmsg",
        f"call('sendmsg', {_RAW}, buffer(message(inet(0))), 0)",
        "network inet raw send 127.0.0.1 {number}",
    ),
    _row(
        "raw sendmmsg",
        f"call('sendmmsg', {_RAW}, buffer(message(inet(0)) + bytes(8)), 1, 0)",
        "network inet raw send 127.0.0.1 {number}",
    ),
    *(
        _row(
            f"raw {name}",
            f"a = inet(0); s = {_RAW}; call('sendto', s, b'x', 1, 0, a, len(a)); " + way,
            "network inet raw send 127.0.0.1 {number}",
            "network inet raw recv 127.0.0.1 {number}",
        )
        for name, way in (
            ("recvfrom", "call('recvfrom', s, room(), 99, DONTWAIT, room(), buffer(bytes(4)))"),
            ("recvmsg", "call('recvmsg', s, buffer(message(room())), DONTWAIT)"),
        )
    ),
]
