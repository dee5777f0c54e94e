"""One stopped system call while it is being looked at: its arguments, its caller, what to answer."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from stat import S_ISSOCK
from typing import TYPE_CHECKING, Any, Final

from sekisho.decide.request import Facts, Request, Task
from sekisho.engine.supervisor.acting import identity
from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.acting.closing import close_at_once
from sekisho.engine.supervisor.objects import naming
from sekisho.engine.supervisor.plan import Answer, CallFacts, Object, Place
from sekisho.engine.supervisor.system import libc, memory
from sekisho.engine.supervisor.system.notify import Notification
from sekisho.engine.supervisor.tasks import Process, lineage
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain, Mode

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor

NO_FD: Final = Fd(-1)


def signed(value: int) -> int:
    """The low 32 bits of a register as a C int."""
    value &= 0xFFFFFFFF
    return value - 0x100000000 if value & 0x80000000 else value


def _has_absolute_names(request: Request) -> bool:
    if request.operation.category != "file":
        return True
    return all(name[0] == "/" for name in request.arguments if isinstance(name, str))


@dataclass(slots=True)
class Call:
    """The notification, its caller, and every descriptor opened on its behalf (closed when it is answered)."""

    supervisor: Supervisor
    notification: Notification
    process: Process
    enforcing: bool
    close_on_exec: bool = False
    """Whether a descriptor handed over gets FD_CLOEXEC."""
    found: Object | None = None
    """The last object that was described."""
    open_fds: list[int] = field(default_factory=list)
    lingering: set[int] = field(default_factory=set)
    """Those among them whose closing may take as long as their owner likes."""
    domain: Domain = field(init=False)
    """Whose policy the call is judged by."""
    fenced: bool = False
    """Whether what was judged is such that Landlock can hold whoever performs it to that policy."""
    stand_in: dict[int, Fd] = field(default_factory=dict)
    """Directories of ours that stand for a ``dirfd``, under numbers that no caller can have."""

    def __post_init__(self) -> None:
        self.domain = self.process.domain

    @property
    def args(self) -> tuple[int, ...]:
        """The six raw argument registers."""
        return self.notification.args

    @property
    def tid(self) -> int:
        """The calling thread."""
        return self.notification.tid

    @property
    def guarded(self) -> bool:
        """Whether anything at all is enforced in the caller's domain."""
        return self.enforcing or self.supervisor.modes.strictest(self.process.domain) is Mode.ENFORCING

    def close(self) -> None:
        """Every descriptor opened for this call is closed."""
        for fd in self.open_fds:
            if fd not in self.lingering:
                os.close(fd)
        if not self.lingering.isdisjoint(self.open_fds):
            close_at_once(*self.lingering.intersection(self.open_fds))
        self.open_fds.clear()

    def keep(self, fd: int) -> Fd:
        """``fd`` is closed when the call has been answered."""
        self.open_fds.append(fd)
        return Fd(fd)

    def string(self, address: int) -> bytes:
        """A path argument; OSError(EFAULT or ENAMETOOLONG) as the kernel answers."""
        return self.process.open_memory(self.tid).string(address)

    def read(self, address: int, size: int) -> bytes:
        """``size`` bytes of the caller's memory."""
        return self.process.open_memory(self.tid).read(address, size)

    def write(self, address: int, data: bytes) -> None:
        """``data`` into the caller's memory."""
        memory.write(self.tid, address, data)

    def identity(self) -> identity.Identity:
        """With whose rights the call is to be performed."""
        return self.supervisor.identity_of(self.process, self.tid)

    def task(self) -> Task:
        """The caller's ids, for conditions and records."""
        try:
            parent = lineage(self.tid)[1]
        except OSError:
            parent = 0
        task = self.identity().task(self.process.tgid, parent, self.process.tgid)
        return replace(task, execute_handler=True) if self.process.execute_handler else task

    def outside(self, kind: str, number: int) -> int:
        """A uid or gid of the caller's user namespace as the initial one knows it (user_namespaces(7))."""
        if self.identity().user_namespace == self.supervisor.own.user_namespace:
            return number
        with open(f"/proc/{self.tid}/{kind}_map", encoding="ascii") as lines:
            for first, lower, count in (map(int, line.split()) for line in lines):
                if first <= number < first + count:
                    return lower + number - first
        return 65534

    def umask(self) -> int:
        """The caller's umask."""
        return identity.umask_of(self.tid)

    def run(self, name: str, *arguments: Any) -> Any:
        """The action's result, performed with the caller's rights; raises its OSError."""
        return self.supervisor.performer.run(self, name, arguments)

    def run_fenced(self, name: str, *arguments: Any) -> Any:
        """The same, held by the kernel to what policy says as well, where it can be."""
        return self.supervisor.performer.run(self, name, arguments, fenced=self.fenced)

    def run_blocking(
        self, name: str, *arguments: Any, then: Callable[[Any], Answer] | None = None, fenced: bool = False
    ) -> Answer:
        """The same where it may take long: answered when it is done, holding nobody else up."""
        return self.supervisor.performer.start(self, name, arguments, then, fenced=fenced and self.fenced)

    def allowed(self, domain: Domain, requests: Sequence[Request]) -> None:
        """``requests`` may happen in ``domain``; what they come to is fenced where each names files by absolute paths,
        or no files, and it is policy that allows them, not somebody beside it."""
        beside = not self.enforcing or self.supervisor.judge.by_hand
        self.domain = domain
        self.fenced = not beside and bool(requests) and all(map(_has_absolute_names, requests))

    def directory(self, dirfd: int, path: bytes) -> Fd:
        """Where the caller's relative ``path`` starts, for lookups; AT_FDCWD itself for absolute ones."""
        if path.startswith(b"/"):
            return Fd(libc.AT_FDCWD)
        number = signed(dirfd)
        if number in self.stand_in:
            return self.stand_in[number]
        if number == libc.AT_FDCWD:
            return self.keep(os.open(f"/proc/{self.tid}/cwd", os.O_PATH | os.O_CLOEXEC))
        return self.descriptor(number)

    def cwd(self) -> Fd:
        """The caller's working directory."""
        return self.keep(os.open(f"/proc/{self.tid}/cwd", os.O_PATH | os.O_CLOEXEC))

    def descriptor(self, number: int) -> Fd:
        """The object behind the caller's descriptor, as an O_PATH descriptor of ours; OSError(EBADF)."""
        try:
            return self.keep(os.open(f"/proc/{self.tid}/fd/{signed(number)}", os.O_PATH | os.O_CLOEXEC))
        except FileNotFoundError:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF)) from None

    def duplicate(self, number: int) -> Fd:
        """The caller's open file itself (pidfd_getfd(2)), pinned whatever becomes of its descriptor table."""
        leading = self.tid == self.process.tgid
        fd = self.keep(
            (libc.pidfd_getfd if leading else libc.thread_getfd)(
                self.process.pidfd if leading else self.tid, signed(number)
            )
        )
        self.lingering.add(fd)
        return fd

    def open_file(self, number: int) -> Object:
        """The caller's open file, pinned once and for all: another thread may put another under its number."""
        fd = self.duplicate(number)
        if not S_ISSOCK(os.fstat(fd).st_mode):
            self.lingering.discard(fd)
        return self.describe(fd)

    def opened(self, number: int) -> Fd:
        """The same of a file that is open for use; OSError(EBADF) for an O_PATH descriptor."""
        fd = self.duplicate(number)
        if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_PATH:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return fd

    def root(self) -> Fd:
        """The caller's root directory where it isn't ours, else -1."""
        if (
            self.identity().root == self.supervisor.own.root
            and self.identity().mount_namespace == self.supervisor.own.mount_namespace
        ):
            return NO_FD
        return self.keep(os.open(f"/proc/{self.tid}/root", os.O_PATH | os.O_CLOEXEC))

    def _view(self, dirfd: int, path: bytes) -> tuple[Any, ...]:
        if not path:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        who = self.identity()
        start = self.directory(dirfd, path)
        if start == libc.AT_FDCWD:
            start = NO_FD
        return (self.tid, self.process.tgid, who.uids[3], start, self.root(), path)

    def object(self, dirfd: int, path: bytes, *, follow: bool = True) -> Object:
        """The existing object that ``path`` means to the caller; raises the caller's OSError."""
        return self.describe(self.keep(self.run("find", *self._view(dirfd, path), follow)))

    def object_within(self, dirfd: int, path: bytes, resolve: int, *, follow: bool) -> Object:
        """The same under openat2(2)'s ``resolve`` restrictions; what those would reach in proc must be the caller's."""
        start = NO_FD if path.startswith(b"/") and not resolve & libc.RESOLVE_BOUND else self.directory(dirfd, b".")
        found = self.describe(self.keep(self.run("find_within", start, path, resolve, follow)))
        if found.name.startswith("proc:"):
            other = self.object(dirfd, path, follow=follow)
            if (found.status.st_dev, found.status.st_ino) != (other.status.st_dev, other.status.st_ino):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return found

    def object_at(self, place: Place, *, follow: bool) -> Object:
        """The object at ``place``, wherever its directory's path has come to lead meanwhile."""
        number = -1000 - place.parent
        self.stand_in[number] = place.parent
        return self.object(number, place.last, follow=follow)

    def describe(self, fd: Fd) -> Object:
        """Status and canonical name of what ``fd`` pins."""
        status, path = os.fstat(fd), naming.raw_path(fd)
        found = Object(fd, status, self.supervisor.namer.name(fd, path, status, self.process.tgid), path)
        self.found = found
        return found

    def place(self, dirfd: int, path: bytes, resolve: int = 0) -> Place:
        """The directory and last component that ``path`` means to the caller, under openat2(2)'s restrictions."""
        if resolve:
            head, slash, last = path.rstrip(b"/").rpartition(b"/")
            folder = self.object_within(dirfd, head + b"/." if slash else b".", resolve, follow=True)
            return Place(folder.fd, folder.status, (last or b".") + path[len(path.rstrip(b"/")) :])
        parent, last = self.run("find_parent", *self._view(dirfd, path))
        self.keep(parent)
        return Place(parent, os.fstat(parent), last)

    def occupant(self, place: Place) -> os.stat_result | None:
        """What stands at ``place`` now (a symbolic link itself), None when nothing does."""
        try:
            return os.fstat(self.keep(self.run("child", place.parent, place.last)))
        except OSError:
            return None

    def place_name(self, place: Place, *, directory: bool = False) -> str:
        """The canonical name at ``place``."""
        last = place.last.rstrip(b"/")
        return self.supervisor.namer.child(place.parent, place.status, last, self.process.tgid, directory=directory)

    def request(
        self, keyword: str, *arguments: str | int, facts: Facts | None = None, ignore_first: bool = False
    ) -> Request:
        """A request of this caller."""
        return Request(OPERATIONS[keyword], arguments, facts or CallFacts(self), ignore_first)
