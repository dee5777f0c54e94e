"""mount(2), umount2(2), pivot_root(2), and the new mount API as ``file mount`` (spec c.1)."""

from __future__ import annotations

import errno
import os
import struct
from stat import S_ISBLK, S_ISDIR
from typing import Final

from sekisho.decide.request import Request
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls.entries import root_changes
from sekisho.engine.supervisor.plan import PROCEED, Answer, CallFacts, Object, Plan
from sekisho.engine.supervisor.system import libc

_MAGIC_VALUE, _MAGIC_MASK = 0xC0ED0000, 0xFFFF0000
_REMOUNT, _BIND, _MOVE = 0x20, 0x1000, 0x2000
_SHARED, _PRIVATE, _SLAVE, _UNBINDABLE = 1 << 20, 1 << 18, 1 << 19, 1 << 17
_PRIORITY: Final = (
    (_REMOUNT, "--remount"),
    (_BIND, "--bind"),
    (_SHARED, "--make-shared"),
    (_PRIVATE, "--make-private"),
    (_SLAVE, "--make-slave"),
    (_UNBINDABLE, "--make-unbindable"),
    (_MOVE, "--move"),
)
_PROPAGATION: Final = _SHARED | _PRIVATE | _SLAVE | _UNBINDABLE
_PAGE: Final = 4096
_UMOUNT_NOFOLLOW: Final = 8
_OPEN_TREE_CLONE: Final = 1
_ATTRIBUTES: Final = struct.Struct("QQQQ")
"""``struct mount_attr``."""
_AT_RECURSIVE: Final = 0x8000
_REC, _NOATIME, _RELATIME = 0x4000, 0x400, 0x200000
_ATIME: Final = 0x70
_ATTRIBUTE_FLAGS: Final = {0x1: 0x1, 0x2: 0x2, 0x4: 0x4, 0x8: 0x8, 0x80: 0x800, 0x200000: 0x100}
"""mount_setattr(2)'s attributes and mount(2)'s flags of the same meaning."""
_TYPES: Final = {
    0x01021994: "tmpfs",
    0x9FA0: "proc",
    0x62656572: "sysfs",
    0xEF53: "ext4",
    0x794C7630: "overlay",
    0x63677270: "cgroup2",
    0x27E0EB: "cgroup",
    0x1CD1: "devpts",
    0x19800202: "mqueue",
    0x58465342: "xfs",
    0x9123683E: "btrfs",
    0x4D44: "vfat",
    0x858458F6: "ramfs",
    0xCAFE4A11: "bpf",
    0x64626720: "debugfs",
    0x74726163: "tracefs",
    0x73717368: "squashfs",
    0x65735546: "fuse",
    0x9660: "iso9660",
}


def _text(call: Call, address: int) -> bytes | None:
    return call.string(address) if address else None


def _word(call: Call, text: bytes | None) -> str:
    return "<NULL>" if text is None else call.supervisor.namer.encode(text)


def _needs_device(kind: bytes) -> bool | None:
    """Whether file systems of this type lie on a block device; None for a type the kernel doesn't know."""
    with open("/proc/filesystems", "rb") as lines:
        for line in lines:
            flag, _, name = line.rstrip(b"\n").partition(b"\t")
            if name == kind.partition(b".")[0]:
                return flag != b"nodev"
    return None


def mount(call: Call) -> Plan | Answer:
    """mount(2)."""
    source_at, target_at, kind_at, flags, data_at, _ = call.args
    source, kind = _text(call, source_at), _text(call, kind_at)
    flags &= 0xFFFFFFFF
    if flags & _MAGIC_MASK == _MAGIC_VALUE:
        flags &= ~_MAGIC_MASK
    target = call.object(libc.AT_FDCWD, call.string(target_at))
    whole = flags
    word = next((name for bit, name in _PRIORITY if flags & bit), None)
    if word is not None:
        flags &= ~next(bit for bit, name in _PRIORITY if name == word)
        if flags & _PROPAGATION and word.startswith("--make"):
            return -errno.EINVAL
    if word in ("--bind", "--move"):
        if source is None:
            return -errno.EINVAL
        return _mount_of(call, call.object(libc.AT_FDCWD, source), target, word, flags, whole, kind, data_at)
    if word is None:
        if kind is None:
            return -errno.EINVAL
        needs = _needs_device(kind)
        if needs is None:
            return -errno.ENODEV
        word = call.supervisor.namer.encode(kind)
        if needs:
            if source is None:
                return -errno.ENOENT
            return _mount_device(call, call.object(libc.AT_FDCWD, source), target, word, flags, whole, kind, data_at)
    facts = CallFacts(call, path2=target.status)
    request = call.request("file mount", _word(call, source), target.name, word, flags, facts=facts, ignore_first=True)
    return Plan([request], lambda: int(call.run("mount", source, target.fd, kind, whole, _data(call, data_at))))


