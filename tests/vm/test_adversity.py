"""What happens to a supervisor's machine: no memory, control groups, quotas, settings of the kernel, other formats.

Only in a machine of its own can these be had, or hurt nobody.
"""

from __future__ import annotations

import json
import shlex
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.alike.allowing import allow_everything
from tests.vm.test_hurtful import Play

pytestmark = [pytest.mark.vm("6.12"), pytest.mark.root, pytest.mark.every]

MODULES = """
for module in {names}; do
    found=$(find /usr/lib/modules/$(uname -r)/kernel -name "$module.ko*")
    case $found in *.xz) xz -dc $found;; *) cat $found;; esac >/tmp/$module.ko && insmod /tmp/$module.ko
done
"""
NOBODY = 65534


class Scene(Play):
    """A play whose programs are Python; natively and enforced they tell what they saw as a line of JSON."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder)

    def modules(self, *names: str) -> None:
        """The kernel has these."""
        self.say(MODULES.format(names=" ".join(names)))

    def natively(self, *command: str) -> None:
        """``command`` runs unsupervised."""
        self.say(shlex.join(command) + f" </dev/null 2>>{self.folder}/said")

    def enforced(self, *command: str) -> None:
        """The same under supervision: what it says is said."""
        words = self.supervised.arguments("run", *command)
        self.say(f"{shlex.join(words)} </dev/null 2>>{self.folder}/said")

    def told(self, timeout: float = 400) -> list[Any]:
        """What everybody has told, in turn."""
        said, _ = self.played(timeout)
        return [json.loads(line) for line in said]


def python(text: str) -> list[str]:
    """The command that runs ``text``, which anybody can read."""
    return [sys.executable, "-I", "-S", "-c", textwrap.dedent(text)]


def unprivileged(text: str) -> list[str]:
    """The same by nobody."""
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *python(text)]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A play under a policy that enforces and allows everything."""
    made = Scene(tmp_path)
    allow_everything(made.supervised)
    tmp_path.chmod(0o755)
    return made


STICKY = """
    import errno, json, os, stat, sys
    def attempt(what, *arguments):
        try:
            found = what(*arguments)
            return os.close(found) or "opened" if isinstance(found, int) else "done"
        except OSError as failure:
            return errno.errorcode[failure.errno]
    found = []
    for folder in ("sticky", "group", "plain"):
        os.chdir(f"/tmp/protected/{folder}")
        for owner in ("root", "other", "mine"):
            for kind in ("file", "fifo"):
                for flags in (os.O_CREAT | os.O_RDWR, os.O_RDWR):
                    found.append(attempt(os.open, f"{owner}-{kind}", flags | os.O_NONBLOCK, 0o600))
            found.append(attempt(os.open, f"{owner}-link", os.O_RDONLY))
            found.append(attempt(os.open, f"{owner}-link/", os.O_RDONLY))
            found.append(attempt(os.stat, f"{owner}-link"))
            found.append(attempt(os.link, f"{owner}-file", f"{owner}-linked"))
            found.append(attempt(os.link, f"{owner}-private", f"{owner}-linked-private"))
            found.append(attempt(os.link, f"{owner}-link", f"{owner}-linked-link"))
            for name in ("", "-private", "-link"):
                attempt(os.unlink, f"{owner}-linked{name}")
    print(json.dumps(found))
"""
WORLD = """
    rm -rf /tmp/protected; mkdir -m 755 /tmp/protected
    echo target >/tmp/protected/target; chmod 644 /tmp/protected/target
    for folder in sticky:1777 group:1775 plain:777; do
        mkdir /tmp/protected/${folder%:*}; chgrp 65534 /tmp/protected/${folder%:*}
        chmod ${folder#*:} /tmp/protected/${folder%:*}; cd /tmp/protected/${folder%:*}
        for owner in root:0 other:1 mine:65534; do
            name=${owner%:*}
            echo text >$name-file; chmod 666 $name-file; mkfifo -m 666 $name-fifo; echo text >$name-private
            chmod 600 $name-private; ln -s ../target $name-link
            chown -h ${owner#*:} $name-file $name-fifo $name-private $name-link
        done
    done
    cd /
"""


def test_what_the_kernel_protects_in_sticky_directories(scene: Scene) -> None:
    """protected_symlinks, hardlinks, regular and fifos: the same with and without a root supervisor."""
    command = unprivileged(STICKY)
    for level in (0, 1, 2):
        for name in ("regular", "fifos"):
            scene.say(f"echo {level} >/proc/sys/fs/protected_{name}")
        for name in ("symlinks", "hardlinks"):
            scene.say(f"echo {min(level, 1)} >/proc/sys/fs/protected_{name}")
        for run in (scene.natively, scene.enforced):
            scene.say(textwrap.dedent(WORLD))
            run(*command)

    told = scene.told()

    assert 6 == len(told), scene.said()
    for level in (0, 1, 2):
        assert told[2 * level] == told[2 * level + 1], (level, scene.said())
    # The settings did make a difference.
    assert told[0] != told[2] != told[4]


