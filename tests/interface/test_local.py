from __future__ import annotations

import errno
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interface.serving import PATIENCE, eventually

from sekisho.interface.local import Local
from sekisho.store.directory import PolicyDirectory

EDITOR = """
import sys
from pathlib import Path
from sekisho.interface.local import Local
local = Local(Path(sys.argv[1]), print)
for number in range(30):
    file = local.open("domain_policy")
    file.write(f"<kernel> /{sys.argv[2]}\\nfile read /{sys.argv[2]}/{number}\\n".encode())
    if number > 0:
        file.write(f"delete file read /{sys.argv[2]}/{number - 1}\\n".encode())
    file.close()
    other = local.open("exception_policy")
    other.write(f"path_group SHARED /{sys.argv[2]}/{number}\\n".encode())
    other.close()
local.close()
"""


@pytest.fixture
def directory(policy_directory: Path) -> Path:
    PolicyDirectory(policy_directory).create()
    return policy_directory


@pytest.fixture
def local(directory: Path) -> Iterator[Local]:
    local = Local(directory, print)
    yield local
    local.close()


def domains(directory: Path) -> str:
    return (directory / "domain_policy.conf").read_text()


def test_it_is_saved_when_a_file_is_closed(local: Local, directory: Path) -> None:
    file = local.open("domain_policy")
    file.write(b"<kernel> /a\nfile read /a\n", 1, 4711)
    file.close()
    file.close()

    assert domains(directory).endswith("<kernel> /a\nuse_profile 0\n\nfile read /a\n\n")


def test_and_within_a_second_while_it_is_open_however_much_is_written(local: Local, directory: Path) -> None:
    file = local.open("domain_policy")
    start = time.monotonic()
    while "<kernel> /0" not in domains(directory):
        file.write(b"<kernel> /0\nfile read /a\ndelete file read /a\n")
        assert time.monotonic() < start + PATIENCE
        time.sleep(0.02)
    file.close()


def test_a_change_of_nothing_writes_nothing(local: Local, directory: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}
    file = local.open("domain_policy")
    file.read(4096)
    file.write(b"nonsense\nselect <kernel>\n")
    file.close()

    assert before == {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}


def test_whoever_opens_a_file_sees_what_others_saved(local: Local, directory: Path) -> None:
    other = Local(directory, print)
    for service, name in ((local, b"/ours"), (other, b"/theirs")):
        file = service.open("domain_policy")
        file.write(b"<kernel> " + name + b"\n")
        file.close()
    file = local.open("domain_policy")
    assert b"<kernel> /ours\n" in file.read(4096)
    file.close()
    file = local.open("domain_policy")
    assert b"<kernel> /theirs\n" in file.read(4096)
    file.write(b"delete <kernel> /theirs\n")
    file.close()
    file = other.open("domain_policy")
    assert b"<kernel> /theirs\n" not in file.read(4096)
    file.close()
    other.close()


def test_two_tools_at_once_lose_nothing_of_each_other(directory: Path) -> None:
    editors = [subprocess.Popen([sys.executable, "-c", EDITOR, str(directory), name]) for name in "ab"]
    assert [0, 0] == [editor.wait(120) for editor in editors]

    entries = {line for line in domains(directory).splitlines() if line.startswith("file")}
    assert entries == {"file read /a/29", "file read /b/29"}
    members = set((directory / "exception_policy.conf").read_text().splitlines())
    assert members == {f"path_group SHARED /{name}/{number}" for name in "ab" for number in range(30)}


def test_every_file_can_be_read(local: Local) -> None:
    texts = {}
    for name in ("version", "stat", "profile", "manager", "self_domain", ".tree", "audit", "query"):
        file = local.open(name)
        texts[name] = file.read(100_000)
        assert file.readable() == (name not in ("audit", "query"))
        file.close()

    assert texts["version"] == b"2.6.0"
    assert texts["self_domain"] == b"<kernel>"
    assert texts["profile"].startswith(b"PROFILE_VERSION=20150505\n")
    assert texts[".tree"] == texts["audit"] == texts["query"] == b""


def test_waiting_for_what_never_comes_ends(local: Local) -> None:
    file = local.open("query")
    assert not file.wait_readable(0.05)
    assert local.open("stat").wait_readable(PATIENCE)
    file.close()


def test_what_is_not_there_and_what_is_closed(local: Local) -> None:
    with pytest.raises(FileNotFoundError):
        local.open("nonsense")
    file = local.open("version")
    file.close()
    with pytest.raises(OSError) as error:
        file.read(1)
    assert error.value.errno == errno.EBADF


def test_closing_saves_and_leaves_no_thread(directory: Path) -> None:
    threads = threading.active_count()
    local = Local(directory, print)
    local.open("domain_policy").write(b"<kernel> /a\n")
    assert threading.active_count() == threads + 1
    local.close()

    assert "<kernel> /a\n" in domains(directory)
    assert threading.active_count() == threads


def test_what_could_not_be_saved_is_told_and_saved_later(directory: Path) -> None:
    said: list[str] = []
    local = Local(directory, said.append)
    file = local.open("domain_policy")
    good = domains(directory)
    (directory / "domain_policy.conf").write_text(good + "nonsense\n")
    file.write(b"<kernel> /a\n")
    eventually(lambda: bool(said))
    (directory / "domain_policy.conf").write_text(good)
    eventually(lambda: "<kernel> /a\n" in domains(directory))
    local.close()