def _data(call: Call, address: int) -> bytes | None:
    """Mount options: at most one page, of which the mapped part counts."""
    if not address:
        return None
    try:
        return call.read(address, _PAGE)
    except OSError:
        return call.read(address, _PAGE - address % _PAGE)


def _mount_of(
    call: Call, source: Object, target: Object, word: str, flags: int, whole: int, kind: bytes | None, data: int
) -> Plan:
    facts = CallFacts(call, path1=source.status, path2=target.status)
    request = call.request("file mount", source.name, target.name, word, flags, facts=facts)
    return Plan([request], lambda: int(call.run("mount_from", source.fd, target.fd, kind, whole, _data(call, data))))


def _mount_device(
    call: Call, source: Object, target: Object, word: str, flags: int, whole: int, kind: bytes, data: int
) -> Plan | Answer:
    if not S_ISBLK(source.status.st_mode):
        return -errno.ENOTBLK
    facts = CallFacts(call, path1=source.status, path2=target.status)
    request = call.request("file mount", source.name, target.name, word, flags, facts=facts)
    device = os.readlink(b"/proc/self/fd/%d" % source.fd)
    return Plan([request], lambda: int(call.run("mount", device, target.fd, kind, whole, _data(call, data))))


def unmount(call: Call) -> Plan | Answer:
    """umount2(2): performed by name in the pinned parent, since a pinned mount would be busy."""
    path, flags = call.string(call.args[0]), call.args[1] & 0xFFFFFFFF
    found = call.object(libc.AT_FDCWD, path, follow=not flags & _UMOUNT_NOFOLLOW)
    request = call.request("file unmount", found.name, facts=CallFacts(call, path1=found.status))
    if not call.enforcing:
        # The kernel does it for the caller: nobody else may hold the mount by then.
        call.run("let_go")

    def perform() -> Answer:
        parent, last = call.run("mount_place", found.fd)
        call.keep(parent)
        call.open_fds.remove(found.fd)
        os.close(found.fd)
        return int(call.run("unmount", parent, last, flags | _UMOUNT_NOFOLLOW))

    return Plan([request], perform)


def pivot_root(call: Call) -> Plan | Answer:
    """pivot_root(2)."""
    new, old = (call.object(libc.AT_FDCWD, call.string(address)) for address in call.args[:2])
    if not (S_ISDIR(new.status.st_mode) and S_ISDIR(old.status.st_mode)):
        return -errno.ENOTDIR
    facts = CallFacts(call, path1=new.status, path2=old.status)
    request = call.request("file pivot_root", new.name, old.name, facts=facts)
    root_changes(call)
    return Plan([request], lambda: int(call.run("pivot_root", new.fd, old.fd)))


def _at(call: Call, dirfd: int, path_at: int, empty: bool, follow: bool = True) -> Object:
    path = call.string(path_at) if path_at else b""
    if not path and empty:
        return call.describe(call.descriptor(call.args[dirfd]) if call.args[dirfd] < 1 << 31 else call.cwd())
    return call.object(call.args[dirfd], path, follow=follow)


def _type(call: Call, found: Object) -> str:
    magic = call.supervisor.namer.filesystems.type(found.fd, found.status.st_dev)
    return _TYPES.get(magic, f"0x{magic:X}")


