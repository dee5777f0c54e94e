"""A supervised command from outside: its exit status, its terminal, its signals, what outlives it, its rights."""

from __future__ import annotations

import errno
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor import tiny
from tests.engine.supervisor.supervised import Result, Supervised, domain

PYTHON = [sys.executable, "-I", "-S"]


@pytest.fixture
def supervised() -> Iterator[Supervised]:
    """An empty policy directory, in a place that every user can reach."""
    root = Path(tempfile.mkdtemp(prefix="sekisho-", suffix=".d"))
    root.chmod(0o755)
    yield Supervised(root / "policy", plainly=False)
    shutil.rmtree(root, ignore_errors=True)


def wait_for(condition: object, seconds: float = 20) -> None:
    """Returns once ``condition()`` is true; fails when it never is."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


STATUSES = {
    "exit 0": 0,
    "exit 1": 1,
    "exit 42": 42,
    "exit 255": 255,
    "kill -TERM $$": 128 + 15,
    "kill -KILL $$": 128 + 9,
    "kill -SEGV $$": 128 + 11,
    "trap 'exit 7' TERM; kill -TERM $$": 7,
    "no-such-program-anywhere": 127,
    "/etc/passwd": 126,
    "exec no-such-program-anywhere": 127,
}


@pytest.mark.parametrize("script", STATUSES)
def test_the_exit_status_is_the_command_s(supervised: Supervised, script: str) -> None:
    learned = supervised.learn("/bin/sh", "-c", script)
    enforced = supervised.run("/bin/sh", "-c", script)

    assert (learned.status, enforced.status) == (STATUSES[script], STATUSES[script])
    assert supervised.rejected() == []


def test_a_program_that_is_not_there_is_told_as_a_shell_does(supervised: Supervised) -> None:
    assert supervised.learn("/no/such/program").status == 127
    assert supervised.learn("/etc/passwd").status == 126
    assert supervised.learn("no-such-program").status == 127


def test_standard_streams_are_the_command_s_own(supervised: Supervised, tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "cat; echo error >&2"]
    (tmp_path / "in").write_text("through\n")
    for start in (supervised.learn, supervised.run):
        with (tmp_path / "in").open() as given:
            result = start(*command, stdin=given)

        assert (result.status, result.out) == (0, "through\n")
        assert "error\n" in result.err


class Terminal:
    """A command on a terminal of its own, as a login shell would start it."""

    def __init__(self, arguments: list[str]) -> None:
        self.text = ""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            # A shell starts background jobs with these ignored, as the tests may have been.
            for number in (signal.SIGINT, signal.SIGQUIT):
                signal.signal(number, signal.SIG_DFL)
            os.execve(arguments[0], arguments, Supervised.environment())

    def expect(self, text: str) -> None:
        """Returns once ``text`` has been shown."""
        end = time.monotonic() + 20
        while text not in self.text:
            assert time.monotonic() < end, self.text
            if select.select([self.fd], [], [], 0.2)[0]:
                self.text += os.read(self.fd, 4096).decode()

    def type(self, text: str) -> None:
        """Keys are pressed."""
        os.write(self.fd, text.encode())

    def status(self) -> int:
        """How the command ended."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError(self.text)


def test_ctrl_c_interrupts_the_command(supervised: Supervised) -> None:
    program = (
        "import time\ntry: print('ready', flush=True); time.sleep(20)\nexcept KeyboardInterrupt: raise SystemExit(3)"
    )
    for verb in ("learn", "run"):
        terminal = Terminal(supervised.arguments(verb, *PYTHON, "-c", program))
        terminal.expect("ready")
        terminal.type("\x03")

        assert terminal.status() == 3


@pytest.mark.slow
def test_ctrl_c_that_kills_is_an_exit_status(supervised: Supervised) -> None:
    for verb in ("learn", "run"):
        terminal = Terminal(supervised.arguments(verb, "/bin/sh", "-c", "echo ready; sleep 20"))
        terminal.expect("ready")
        time.sleep(0.3)
        terminal.type("\x03")

        assert terminal.status() == 128 + signal.SIGINT


@pytest.mark.slow
def test_ctrl_z_stops_and_fg_continues(supervised: Supervised) -> None:
    inner = " ".join(supervised.arguments("learn", "/bin/sh", "-c", "'echo ready; read line; echo got $line'"))
    for _ in ("learning", "again"):
        terminal = Terminal(["/bin/bash", "--norc", "--noprofile", "-i"])
        terminal.type(f"{inner}\n")
        terminal.expect("\nready")
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.type("fg\n")
        terminal.expect("fg\r\n")
        terminal.type("word\n")
        terminal.expect("got word")
        terminal.type("exit\n")

        assert terminal.status() == 0