QUOTA = """
    import ctypes, errno, json, os, struct, sys
    libc = ctypes.CDLL(None, use_errno=True)
    limits = ctypes.create_string_buffer(struct.pack("QQQQQQQQII", 64, 64, 0, 8, 8, 0, 0, 0, 15, 0))
    for uid in (65534, 1):
        if libc.quotactl(0x800008 << 8, b"/dev/loop0", uid, limits):
            raise OSError(ctypes.get_errno(), "quotactl")
"""
FULL = """
    import errno, json, os
    def attempt(what, *arguments):
        try:
            found = what(*arguments)
            return os.close(found) or "opened" if isinstance(found, int) else "done"
        except OSError as failure:
            return errno.errorcode[failure.errno]
    os.chdir("/tmp/quota/mine")
    make = os.O_CREAT | os.O_WRONLY
    found = [attempt(os.open, f"file{n}", make) for n in range(10)]
    found += [attempt(os.mkdir, "folder"), attempt(os.symlink, "x" * 100, "symbolic"), attempt(os.mkfifo, "fifo")]
    found += [attempt(os.unlink, "file0"), attempt(os.mknod, "node"), attempt(os.link, "file1", "hard")]
    found += [attempt(os.rename, "file1", "renamed"), attempt(os.truncate, "renamed", 1 << 20)]
    def fill(name):
        with open(name, "wb", 0) as file:
            for _ in range(100): file.write(b"x" * 4096)
    found += [attempt(fill, "renamed"), os.stat("renamed").st_size]
    found.append(attempt(os.open, "/tmp/quota/mine", os.O_TMPFILE | 1))
    print(json.dumps([found, sorted(os.listdir("."))]))
"""


def test_quotas(scene: Scene) -> None:
    """Who is over quota makes no more files by a root supervisor, whom no quota binds."""
    scene.modules("loop", "quota_tree", "quota_v2")
    command = unprivileged(FULL)
    limit = shlex.join(python(QUOTA))
    for run in (scene.natively, scene.enforced):
        scene.say(
            "truncate -s 32M /tmp/disk; mkfs.ext4 -q -F -O quota /tmp/disk; mkdir -p /tmp/quota;"
            "mount -o loop,usrquota /tmp/disk /tmp/quota; install -d -o 65534 -m 755 /tmp/quota/mine"
        )
        scene.say(limit)
        run(*command)
        scene.say("umount /tmp/quota; rm /tmp/disk")

    told = scene.told()

    assert 2 == len(told), scene.said()
    assert told[0] == told[1]
    assert 4 <= told[0][0].count("EDQUOT"), told


INTERPRETER = "#!/bin/sh\necho '\"'$0 $1'\"'\n"


@pytest.mark.parametrize("flags", ["", "F"])
def test_a_format_that_somebody_registered(scene: Scene, flags: str) -> None:
    """Executing a file of a format of the whole system's runs its interpreter, which has to be allowed, too."""
    play = Scene(scene.folder / "learned")
    file, interpreter, other = (scene.folder / name for name in ("file", "interpreter", "other"))
    for path, text in ((file, "ODD1 and more"), (interpreter, INTERPRETER), (other, INTERPRETER)):
        path.write_text(text)
        path.chmod(0o755)
    play.modules("binfmt_misc")
    play.say("mount -t binfmt_misc none /proc/sys/fs/binfmt_misc")
    register = "echo ':odd:M::ODD1::{}:{}' >/proc/sys/fs/binfmt_misc/register"
    play.say(register.format(interpreter, flags))
    play.then("learn", str(file))
    play.enforced(str(file))
    play.say("echo -1 >/proc/sys/fs/binfmt_misc/odd; " + register.format(other, flags))
    play.enforced(str(file))
    play.say("echo '\"'$?'\"'")

    told = [json.loads(line) for line in play.played()[0] if line.startswith('"')]

    assert [f"{interpreter} {file}", "126"] == told, play.said()
    assert [f"file read {other}"] == play.supervised.rejected()