def _attached(call: Call, found: Object) -> bool:
    """Whether the mount behind ``found`` stands in the caller's mount tree already."""
    with open(f"/proc/self/fdinfo/{found.fd}", encoding="ascii") as lines:
        ident = next(line.split()[1] for line in lines if line.startswith("mnt_id:"))
    with open(f"/proc/{call.tid}/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        return any(line.split(" ", 1)[0] == ident for line in lines)


def move_mount(call: Call) -> Plan | Answer:
    """move_mount(2): a detached mount is attached (as ``file mount`` of its type), or an attached one moved."""
    flags = call.args[4] & 0xFFFFFFFF
    source = _at(call, 0, call.args[1], bool(flags & 0x4), bool(flags & 0x1))
    target = _at(call, 2, call.args[3], bool(flags & 0x40), bool(flags & 0x10))
    facts = CallFacts(call, path1=source.status, path2=target.status)
    if _attached(call, source):
        request = call.request("file mount", source.name, target.name, "--move", 0, facts=facts)
    else:
        request = call.request(
            "file mount", "none", target.name, _type(call, source), 0, facts=facts, ignore_first=True
        )
    return Plan([request], lambda: int(call.run("move_mount", source.fd, target.fd)))


def open_tree(call: Call) -> Plan | Answer:
    """open_tree(2): a clone is asked for as a bind mount of the tree onto itself; without it nothing is mounted.

    A cloned tree can't be handed over (it is an O_PATH descriptor, which SECCOMP_IOCTL_NOTIF_ADDFD
    refuses), and names inside it would lack where it came from: what policy allows gets ENOSYS,
    as fsopen(2) does, upon which mount(8) goes back to mount(2).
    """
    flags = call.args[2] & 0xFFFFFFFF
    if not flags & _OPEN_TREE_CLONE:
        return PROCEED
    source = _at(call, 0, call.args[1], bool(flags & libc.AT_EMPTY_PATH), not flags & libc.AT_SYMLINK_NOFOLLOW)
    request = call.request(
        "file mount", source.name, source.name, "--bind", 0, facts=CallFacts(call, path1=source.status)
    )
    return Plan([request], lambda: -errno.ENOSYS)


def _remount(call: Call, target: Object, word: str, flags: int) -> Request:
    facts = CallFacts(call, path2=target.status)
    return call.request("file mount", "none", target.name, word, flags, facts=facts, ignore_first=True)


def mount_setattr(call: Call) -> Plan | Answer:
    """mount_setattr(2): asked for as the remount, or the change of propagation, that comes to the same."""
    target = _at(call, 0, call.args[1], bool(call.args[2] & libc.AT_EMPTY_PATH))
    attributes = call.read(call.args[3], min(call.args[4], 256))
    if len(attributes) < _ATTRIBUTES.size:
        return -errno.EINVAL
    gained, lost, propagation, _ = _ATTRIBUTES.unpack_from(attributes)
    recursive = _REC if call.args[2] & _AT_RECURSIVE else 0
    asked = []
    if gained or lost or not propagation:
        if (gained | lost) & ~sum(_ATTRIBUTE_FLAGS) & ~_ATIME:
            return -errno.EPERM
        asked.append(_remount(call, target, "--remount", _BIND | recursive | _flags_then(call, target, gained, lost)))
    if propagation:
        word = dict(_PRIORITY).get(propagation)
        if word is None:
            return -errno.EINVAL
        asked.append(_remount(call, target, word, recursive))
    return Plan(asked, lambda: int(call.run("mount_setattr", target.fd, call.args[2] & _AT_RECURSIVE, attributes)))


def _flags_then(call: Call, target: Object, gained: int, lost: int) -> int:
    """mount(2)'s flags that the mount behind ``target`` has when some attributes are ``gained`` and others ``lost``."""
    now: int = call.run("mount_flags", target.fd)
    for attribute, flag in _ATTRIBUTE_FLAGS.items():
        now = now & ~flag if lost & attribute else now
        now = now | flag if gained & attribute else now
    if (gained | lost) & _ATIME:
        now = now & ~(_NOATIME | _RELATIME) | {0: _RELATIME, 0x10: _NOATIME}.get(gained & _ATIME, 0)
    return now


def fspick(call: Call) -> Plan | Answer:
    """fspick(2): what fsconfig(2) would then set isn't seen, so that who may remount gets ENOSYS, as for fsopen(2)."""
    target = _at(call, 0, call.args[1], bool(call.args[2] & 0x8))
    return Plan([_remount(call, target, "--remount", 0)], lambda: -errno.ENOSYS)
