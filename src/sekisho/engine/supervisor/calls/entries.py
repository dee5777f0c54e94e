"""Calls that make, remove or move directory entries."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from stat import S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK, S_ISDIR

from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import roots
from sekisho.engine.supervisor.plan import Answer, CallFacts, Object, Place, Plan
from sekisho.engine.supervisor.system import libc

Planner = Callable[[Call], Plan | Answer]
_AT_REMOVEDIR = 0x200
_RENAME_NOREPLACE, _RENAME_EXCHANGE, _RENAME_FLAGS = 1, 2, 7
_DOTS = (b".", b"..")
_NODES = {
    S_IFIFO: "file mkfifo",
    S_IFSOCK: "file mksock",
    S_IFREG: "file create",
    0: "file create",
    S_IFBLK: "file mkblock",
    S_IFCHR: "file mkchar",
}


def _dirfd(call: Call, register: int | None) -> int:
    return libc.AT_FDCWD if register is None else call.args[register]


def _free(call: Call, place: Place) -> int | None:
    """-EEXIST when something stands at ``place`` already, as every creating call answers."""
    if place.last.rstrip(b"/") in (b"", b".", b".."):
        return -errno.EEXIST
    return -errno.EEXIST if _standing(call, place) is not None else None


def _standing(call: Call, place: Place) -> os.stat_result | None:
    """What stands at ``place`` itself (a final slash follows no symbolic link in these calls); raises OSError."""
    try:
        return os.fstat(call.keep(call.run("child", place.parent, place.last.rstrip(b"/"))))
    except FileNotFoundError:
        return None


def unlink(path: int, dirfd: int | None = None, flags: int | None = None, *, directory: bool = False) -> Planner:
    """unlink(2), unlinkat(2), rmdir(2)."""

    def plan(call: Call) -> Plan | Answer:
        wanted = call.args[flags] & 0xFFFFFFFF if flags is not None else 0
        if wanted & ~_AT_REMOVEDIR:
            return -errno.EINVAL
        remove_directory = directory or bool(wanted & _AT_REMOVEDIR)
        text = call.string(call.args[path])
        place = call.place(_dirfd(call, dirfd), text)
        name = place.last.rstrip(b"/")
        if name in (b".", b".."):
            return -_no_name(text, name) if remove_directory else -errno.EISDIR
        standing = _standing(call, place)
        if standing is None:
            return -errno.ENOENT
        is_directory = S_ISDIR(standing.st_mode)
        if not remove_directory and name != place.last:
            return -errno.EISDIR if is_directory else -errno.ENOTDIR
        # What is of the wrong kind is asked for all the same, and then refused by the kernel, as TOMOYO does it.
        facts = CallFacts(call, path1=standing, parent1=place.status)
        if remove_directory:
            request = call.request("file rmdir", call.place_name(place, directory=True), facts=facts)
            return Plan([request], lambda: int(call.run_fenced("rmdir", place.parent, place.last)))
        request = call.request("file unlink", call.place_name(place, directory=is_directory), facts=facts)
        return Plan([request], lambda: int(call.run_fenced("unlink", place.parent, place.last)))

    return plan


def _no_name(text: bytes, name: bytes) -> int:
    """Why rmdir(2) can't remove the root directory, ``.`` or ``..``."""
    if not text.strip(b"/"):
        return errno.EBUSY
    return errno.EINVAL if name == b"." else errno.ENOTEMPTY


def mkdir(path: int, mode: int, dirfd: int | None = None) -> Planner:
    """mkdir(2), mkdirat(2)."""

    def plan(call: Call) -> Plan | Answer:
        place = call.place(_dirfd(call, dirfd), call.string(call.args[path]))
        taken = _free(call, place)
        if taken is not None:
            return taken
        bits = call.args[mode] & 0o7777
        name = call.place_name(place, directory=True)
        request = call.request("file mkdir", name, bits, facts=CallFacts(call, parent1=place.status))
        return Plan([request], lambda: int(call.run_fenced("mkdir", place.parent, place.last, bits, call.umask())))

    return plan