def test_the_command_reads_from_its_terminal(supervised: Supervised) -> None:
    program = "echo ready; read line </dev/tty; echo got $line >/dev/tty; test -t 0 && tty -s && stty size"
    for verb in ("learn", "run"):
        terminal = Terminal(supervised.arguments(verb, "/bin/sh", "-c", program))
        terminal.expect("ready")
        terminal.type("word\n")
        terminal.expect("got word")

        assert terminal.status() == 0
    assert supervised.rejected() == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_to_sekisho_reach_the_command(supervised: Supervised, number: signal.Signals) -> None:
    program = f"trap 'exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.1; done"
    for verb in ("learn", "run"):
        arguments = supervised.arguments(verb, "/bin/sh", "-c", program)
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=supervised.environment()) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.send_signal(number)

            assert process.wait(timeout=20) == 9


@pytest.mark.slow
def test_what_outlives_the_command_stays_supervised(supervised: Supervised, tmp_path: Path) -> None:
    later = tmp_path / "later"
    secret = tmp_path / "secret"
    (tmp_path / "go").touch()
    program = (
        f"(while test ! -e {tmp_path}/go; do sleep 0.05; done; cat {secret}; echo $? >{later}) >/dev/null 2>&1 & exit 5"
    )
    assert supervised.learn("/bin/sh", "-c", program).status == 5
    wait_for(lambda: later.exists() and later.read_text() == "1\n")
    time.sleep(0.3)
    later.unlink()
    (tmp_path / "go").unlink()

    assert supervised.run("/bin/sh", "-c", program).status == 5
    assert not later.exists()
    secret.write_text("not there when it was learned")
    (tmp_path / "go").touch()
    wait_for(lambda: later.exists() and later.read_text() == "1\n")
    assert f"file read {secret}" in supervised.rejected()


def _io_uring(result: str) -> str:
    return f"""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
made = libc.syscall(425, 4, ctypes.create_string_buffer(120))
{result}
"""


def test_io_uring_is_refused_without_its_capability(supervised: Supervised) -> None:
    program = _io_uring("print('made' if made >= 0 else ctypes.get_errno())")
    native = supervised.native(*PYTHON, "-c", program).out
    learned = supervised.learn(*PYTHON, "-c", program)
    enforced = supervised.run(*PYTHON, "-c", program)

    assert learned.out == native == enforced.out
    assert "`capability use_io_uring` allows all of it" in learned.err
    domains = supervised.entries()
    domains.pop("<kernel>")
    supervised.write({name: lines - {"capability use_io_uring"} for name, lines in domains.items()})
    assert supervised.run(*PYTHON, "-c", program).out == f"{errno.ENOSYS}\n"


@pytest.mark.parametrize("number", [20, 5])
def test_the_32_bit_interface_is_refused(supervised: Supervised, tmp_path: Path, number: int) -> None:
    """On x86_64: ``int 0x80`` (getpid, open) answers as a kernel without it would."""
    if os.uname().machine != "x86_64":
        return
    # mov eax, number; xor ebx, ebx; int 0x80; neg eax; mov edi, eax; mov eax, exit_group; syscall
    code = b"\xb8" + struct.pack("<I", number) + b"\x31\xdb\xcd\x80\xf7\xd8\x89\xc7\xb8\xe7\0\0\0\x0f\x05"
    program = tmp_path / "old"
    program.write_bytes(tiny.program(code))
    program.chmod(0o755)
    learned = supervised.learn(program)

    assert "foreign" in learned.err
    assert supervised.run(program).status == errno.ENOSYS


def test_names_beyond_path_max_fail_closed(supervised: Supervised, tmp_path: Path) -> None:
    """The kernel names nothing that long (readlink(2) of /proc/self/fd): enforcing mode refuses what has no name."""
    program = (
        "import os\nfor _ in range(20):\n  os.makedirs('d' * 240, exist_ok=True)\n  os.chdir('d' * 240)\n"
        "try: os.close(os.open('f', os.O_CREAT | os.O_WRONLY)); print('made')\nexcept OSError as e: print(e.errno)"
    )
    (tmp_path / "play").mkdir()
    native = supervised.native(*PYTHON, "-c", program, cwd=tmp_path / "play")
    subprocess.run(["rm", "-r", tmp_path / "play"], check=True)
    (tmp_path / "play").mkdir()
    learned = supervised.learn(*PYTHON, "-c", program, cwd=tmp_path / "play")
    enforced = supervised.run(*PYTHON, "-c", program, cwd=tmp_path / "play")
    subprocess.run(["rm", "-r", tmp_path / "play"], check=True)

    assert (native.out, learned.out) == ("made\n", "made\n")
    assert enforced.out in (f"{errno.ENAMETOOLONG}\n", "")


