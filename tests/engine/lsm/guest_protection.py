"""Runs in a virtual machine: what root can do to the engine from a domain that isn't a manager's, or is one."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.engine.lsm.enforced import Engine, report

from sekisho.engine.lsm import guards, layout
from sekisho.engine.lsm.daemon import pins
from sekisho.engine.lsm.daemon.tasks import look_at
from sekisho.engine.lsm.hooks import PROGRAMS, PROTECTION
from sekisho.engine.lsm.kernel.handle import Handle
from sekisho.engine.lsm.kernel.loader import Loader
from sekisho.engine.lsm.kernel.maps import Map
from sekisho.engine.lsm.kernel.program import Program

ATTACKER, HELD, MANAGER = "<kernel> /attacker", "<kernel> /held", "<kernel> /manager"
POLICY = f"<kernel>\nuse_profile 0\n\n{ATTACKER}\nuse_profile 0\n\n{HELD}\nuse_profile 3\n\n{MANAGER}\nuse_profile 0\n"
MINE = {name for name, program in PROGRAMS.items() if program.purpose == PROTECTION} | {"task_alloc"}
PINS = Path("/sys/fs/bpf/sekisho")
GROUP, OTHER_GROUP = Path("/sys/fs/cgroup/engine"), Path("/sys/fs/cgroup/other")
DIRECTORY = Path("/run/policy/sekisho")
KEEP: list[Handle] = []
FRESH: list[int] = []
LIBC = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: object) -> int:
    """A system call; raises OSError."""
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = LIBC.syscall(number, *words)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def bpf(command: int, *words: int) -> int:
    """bpf(2) with attributes that are numbers."""
    return call(321, command, struct.pack(f"{len(words)}I", *words), 4 * len(words))


def mount(source: str, target: str, kind: str | None, flags: int = 0) -> None:
    """mount(2)."""
    call(165, source.encode(), target.encode(), kind and kind.encode(), flags, None)


def unmount(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    call(166, target.encode(), flags)


def apart(act: Callable[[], object]) -> Callable[[], object]:
    """The same in a mount namespace of its own, which still shares what is mounted."""

    def there() -> None:
        call(272, 0x00020000)
        act()

    return there


def by_other_way() -> None:
    """The policy file by another name of its directory."""
    Path("/tmp/bound").mkdir(exist_ok=True)
    mount(str(DIRECTORY), "/tmp/bound", None, 0x1000)
    try:
        Path("/tmp/bound/domain_policy.conf").write_text("mine")
    finally:
        unmount("/tmp/bound")


def pin_own() -> None:
    """A map of the attacker's, among the pins."""
    made = bpf(0, 2, 4, 4, 1, 0)
    path = ctypes.create_string_buffer(os.fsencode(PINS / "mine"))
    call(321, 6, struct.pack("QII", ctypes.addressof(path), made, 0), 16)


def by_copy_of_the_mount(name: str) -> Callable[[], object]:
    """A pin is removed where the file system is mounted once more, nowhere."""
    return lambda: os.unlink(f"{PINS.name}/links/{name}", dir_fd=call(428, -100, b"/sys/fs/bpf", 1))


def proc(name: str, flags: int = os.O_WRONLY) -> Callable[[], object]:
    """A file in proc is opened."""
    return lambda: os.open(f"/proc/{name}", flags)


def another(engine: Engine) -> tuple[int, int]:
    """The ids of a map and a program that a start has just made, and told nobody of."""
    made = Map.make(replace(engine.image.maps["state"], contents=b""), prefix=guards.OWN_NAME)
    kept: dict[str, Map] = {name: engine.loaded.maps[name] for name in pins.KEPT if name in engine.loaded.maps}
    few = replace(engine.options, wanted=lambda source: source.name == "task_alloc", reuse=kept)
    program = Loader().load(engine.image, few).programs["task_alloc"]
    KEEP.extend((made, program))
    return made.id, program.facts().id