def mknod(path: int, mode: int, device: int, dirfd: int | None = None) -> Planner:
    """mknod(2), mknodat(2): the file type decides which keyword is asked for."""

    def plan(call: Call) -> Plan | Answer:
        bits, number = call.args[mode] & 0xFFFF, call.args[device] & 0xFFFFFFFF
        keyword = _NODES.get(S_IFMT(bits))
        if keyword is None:
            return -errno.EPERM if S_ISDIR(bits) else -errno.EINVAL
        place = call.place(_dirfd(call, dirfd), call.string(call.args[path]))
        taken = _free(call, place)
        if taken is not None:
            return taken
        if place.last.endswith(b"/"):
            return -errno.ENOENT
        arguments: list[str | int] = [call.place_name(place), bits & 0o7777]
        if keyword in ("file mkblock", "file mkchar"):
            arguments += [(number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00)]
        request = call.request(keyword, *arguments, facts=CallFacts(call, parent1=place.status))
        return Plan(
            [request], lambda: int(call.run_fenced("mknod", place.parent, place.last, bits, number, call.umask()))
        )

    return plan


def symlink(target: int, path: int, dirfd: int | None = None) -> Planner:
    """symlink(2), symlinkat(2)."""

    def plan(call: Call) -> Plan | Answer:
        text = call.string(call.args[target])
        if not text:
            return -errno.ENOENT
        place = call.place(_dirfd(call, dirfd), call.string(call.args[path]))
        taken = _free(call, place)
        if taken is not None:
            return taken
        if place.last.endswith(b"/"):
            return -errno.ENOENT
        facts = CallFacts(call, parent1=place.status, symlink_target=call.supervisor.namer.encode(text))
        request = call.request("file symlink", call.place_name(place), facts=facts)
        return Plan([request], lambda: int(call.run_fenced("symlink", text, place.parent, place.last)))

    return plan


def link(
    old: int, new: int, old_dirfd: int | None = None, new_dirfd: int | None = None, flags: int | None = None
) -> Planner:
    """link(2), linkat(2)."""

    def plan(call: Call) -> Plan | Answer:
        wanted = call.args[flags] & 0xFFFFFFFF if flags is not None else 0
        if wanted & ~(libc.AT_SYMLINK_FOLLOW | libc.AT_EMPTY_PATH):
            return -errno.EINVAL
        path = call.string(call.args[old])
        if not path and wanted & libc.AT_EMPTY_PATH:
            start = _dirfd(call, old_dirfd)
            source = call.describe(call.cwd() if signed(start) == libc.AT_FDCWD else call.descriptor(start))
        else:
            source = call.object(_dirfd(call, old_dirfd), path, follow=bool(wanted & libc.AT_SYMLINK_FOLLOW))
        place = call.place(_dirfd(call, new_dirfd), call.string(call.args[new]))
        taken = _free(call, place)
        if taken is not None:
            return taken
        if place.last.endswith(b"/"):
            return -errno.ENOENT
        facts = CallFacts(call, path1=source.status, parent2=place.status)
        name = call.place_name(place, directory=S_ISDIR(source.status.st_mode))
        request = call.request("file link", source.name, name, facts=facts)
        return Plan([request], lambda: int(call.run_fenced("link", source.fd, place.parent, place.last)))

    return plan


def _apart(source: Place, target: Place) -> bool:
    """Whether these are of different mounts: the kernel says so before it looks at what stands there."""
    return libc.mount_id(source.parent) != libc.mount_id(target.parent)


def _unmovable(
    source: Place, moving: os.stat_result | None, target: Place, standing: os.stat_result | None, flags: int
) -> int:
    """Why a rename fails whatever policy says, in the kernel's order (fs/namei.c, do_renameat2); 0 if it may go on."""
    if moving is None:
        return errno.ENOENT
    if flags & _RENAME_NOREPLACE and standing is not None:
        return errno.EEXIST
    if flags & _RENAME_EXCHANGE:
        if standing is None:
            return errno.ENOENT
        if not S_ISDIR(standing.st_mode) and target.last.endswith(b"/"):
            return errno.ENOTDIR
    slashes = source.last.endswith(b"/") or (target.last.endswith(b"/") and not flags & _RENAME_EXCHANGE)
    return errno.ENOTDIR if slashes and not S_ISDIR(moving.st_mode) else 0