HUNGRY = """
import os, sys, time
open("/proc/self/oom_score_adj", "w").write("-1000")
tells = os.open("/tmp/opened", os.O_CREAT | os.O_WRONLY, 0o600)
os.close(os.open("/etc/hostname", os.O_RDONLY))
if not os.fork():
    while sys.argv[1] == "hungry":
        try: os.write(tells, os.read(os.open("/etc/shadow", os.O_RDONLY), 10))
        except OSError: time.sleep(0.001)
    os._exit(0)
eaten = [bytearray(os.urandom(1 << 20)) for _ in range(400 if sys.argv[1] == "hungry" else 1)]
print("full")
"""


def test_memory_runs_out(scene: Scene) -> None:
    """A program that may protect itself from the OOM killer has its supervisor killed: it gets nothing by that."""
    play = Scene(scene.folder / "learned")
    play.then("learn", *python(HUNGRY), "modest")
    play.say("echo +memory >/sys/fs/cgroup/cgroup.subtree_control; mkdir /sys/fs/cgroup/tree")
    play.say("echo 150M >/sys/fs/cgroup/tree/memory.max")
    command = shlex.join(play.supervised.arguments("run", *python(HUNGRY), "hungry"))
    inside = "sh -c 'echo $$ >/sys/fs/cgroup/tree/cgroup.procs; exec \"$@\"' sh"
    play.say(f"{inside} {command} </dev/null >/dev/null 2>>{play.folder}/said; echo status $?")
    play.say("sleep 2; grep -w oom_kill /sys/fs/cgroup/tree/memory.events; echo $(wc -c </tmp/opened)")

    said, _ = play.played()

    assert ["status 0", "status 137", "0"] == [said[0], said[1], said[3]], (said, play.said())
    assert int(said[2].split()[1]) > 0, said


GROUPED = """
import errno, json, os
supervisor = os.getppid()
def attempt(what, *arguments):
    try:
        return what(*arguments) and "done"
    except OSError as failure:
        return errno.errorcode[failure.errno]
def write(name, text):
    fd = os.open(f"/sys/fs/cgroup/{name}", os.O_WRONLY)
    return os.write(fd, text.encode())
found = [attempt(write, "trap/cgroup.procs", str(supervisor)), attempt(write, "trap/cgroup.threads", str(supervisor))]
found += [attempt(write, f"home/{name}", text) for name, text in (
    ("cgroup.freeze", "1"), ("memory.max", "1"), ("pids.max", "1"), ("cpu.max", "1000 1000000"), ("cgroup.kill", "1"))]
found += [attempt(os.mkdir, "/sys/fs/cgroup/mine"), attempt(os.rename, "/sys/fs/cgroup/trap", "/sys/fs/cgroup/other")]
print(json.dumps(found))
"""


def test_control_groups(scene: Scene) -> None:
    """Where policy grants no file of theirs nobody is frozen, limited or killed by the confined program."""
    play = Scene(scene.folder / "learned")
    play.say("cd /sys/fs/cgroup && mkdir home trap && echo +memory +pids +cpu >cgroup.subtree_control; cd /")
    play.say("echo $$ >/sys/fs/cgroup/home/cgroup.procs")
    play.then("learn", *python("import errno, json, os; print()"))
    play.enforced(*python(GROUPED))

    said, _ = play.played()

    found = json.loads(said[-1])
    assert ({"EPERM"}, 9) == (set(found), len(found)), play.said()


def test_a_frozen_supervisor(scene: Scene) -> None:
    """Frozen from outside it answers nobody; thawed it goes on where it was."""
    play = Scene(scene.folder / "learned")
    play.say("mkdir /sys/fs/cgroup/trap; mkfifo /tmp/begun")
    counting = """
    import os, time
    end = time.monotonic() + 3
    for _ in range(10): os.close(os.open("/etc/hostname", os.O_RDONLY))
    os.write(1, b"begun ")
    time.sleep(1)
    began = time.monotonic()
    os.close(os.open("/etc/hostname", os.O_RDONLY))
    os.write(1, b"waited" if time.monotonic() > began + 1 else b"went on")
    """
    play.then("learn", *python(counting))
    words = play.supervised.arguments("run", *python(counting))
    play.say(f"{shlex.join(words)} </dev/null >/tmp/said 2>>{play.folder}/said & front=$!")
    play.say("until grep -q begun /tmp/said; do sleep 0.1; done")
    play.say("child=$(cat /proc/$front/task/$front/children); echo $child >/sys/fs/cgroup/trap/cgroup.procs")
    play.say("echo 1 >/sys/fs/cgroup/trap/cgroup.freeze; sleep 4; grep -c . /tmp/said; cat /tmp/said; echo")
    play.say("echo 0 >/sys/fs/cgroup/trap/cgroup.freeze; wait $front; echo status $?; cat /tmp/said")

    said, _ = play.played()

    assert ["status 0", "1", "begun ", "status 0", "begun waited"] == said, play.said()