def killed_by_file(victim: int) -> Callable[[], object]:
    """A file is made to kill the process when there is something to read in it; EPERM where it lives on."""

    def there() -> None:
        read, write = os.pipe()
        fcntl.fcntl(read, fcntl.F_SETOWN, victim)
        fcntl.fcntl(read, 10, signal.SIGKILL)  # F_SETSIG
        fcntl.fcntl(read, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        os.write(write, b"x")
        time.sleep(0.2)
        if "State:\tZ" not in Path(f"/proc/{victim}/status").read_text():
            raise PermissionError(errno.EPERM, "it lives")

    return there


def attacks(engine: Engine, daemon: int, guardian: int, manager: int) -> dict[str, Callable[[], object]]:
    """By name."""
    loaded = engine.loaded
    link = next(iter(loaded.links))
    file, pin = DIRECTORY / "domain_policy.conf", PINS / "links" / link
    program, info = loaded.programs[link].facts().id, loaded.links[link].id
    memory = ctypes.create_string_buffer(8)
    local = struct.pack("QQ", ctypes.addressof(memory), 8)
    return {
        "unlink a pin": lambda: os.unlink(pin),
        "rename a pin": lambda: os.rename(pin, PINS / "links" / "x"),
        "rename the pins": lambda: os.rename(PINS, PINS.parent / "x"),
        "remove the pins": lambda: os.rmdir(PINS / "empty"),
        "make a directory": lambda: os.mkdir(PINS / "new"),
        "pin among them": pin_own,
        "unmount": lambda: unmount("/sys/fs/bpf"),
        "unmount lazily": lambda: unmount("/sys/fs/bpf", 2),
        "unmount above": lambda: unmount("/sys", 2),
        "unmount from apart": apart(lambda: unmount("/sys/fs/bpf", 2)),
        "cover": lambda: mount("none", str(PINS), "tmpfs"),
        "cover above": lambda: mount("none", "/sys/fs/bpf", "tmpfs"),
        "cover policy": lambda: mount("none", str(DIRECTORY), "tmpfs"),
        "move the mount": lambda: call(429, -100, b"/sys/fs/bpf", -100, b"/tmp/elsewhere", 0),
        "map by pin": lambda: Map.pinned(PINS / "maps" / "state"),
        "program by pin": lambda: Program.pinned(PINS / "programs" / link),
        "map by id": lambda: bpf(14, loaded.maps["state"].id, 0, 0),
        "program by id": lambda: bpf(13, program, 0, 0),
        "new map by id": lambda: bpf(14, FRESH[0], 0, 0),
        "new program by id": lambda: bpf(13, FRESH[1], 0, 0),
        "link by id": lambda: bpf(30, info, 0, 0),
        "unlink by a copy of the mount": by_copy_of_the_mount(link),
        "turn programs off": proc("sys/kernel/ftrace_enabled"),
        "turn something else off": proc("sys/kernel/printk"),
        "write policy": lambda: file.write_text("mine"),
        "write by a bind mount": by_other_way,
        "create beside it": lambda: (DIRECTORY / "new").write_text("mine"),
        "unlink policy": lambda: os.unlink(file),
        "rename policy": lambda: os.rename(file, "/run/policy/x"),
        "rename above": lambda: os.rename("/run/policy", "/run/other"),
        "replace policy": lambda: os.rename("/run/mine", file),
        "link policy": lambda: os.link(file, "/run/linked"),
        "lock policy": lambda: fcntl.flock(os.open(file, os.O_RDONLY), fcntl.LOCK_EX),
        "share a lock": lambda: fcntl.flock(os.open(file, os.O_RDONLY), fcntl.LOCK_SH),
        "lease policy": lambda: fcntl.fcntl(os.open(file, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK),
        "lock elsewhere": lambda: fcntl.flock(os.open("/run/mine", os.O_RDONLY), fcntl.LOCK_EX),
        "truncate policy": lambda: os.truncate(file, 0),
        "chmod policy": lambda: os.chmod(file, 0o666),
        "chown policy": lambda: os.chown(DIRECTORY, 1, 1),
        "kill": lambda: os.kill(daemon, signal.SIGKILL),
        "stop": lambda: os.kill(daemon, signal.SIGSTOP),
        "look whether it lives": lambda: os.kill(daemon, 0),
        "trace": lambda: call(101, 0x4206, daemon, 0, 0),
        "write its memory": lambda: call(311, daemon, local, 1, local, 1, 0),
        "take its descriptor": lambda: call(438, os.pidfd_open(daemon), 0, 0),
        "limit it": lambda: resource.prlimit(daemon, resource.RLIMIT_NOFILE, (3, 3)),
        "first to go": proc(f"{daemon}/oom_score_adj"),
        "first of its threads to go": proc(f"{daemon}/task/{daemon}/oom_score_adj"),
        "another to go": proc("self/oom_score_adj"),
        "kill another by a file": killed_by_file(subprocess.Popen(["sleep", "1000"]).pid),
        "kill by a file": killed_by_file(daemon),
        "kill its guardian by a file": killed_by_file(guardian),
        "freeze its control group": lambda: os.open(GROUP / "cgroup.freeze", os.O_WRONLY),
        "kill its control group": lambda: os.open(GROUP / "cgroup.kill", os.O_WRONLY),
        "starve its control group": lambda: os.open(GROUP / "cgroup.max.descendants", os.O_WRONLY),
        "freeze another control group": lambda: os.open(OTHER_GROUP / "cgroup.freeze", os.O_WRONLY),
        "its guardian to go first": proc(f"{guardian}/oom_score_adj"),
        "its environment": proc(f"{daemon}/environ", os.O_RDONLY),
        "trace a manager": lambda: call(101, 0x4206, manager, 0, 0),
        "write a manager's memory": proc(f"{manager}/mem", os.O_RDWR),
        "trace process 1": lambda: call(101, 0x4206, 1, 0, 0),
        "its priority": lambda: os.setpriority(os.PRIO_PROCESS, daemon, 5),
        "the kernel's memory": lambda: os.open("/dev/mem", os.O_RDWR),
        "files elsewhere": lambda: Path("/run/elsewhere").write_text("mine"),
        "maps of its own": lambda: bpf(0, 2, 4, 4, 1, 0),
    }


MEMORY = ("environ", "auxv", "maps", "smaps", "smaps_rollup", "pagemap", "mem")
HARMLESS = ("look whether it lives", "files elsewhere", "maps of its own", "turn something else off", "another to go",
            "its environment", "kill another by a file", "lock elsewhere",
            "freeze another control group")  # fmt: skip
BY_MANAGER = (
    "unlink a pin",
    "map by id",
    "write policy",
    "chmod policy",
    "look whether it lives",
    "rename policy",
    "turn programs off",
    "trace a manager",
    "kill",
)


def main() -> None:
    """Prints what came of each attack."""
    DIRECTORY.mkdir(parents=True)
    (DIRECTORY / "domain_policy.conf").write_text("policy")
    Path("/run/mine").write_text("mine")
    Path("/tmp/elsewhere").mkdir(exist_ok=True)
    for group in (GROUP, OTHER_GROUP):
        group.mkdir()
    (GROUP / "cgroup.procs").write_text(str(os.getpid()))
    mount("none", "/sys/fs/bpf", None, 1 << 20)  # shared, as under systemd: seen from namespaces made later
    engine = Engine(Path(sys.argv[1]), POLICY, MINE)
    engine.maps.state.active = 0
    loaded = engine.loaded
    daemon, guardian, manager = (subprocess.Popen(["sleep", "1000"]) for _ in range(3))
    for kind, handles in (("links", loaded.links), ("maps", loaded.maps), ("programs", loaded.programs)):
        (PINS / kind).mkdir(parents=True)
        for name, handle in handles.items():
            if "." not in name:
                handle.pin(PINS / kind / name)
    (PINS / "empty").mkdir()
    number = engine.publisher.domains.domain(MANAGER)
    engine.publisher.domains.describe(number, layout.DOMAIN_EXISTS | layout.DOMAIN_MANAGER)
    found = guards.of(
        [each.id for each in loaded.maps.values()],
        [each.facts().id for each in loaded.programs.values()],
        [each.id for each in loaded.links.values()],
        [PINS, DIRECTORY],
    )
    for key, value in found.raw().items():
        loaded.maps["guards"].update(key, value)
    loaded.maps["sieves"].update(bytes(4), found.sieve())
    FRESH.extend(another(engine))
    own, other = look_at(daemon.pid), look_at(guardian.pid)
    assert own is not None and other is not None
    state = engine.maps.state
    state.daemon, state.daemon_started = daemon.pid, own.started
    state.guardian, state.guardian_started = guardian.pid, other.started
    engine.maps.state.active = 1
    engine.put(manager.pid, MANAGER)
    every = attacks(engine, daemon.pid, guardian.pid, manager.pid)
    for name, act in every.items():
        report(name, engine.attempt(ATTACKER, act))
    assert daemon.poll() is None
    for name in MEMORY:
        report(f"held, its {name}", engine.attempt(HELD, proc(f"{daemon.pid}/{name}", os.O_RDONLY)))
    for name in BY_MANAGER:
        report(f"manager, {name}", engine.attempt(MANAGER, every[name]))
    engine.maps.state.active = 0
    report("nothing in force", engine.attempt(ATTACKER, lambda: shutil.rmtree(PINS)))


if __name__ == "__main__":
    main()
