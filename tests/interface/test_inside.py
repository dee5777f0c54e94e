"""Commands among the interface files: their statuses, their signals, and who goes on serving."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.root, pytest.mark.needs("fusermount3")]

ECHOING = str(Path(__file__).parent / "echoing.py")
VERSION = "/sys/kernel/security/tomoyo/version"
PATIENCE = 30


def run(*command: str, etc: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ECHOING, *([str(etc)] if etc else []), "--", *command],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def servers(mark: str) -> list[str]:
    """The processes of ours with ``mark`` in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in line and b"echoing.py" in line:
            found.append(folder.name)
    return found


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
)
def test_the_status_is_the_commands(script: str, status: int) -> None:
    result = run("sh", "-c", script)

    assert (status, "") == (result.returncode, result.stderr)


def test_a_command_that_can_not_be_executed(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    result = run(str(program))

    assert 126 == result.returncode
    assert "No such file" in result.stderr


def test_the_command_has_our_input_output_environment_and_signals() -> None:
    script = "read line; echo $line $HERE; grep -E '^Sig(Blk|Ign)' /proc/self/status"

    def said(*before: str) -> list[str]:
        done = subprocess.run(
            [*before, "sh", "-c", script],
            input="in\n", env={**os.environ, "HERE": "there"},
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return done.stdout.splitlines()

    assert "in there" == said()[0]
    assert said() == said(sys.executable, ECHOING, "--")


def test_nobody_else_sees_the_files() -> None:
    before = sorted(os.listdir("/sys/kernel/security"))
    process = subprocess.Popen(
        [sys.executable, ECHOING, "--", "sh", "-c", f"cat {VERSION}; read line"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert b"2.6.0" == process.stdout.read(5)
    assert before == sorted(os.listdir("/sys/kernel/security"))
    process.communicate(b"go\n", timeout=PATIENCE)


def test_a_signal_for_us_reaches_the_command() -> None:
    process = subprocess.Popen(
        [sys.executable, ECHOING, "--", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done"],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b"ready\n" == process.stdout.readline()
    process.send_signal(signal.SIGTERM)

    assert 9 == process.wait(PATIENCE)
    process.stdout.close()


def test_what_is_left_running_keeps_the_files_and_the_last_one_puts_out_the_light(tmp_path: Path) -> None:
    late = tmp_path / "late"
    go = tmp_path / "go"
    script = f"(while ! [ -e {go} ]; do sleep 0.05; done; cat {VERSION} > {late}) > /dev/null 2>&1 &"
    result = run("sh", "-c", script)
    assert 0 == result.returncode
    assert servers(str(late))
    go.touch()

    until(lambda: late.exists() and late.read_text() == "2.6.0")
    until(lambda: not servers(str(late)))


def test_when_the_front_is_killed_the_command_goes_on_and_the_server_ends_with_it(tmp_path: Path) -> None:
    late = tmp_path / "late"
    go = tmp_path / "go"
    script = f"echo ready; while ! [ -e {go} ]; do sleep 0.05; done; cat {VERSION} > {late}"
    process = subprocess.Popen([sys.executable, ECHOING, "--", "sh", "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert b"ready\n" == process.stdout.readline()
    process.kill()
    process.wait(PATIENCE)
    go.touch()

    until(lambda: late.exists() and late.read_text() == "2.6.0")
    until(lambda: not servers(str(late)))
    process.stdout.close()


def test_who_unmounts_the_files_is_waited_for_all_the_same() -> None:
    result = run("sh", "-c", "umount /sys/kernel/security/tomoyo; sleep 0.2; exit 5")

    assert (5, "") == (result.returncode, result.stderr)


def test_a_killed_server_is_told() -> None:
    result = run("sh", "-c", "kill -9 $PPID; sleep 0.2")

    assert 125 == result.returncode
    assert "has died" in result.stderr


def test_what_can_not_be_served_is_told(tmp_path: Path) -> None:
    program = tmp_path / "serving.py"
    program.write_text(
        "import sys\n"
        "from sekisho.errors import SekishoError\n"
        "from sekisho.interface import inside\n"
        "def serve(where, ready, say):\n"
        "    raise RuntimeError('no wheels')\n"
        "try:\n"
        "    inside.run(['touch', sys.argv[1]], serve)\n"
        "except SekishoError as error:\n"
        "    print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, str(program), str(tmp_path / "made")],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip

    assert "cannot serve files at /sys/kernel/security/tomoyo: no wheels\n" == result.stdout
    assert not (tmp_path / "made").exists()