def test_a_symbolic_link_names_the_domain(supervised: Supervised, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(tiny.program())
    (tmp_path / "real").chmod(0o755)
    (tmp_path / "name").symlink_to("real")
    assert supervised.learn(tmp_path / "name").status == 0

    assert domain(tmp_path / "name") in supervised.domains()
    assert supervised.run(tmp_path / "name").status == 0
    assert supervised.run(tmp_path / "real").status == 2


@pytest.mark.needs("unshare")
def test_a_user_namespace_of_its_own(supervised: Supervised, tmp_path: Path) -> None:
    program = f"id -u; cat /proc/self/uid_map; echo new >{tmp_path}/f; cat {tmp_path}/f; stat -c %u {tmp_path}/f"
    command = ["unshare", "--user", "--map-root-user", "/bin/sh", "-c", program]
    native = supervised.native(*command)
    learned = supervised.learn(*command)
    enforced = supervised.run(*command)

    assert (learned.out, enforced.out) == (native.out, native.out), enforced.err
    assert supervised.rejected() == []


_WAYS = {
    "ids": "os.setgroups([]); os.setgid(65534); os.setuid(65534)",
    "filesystem id": "os.setgroups([]); libc.setfsgid(65534); libc.setfsuid(65534)",
    "effective id": "os.setgroups([]); os.setegid(65534); os.seteuid(65534)",
    "capabilities": "libc.capset(struct.pack('Ii', 0x20080522, 0), bytes(24))",
}


@pytest.mark.root
@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("looked_before", [True, False])
def test_rights_that_were_dropped_are_not_lent(supervised: Supervised, way: str, looked_before: bool) -> None:
    """A file of mode 0600 of another user stays closed, though the supervisor could open it and policy allows it."""
    root = supervised.path.parent
    secret = root / "secret"
    program = f"""
import ctypes, errno, os, struct
libc = ctypes.CDLL(None)
def attempt(do, *arguments):
    try:
        do(*arguments)
        return 'done'
    except OSError as error:
        return errno.errorcode[error.errno]
names = ('{secret}', '{root}/closed/f')
def everything():
    for name in names:
        for do, *arguments in ((os.open, name, os.O_RDONLY), (os.open, name, os.O_WRONLY), (os.stat, name),
                               (os.truncate, name, 0), (os.chmod, name, 0o666), (os.link, name, '{root}/open/hard'),
                               (os.rename, name, '{root}/open/moved'), (os.unlink, name), (os.execv, name, ['x']),
                               (os.open, name + '.new', os.O_CREAT), (os.mkdir, name + '.d'),
                               (os.listdir, '{root}/closed')):
            print(name, do.__name__, *arguments[1:], attempt(do, *arguments))
if {looked_before}:
    for name in names:
        os.close(os.open(name, os.O_RDONLY)); os.stat(name)
{_WAYS[way]}
everything()
"""

    def prepare() -> None:
        for each in (secret, root / "closed", root / "open", root / "secret.d", root / "secret.new"):
            shutil.rmtree(each, ignore_errors=True) if each.is_dir() else each.unlink(missing_ok=True)
        secret.write_text("secret")
        secret.chmod(0o600)
        (root / "closed").mkdir(0o700)
        (root / "closed" / "f").write_text("f")
        (root / "open").mkdir()
        for each in (secret, root / "closed", root / "closed" / "f"):
            if way == "capabilities":
                os.chown(each, 4242, 4242)

    outputs = []
    for start in (supervised.native, supervised.learn, supervised.run):
        prepare()
        outputs.append(start(*PYTHON, "-c", program))
    native, learned, enforced = outputs

    assert native.out.count("EACCES") >= 4
    assert _differences(native, learned) == []
    assert _differences(native, enforced) == []


def _differences(native: Result, other: Result) -> list[tuple[str, str]]:
    pairs = zip(native.out.splitlines(), other.out.splitlines(), strict=True)
    return [(expected, found) for expected, found in pairs if expected != found]


@pytest.mark.root
def test_a_chroot_is_the_program_s_root(supervised: Supervised) -> None:
    root = supervised.path.parent / "root"
    (root / "dir").mkdir(parents=True)
    (root / "f").write_text("inside")
    (root / "absolute").symlink_to("/f")
    (root / "up").symlink_to("../../../../f")
    program = f"""
import os
os.chroot('{root}')
os.chdir('/')
for name in '/f', 'f', '/absolute', 'dir/../../../f', '/up', '/../f':
    print(open(name).read())
print(sorted(os.listdir('/')), os.stat('/').st_ino == os.stat('/..').st_ino)
with open('/new', 'w') as file:
    file.write('new')
os.rename('/new', 'dir/moved')
print(os.path.exists('/etc/passwd'))
"""
    native = supervised.native(*PYTHON, "-c", program)
    (root / "dir" / "moved").unlink()
    learned = supervised.learn(*PYTHON, "-c", program)
    (root / "dir" / "moved").unlink()
    enforced = supervised.run(*PYTHON, "-c", program)

    assert native.out.count("inside") == 6
    assert (learned.out, enforced.out) == (native.out, native.out), enforced.err
    assert f"file create {root}/new 0666" in supervised.entries()[domain(sys.executable)]
    assert supervised.rejected() == []