def _pair(call: Call, one: Place, directory: bool, two: Place, covers: bool) -> list[str]:
    """The names that renaming ``one`` to ``two`` asks for: both those of directories where ``one`` is a ``directory``
    (tomoyo_path2_perm), the second also where it ``covers`` one (tomoyo_realpath_from_path)."""
    return [call.place_name(one, directory=directory), call.place_name(two, directory=directory or covers)]


def rename(
    old: int, new: int, old_dirfd: int | None = None, new_dirfd: int | None = None, flags: int | None = None
) -> Planner:
    """rename(2), renameat(2), renameat2(2); an exchange asks for the swapped pair first."""

    def plan(call: Call) -> Plan | Answer:
        wanted = call.args[flags] & 0xFFFFFFFF if flags is not None else 0
        if wanted & ~_RENAME_FLAGS or (wanted & _RENAME_EXCHANGE and wanted != _RENAME_EXCHANGE):
            return -errno.EINVAL
        source = call.place(_dirfd(call, old_dirfd), call.string(call.args[old]))
        target = call.place(_dirfd(call, new_dirfd), call.string(call.args[new]))
        if source.last.rstrip(b"/") in _DOTS or target.last.rstrip(b"/") in _DOTS:
            wrong = (
                errno.EEXIST if wanted & _RENAME_NOREPLACE and source.last.rstrip(b"/") not in _DOTS else errno.EBUSY
            )
            return -errno.EXDEV if _apart(source, target) else -wrong
        moving, standing = _standing(call, source), _standing(call, target)
        wrong = _unmovable(source, moving, target, standing, wanted)
        if wrong or moving is None:
            return -errno.EXDEV if _apart(source, target) else -wrong

        def perform() -> Answer:
            return int(call.run_fenced("rename", source.parent, source.last, target.parent, target.last, wanted))

        directory, other = S_ISDIR(moving.st_mode), standing is not None and S_ISDIR(standing.st_mode)
        names = _pair(call, source, directory, target, other)
        facts = CallFacts(call, path1=moving, parent1=source.status, path2=standing, parent2=target.status)
        requests = [call.request("file rename", *names, facts=facts)]
        if wanted & _RENAME_EXCHANGE:
            assert standing is not None
            swapped = _pair(call, target, other, source, directory)
            back = CallFacts(call, path1=standing, parent1=target.status, path2=moving, parent2=source.status)
            requests.insert(0, call.request("file rename", *swapped, facts=back))
        return Plan(requests, perform)

    return plan


class _Anywhere(set[tuple[int, int]]):
    """Any root directory will do: only what was known of it before the call is forgotten."""

    def __contains__(self, _: object) -> bool:
        return True


def root_changes(call: Call) -> None:
    """From the caller's next call on its root directory is looked up anew, whichever it is by then."""
    roots.expect(call.process, call.tid, _Anywhere())


def chroot(call: Call) -> Plan | Answer:
    """chroot(2): only the caller can do it, so it is checked, let through, and looked at afterwards."""
    found: Object = call.object(libc.AT_FDCWD, call.string(call.args[0]))
    if not S_ISDIR(found.status.st_mode):
        return -errno.ENOTDIR
    request = call.request("file chroot", found.name, facts=CallFacts(call, path1=found.status))
    process, tid = call.process, call.tid
    before = os.stat(f"/proc/{tid}/root")
    if not call.enforcing:
        root_changes(call)

    def perform() -> Answer:
        allowed = {(status.st_dev, status.st_ino) for status in (before, found.status)}
        return roots.expect(process, tid, allowed)

    return Plan([request], perform)
