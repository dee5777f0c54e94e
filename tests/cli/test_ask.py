from __future__ import annotations

import os
import re
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engine.supervisor.supervised import Supervised

PATIENCE = 60


class Asking:
    """``sekisho ask`` with somebody at its keyboard."""

    def __init__(self, supervised: Supervised, *options: str) -> None:
        words = [supervised.python, "-m", "sekisho", "ask", "-P", str(supervised.path), *options]
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=supervised.environment(),
        )
        self.seen = ""

    def until(self, text: str) -> str:
        """What was shown up to ``text``."""
        end = time.monotonic() + PATIENCE
        assert self.process.stdout is not None
        while not re.search(text, self.seen):
            assert select.select([self.process.stdout], [], [], end - time.monotonic())[0], self.seen
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, self.seen
            self.seen += data.decode()
        found = re.search(text, self.seen)
        assert found is not None
        shown, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return shown

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def end(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process.terminate()
        self.process.wait(PATIENCE)


@pytest.fixture
def shell(tmp_path: Path) -> Supervised:
    """A shell that sleeps, then becomes a cat that may read one file and look at another."""
    (tmp_path / "allowed").write_text("allowed\n")
    (tmp_path / "secret").write_text("secret\n")
    supervised = Supervised(tmp_path / "policy")
    result = supervised.learn("/bin/sh", "-c", SCRIPT, "sh", tmp_path / "allowed")
    assert 0 == result.status, result.err
    domains = supervised.entries()
    for lines in domains.values():
        lines.add(f"file getattr {tmp_path}/secret")
    supervised.write(domains)
    return supervised


@pytest.fixture
def asking(shell: Supervised) -> Iterator[Asking]:
    made = Asking(shell)
    made.until("asking for what runs")
    yield made
    made.end()


# The asker needs a moment to see that a tree runs: what is refused before that isn't asked.
SCRIPT = 'sleep 1; exec cat "$@"'
SECRET = "asks    file read .*/secret\n"


@contextmanager
def started(supervised: Supervised, *files: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = subprocess.Popen(
        supervised.arguments("run", "/bin/sh", "-c", SCRIPT, "sh", *files),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=supervised.environment(),
    )
    try:
        yield program
    finally:
        program.kill()
        program.communicate(timeout=PATIENCE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "out", "line"),
    [
        (["a"], b"secret\n", None),
        (["1"], b"secret\n", "file read {0}/secret"),
        (["any file beside it"], b"secret\n", r"file read {0}/\*"),
        (["e", "file read {0}/sec\\*"], b"secret\n", r"file read {0}/sec\*"),
        (["d"], b"", None),
        ([""], b"", None),
    ],
)
def test_the_program_waits_for_the_answer(
    shell: Supervised, asking: Asking, tmp_path: Path, answers: list[str], out: bytes, line: str | None
) -> None:
    before = shell.entries()
    with started(shell, tmp_path / "secret") as program:
        shown = asking.until(SECRET + "(.|\n)*Answer")
        assert "No entry of" in shown
        assert program.poll() is None
        for answer in answers:
            offered = re.search(rf"([0-9]+)  add .*\({re.escape(answer)}\)", shown) if answer else None
            asking.type(offered[1] if offered else answer.format(tmp_path))
        told, errors = program.communicate(timeout=PATIENCE)
    assert out == told, errors
    after = shell.entries()
    new = {entry for name in after for entry in after[name] - before[name]}
    assert new == ({line.format(tmp_path)} if line else set())


@pytest.mark.slow
def test_answers_for_good_are_given_without_asking_again(shell: Supervised, asking: Asking, tmp_path: Path) -> None:
    with started(shell, tmp_path / "secret", tmp_path / "secret") as program:
        asking.until(SECRET + "(.|\n)*Answer")
        asking.type("s")
        assert b"secret\nsecret\n" == program.communicate(timeout=PATIENCE)[0]
    with started(shell, tmp_path / "secret") as program:
        assert b"secret\n" == program.communicate(timeout=PATIENCE)[0]


@pytest.mark.slow
def test_no_answer_in_time_denies(shell: Supervised, tmp_path: Path) -> None:
    asking = Asking(shell, "--timeout", "0.5")
    try:
        asking.until("asking for what runs")
        with started(shell, tmp_path / "secret") as program:
            asking.until("denied: no answer in time")
            assert b"" == program.communicate(timeout=PATIENCE)[0]
    finally:
        asking.end()


@pytest.mark.slow
def test_with_the_asker_gone_what_waits_is_denied(shell: Supervised, asking: Asking, tmp_path: Path) -> None:
    with started(shell, tmp_path / "secret") as program:
        asking.until(SECRET)
        asking.process.kill()
        assert b"" == program.communicate(timeout=PATIENCE)[0]


@pytest.mark.slow
def test_with_nobody_at_the_keyboard_it_ends(shell: Supervised, asking: Asking, tmp_path: Path) -> None:
    assert asking.process.stdin is not None
    asking.process.stdin.close()
    asking.process.stdin = None
    with started(shell, tmp_path / "secret") as program:
        asking.until("nobody is here to answer any more")
        assert b"" == program.communicate(timeout=PATIENCE)[0]
    assert 0 == asking.process.wait(PATIENCE)


def test_a_time_out_is_a_number_above_zero(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path / "policy")
    words = [supervised.python, "-m", "sekisho", "ask", "-P", str(supervised.path), "--timeout", "0"]
    done = subprocess.run(words, capture_output=True, text=True, env=supervised.environment(), timeout=60, check=False)
    assert 2 == done.returncode
    assert "--timeout: expected a number of seconds above 0, found 0" in done.stderr
