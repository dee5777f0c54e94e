"""A disk without room, a clock that jumps: what is refused stays so, what is learned is saved later or told as lost.

The disk is a small tmpfs in a mount namespace of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from tests.engine.supervisor.supervised import Supervised

from sekisho.decide.request import Facts
from sekisho.engine.keeping import Keeper
from sekisho.engine.records import RecordQueue
from sekisho.policy.model import Mode
from sekisho.store.directory import PolicyDirectory

ROOM = "1m"


def on_a_small_disk(supervised: Supervised, script: str, *command: str | Path) -> tuple[int, str, dict[str, str]]:
    """(status, what was told, files of the policy directory) of ``command``, when ``script`` has used up the room."""
    path, copy = supervised.path, supervised.path.with_name("copy")
    shell = f"""
        cp -a {path} {copy} && mount -t tmpfs -o size={ROOM},mode=700 none {path} && cp -a {copy}/. {path} || exit 99
        {script}
        "$@"
        status=$?
        rm -f {path}/ballast; cp -a {path}/. {copy}
        exit $status
    """
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", shell, "sh", *map(str, command)],
        env=supervised.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    files = {each.name: each.read_text() for each in copy.iterdir()}
    return done.returncode, done.stderr, files


def fill(path: Path) -> str:
    """Shell that leaves no byte free below ``path``."""
    return f"cat /dev/zero >{path}/ballast 2>/dev/null"


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.needs("unshare", "mount")
@pytest.mark.parametrize("frees", [True, False])
def test_what_is_learned_on_a_full_disk_is_saved_once_there_is_room(policy_directory: Path, frees: bool) -> None:
    supervised = Supervised(policy_directory)
    learned = f"rm -f {policy_directory}/ballast; " if frees else ""
    command = supervised.arguments("learn", "sh", "-c", f"cat /etc/hostname; {learned}true")
    status, told, files = on_a_small_disk(supervised, fill(policy_directory), *command)

    assert 0 == status, told
    assert "Traceback" not in told
    assert "No space left on device" in told
    assert f"{policy_directory}/audit.jsonl: No space left on device: audit records are being lost" in told
    saved = re.search(r"file read\S* /etc/hostname", files["domain_policy.conf"]) is not None
    assert saved is frees, told
    if not frees:
        assert "could not save what was learned" in told
        assert f"make room on the disk or {policy_directory} writable" in told
    # Whatever happened, the policy can be read, and nothing half-written is left.
    assert not [name for name in files if name.endswith(".new")]


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.needs("unshare", "mount")
def test_what_is_forbidden_stays_so_when_nothing_can_be_recorded(policy_directory: Path) -> None:
    supervised = Supervised(policy_directory)
    script = "cat /etc/hostname; cat /etc/passwd; cat /etc/hostname"
    supervised.learn("sh", "-c", script.replace("passwd", "hostname"))
    policy = policy_directory / "domain_policy.conf"
    text = policy.read_text().replace("use_profile 1\nuse_group 0\n", "use_profile 3\nuse_group 0\n\nmisc env \\*\n")
    policy.write_text(text)
    supervised.forget_records()
    command = supervised.arguments("run", "sh", "-c", script)
    status, told, files = on_a_small_disk(supervised, fill(policy_directory), *command)

    assert 0 == status, told
    assert 1 == told.count("cat: /etc/passwd: Operation not permitted"), told
    assert f"{policy_directory}/audit.jsonl: No space left on device: audit records are being lost" in told
    assert "passwd" not in files.get("audit.jsonl", "")


@pytest.mark.parametrize("jump", [-1e9, -3600, 3600, 1e9, 6e9])
def test_a_clock_that_jumps_changes_nothing_but_what_is_recorded(
    policy_directory: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    directory = PolicyDirectory(policy_directory)
    directory.create()
    said: list[str] = []
    keeper = Keeper(directory, directory.load(), RecordQueue(), said.append)
    kernel = keeper.policy.domains["<kernel>"]
    keeper.note(kernel, "before", Facts())
    begun = time.time()
    monkeypatch.setattr(time, "time", lambda: begun + jump)
    keeper.note(kernel, "after", Facts())
    keeper.violated(Mode.ENFORCING)
    keeper.updated()
    assert 0 <= keeper.patience() <= 2
    keeper.save()
    keeper.close()

    assert [] == said
    assert ["before", "after"] == [json.loads(line)["acl"] for line in directory.audit_log.read_text().splitlines()]
    assert 1 == PolicyDirectory(policy_directory).statistics().enforcing.number
    assert os.path.getsize(policy_directory / "stat.conf")
