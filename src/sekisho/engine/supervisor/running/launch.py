"""Starting a command under supervision.

Three processes: the *front* (the one the user started; a shell sees only it), the *supervisor*,
forked from it into a session of its own, and the *command*, forked from the supervisor while
that still stood in the user's session and process group, so that its terminal is the user's.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import struct
import time
from typing import Final

from sekisho.decide.request import Facts
from sekisho.domain.transition import enter, plan_execution
from sekisho.engine.supervisor import table
from sekisho.engine.supervisor.running import front, protect
from sekisho.engine.supervisor.running.command import READY, become
from sekisho.engine.supervisor.running.front import Back, Front
from sekisho.engine.supervisor.running.session import Session
from sekisho.engine.supervisor.supervisor import Supervisor
from sekisho.engine.supervisor.system import abi, libc, procfs
from sekisho.engine.supervisor.system.notify import Listener
from sekisho.engine.supervisor.tasks import children
from sekisho.errors import NotSupported, UserError, explain
from sekisho.names.word import encode
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Domain, Mode, Policy
from sekisho.store.directory import PolicyDirectory

_PR_SET_CHILD_SUBREAPER: Final = 36
_CAP_SYS_ADMIN: Final = 1 << 21
_WALL: Final = 0x40000000
_PATIENCE: Final = 5.0
_MOMENT: Final = 0.005
"""Seconds that ending a tree may take, and that pass between two looks at it."""
LEARNING_PROFILE: Final = 1
_REACHING: Final = ("ipc ptrace", "ipc read_memory", "ipc write_memory", "ipc get_descriptor")


def supervise(directory: PolicyDirectory, command: list[str], forced_mode: Mode | None, *, learn: bool) -> int:
    """``command`` has run under the policy in ``directory``; its exit status.

    Raises UserError or PolicyError for what the user can mend, NotSupported where the kernel can't,
    each before anything has run.
    """
    architecture = abi.require_native()
    policy = directory.load()
    policy.forced_mode = forced_mode
    path = _which(command[0])
    first = _first_domain(policy, path, learn=learn, directory=directory)
    session = Session(directory, policy, first, learn=learn)
    mask = front.block()
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    own = os.getpid()
    pid = os.fork()
    if not pid:
        _supervisor_main(session, architecture, path, command, Back(there, own), mask, here)
    try:
        there.close()
        status = Front(here, pid).wait()
        _reap(pid)
    except OSError as error:
        hint = "it goes on, supervised, without this process"
        raise UserError(f"can't follow the command any longer: {explain(error)}", hint) from None
    return status


def _reap(pid: int) -> None:
    """The supervisor is collected if it is gone; one that still serves is left to itself."""
    os.waitpid(pid, os.WNOHANG)


def _which(name: str) -> str:
    if "/" in name:
        return name
    for folder in os.get_exec_path():
        path = os.path.join(folder or ".", name)
        if os.path.isfile(path) and os.access(path, os.X_OK, effective_ids=True):
            return path
    raise UserError(f"{name}: command not found", "give its path")


def _first_domain(policy: Policy, path: str, *, learn: bool, directory: PolicyDirectory) -> Domain:
    """The domain that the command will enter; made for learning, demanded for running."""
    kernel = policy.domains["<kernel>"]
    parent, last = os.path.split(os.fsencode(path))
    exename = encode(os.path.join(os.path.realpath(parent or b"."), last))
    plan = plan_execution(policy, kernel, exename, Facts())
    name = plan.destination or kernel.name
    domain = policy.domains.get(name)
    if domain is not None and not domain.deleted:
        return domain
    if not learn and policy.forced_mode is not Mode.LEARNING:
        raise UserError(
            f"{directory.path}: no domain {name}", f"learn it first: sekisho learn -P {directory.path} -- {path} ..."
        )
    domain = ensure_domain(policy, name) if plan.failure else enter(policy, plan, kernel)
    domain.profile = LEARNING_PROFILE
    return domain


def _supervisor_main(
    session: Session,
    architecture: abi.Architecture,
    path: str,
    command: list[str],
    back: Back,
    mask: set[signal.Signals],
    here: socket.socket,
) -> None:
    """Never returns."""
    code = 1
    try:
        here.close()
        _supervise(session, architecture, path, command, back, mask)
        code = 0
    except NotSupported as error:
        back.say(str(error))
        back.tell("exit 3")
    except Exception as error:
        back.say(f"the supervisor can't go on: {explain(error)}; the command is ended, and all that it has started")
        _end_tree()
        session.abandon()
        back.tell("exit 125")
    finally:
        os._exit(code)


def _end_tree() -> None:
    """No process is left below this one, which adopts whoever is orphaned there."""
    end = time.monotonic() + _PATIENCE
    while (left := children(os.getpid())) and time.monotonic() < end:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for pid in left:
            with contextlib.suppress(OSError):
                os.waitpid(pid, os.WNOHANG | _WALL)
        time.sleep(_MOMENT)


def _supervise(
    session: Session,
    architecture: abi.Architecture,
    path: str,
    command: list[str],
    back: Back,
    mask: set[signal.Signals],
) -> None:
    privileged = _capable()
    rows = table.by_number(table.rows(privileged=privileged), architecture)
    up, down = socket.socketpair()
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    scoped = _enforces(session.policy) and not reaches_outside(session.policy)
    program, own = table.program(rows, architecture), os.getpid()
    child = os.fork()
    if not child:
        up.close()
        become(path, command, program, down, mask, supervisor=own, privileged=privileged, scoped=scoped)
    down.close()
    os.setsid()
    back.tell(f"command {child}")
    listener, is_scoped = _take_listener(child, up)
    protect.hide()
    protect.mark()
    supervisor = Supervisor(listener, session.judge(back), architecture, rows, back.say, privileged=privileged)
    for pid in (os.getpid(), back.front):
        supervisor.guard.add_process(pid)
    supervisor.guard.add_directory(os.path.realpath(session.directory.path))
    supervisor.signals_scoped = is_scoped
    session.attend(supervisor, child, back)
    supervisor.tasks.add(child, session.policy.domains["<kernel>"], os.getpid())
    _detach()
    up.send(b"go")
    up.close()
    supervisor.serve()
    session.close()


def _take_listener(child: int, up: socket.socket) -> tuple[Listener, bool]:
    """(the listener of ``child``'s filter, whether its signals are scoped); raises NotSupported with its reason."""
    answer = up.recv(4096)
    if not answer.startswith(READY):
        message, _, hint = (answer.decode() or "the command's process died before it could start").partition("\n")
        raise NotSupported(message, hint)
    number, scoped = struct.unpack("ii", answer[len(READY) :])
    pidfd = os.pidfd_open(child)
    try:
        listener = Listener(libc.pidfd_getfd(pidfd, number))
    except OSError as error:
        hint = "kernel.yama.ptrace_scope above 1, or a container's filter, forbids it: see `sekisho doctor`"
        raise NotSupported(f"taking over a child's descriptor: {error.strerror}", hint) from error
    finally:
        os.close(pidfd)
    listener.wake_synchronously()
    return listener, bool(scoped)


def _enforces(policy: Policy) -> bool:
    """Whether anything in ``policy`` is enforced: where nothing is, the tree isn't shut off from the rest."""
    if policy.forced_mode is not None:
        return policy.forced_mode is Mode.ENFORCING
    profiles = (profile for namespace in policy.namespaces.values() for profile in namespace.profiles.values())
    return any(config.mode is Mode.ENFORCING for profile in profiles for config in profile.configs.values())


def reaches_outside(policy: Policy) -> bool:
    """Whether policy lets anybody reach into processes outside the tree: nobody could in a tree that is shut off."""
    groups = (group for namespace in policy.namespaces.values() for group in namespace.acl_groups.values())
    return any(
        operation.keyword in _REACHING and entry.operands[0].text == "<kernel>"
        for domain in (*policy.domains.values(), *groups)
        for entry in domain.entries
        for operation in entry.operations
    )


def _capable() -> bool:
    return bool(int(procfs.field(procfs.read("/proc/self/status"), b"CapEff"), 16) & _CAP_SYS_ADMIN)


def _detach() -> None:
    """Nothing of the user's is held open by us, and we may hold as much as the system lets us."""
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            if fd > 2 and os.get_inheritable(fd):
                os.close(fd)
    os.chdir("/")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
