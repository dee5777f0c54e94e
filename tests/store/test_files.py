from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sekisho.errors import PolicyError, UserError
from sekisho.store import files

WRITER = """
import sys
from pathlib import Path
from sekisho.store import files

directory, size = Path(sys.argv[1]), int(sys.argv[2])
with files.opened(directory) as fd:
    print("ready", flush=True)
    for turn in range(10**9):
        with files.locked(fd, directory):
            files.replace(fd, directory, "file", f"{turn % 10}" * size + "\\n")
"""


def replace(directory: Path, name: str, text: str) -> None:
    with files.opened(directory) as fd, files.locked(fd, directory):
        files.replace(fd, directory, name, text)


def read(directory: Path, name: str) -> str | None:
    with files.opened(directory) as fd:
        return files.read(fd, directory, name)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    replace(tmp_path, "file", "one\n")
    replace(tmp_path, "file", "two\n")

    assert read(tmp_path, "file") == "two\n"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert {"file", ".lock"} == set(os.listdir(tmp_path))


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, "file") is None


def test_a_missing_directory_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no policy directory .*sekisho learn"):
        read(tmp_path / "absent", "file")


def test_a_file_in_place_of_the_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")

    with pytest.raises(UserError, match="cannot open policy directory .*Not a directory"):
        read(tmp_path / "plain", "file")


@pytest.mark.parametrize("target", ["target", "absent"])
def test_a_symbolic_link_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "target").write_text("text\n")
    (tmp_path / "file").symlink_to(target)

    with pytest.raises(UserError, match="file is a symbolic link"):
        read(tmp_path, "file")


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "file")

    with pytest.raises(UserError, match="isn't a regular file"):
        read(tmp_path, "file")


def test_a_byte_outside_ascii_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"<kernel>\nfile read /caf\xc3\xa9\n")

    with pytest.raises(PolicyError) as caught:
        read(tmp_path, "file")

    assert f"{tmp_path}/file:2:15: byte 0xc3 can't stand in policy; write it as \\303" == str(caught.value)


def test_on_a_full_disk_the_old_text_stays(tmp_path: Path) -> None:
    replace(tmp_path, "file", "old\n")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A limit on the size of files stops the write half way, as a full disk does.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(UserError, match="cannot write .*file: File too large; nothing was changed"):
            replace(tmp_path, "file", "new\n" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert read(tmp_path, "file") == "old\n"
    assert {"file", ".lock"} == set(os.listdir(tmp_path))


@pytest.mark.root
@pytest.mark.needs("mount")
def test_on_a_really_full_disk_the_old_text_stays(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "none", str(tmp_path)], check=True)
    try:
        replace(tmp_path, "file", "old\n")
        with pytest.raises(UserError, match="No space left on device; nothing was changed"):
            replace(tmp_path, "file", "new\n" * 50_000)
        assert read(tmp_path, "file") == "old\n"
        replace(tmp_path, "file", "small\n")
        assert read(tmp_path, "file") == "small\n"
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_kill_leaves_a_whole_file(tmp_path: Path) -> None:
    size = 300_000
    replace(tmp_path, "file", "0" * size + "\n")
    for turn in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(size)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.003 * turn)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()

        text = read(tmp_path, "file")
        assert text is not None
        assert (size + 1, 2) == (len(text), len(set(text)))
    replace(tmp_path, "file", "after\n")
    assert {"file", ".lock"} == set(os.listdir(tmp_path))


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with files.opened(tmp_path) as fd, files.locked(fd, tmp_path):
            order.append("second")

    with files.opened(tmp_path) as fd, files.locked(fd, tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join(10)

    assert ["first", "second"] == order


@pytest.mark.root
def test_root_refuses_what_others_could_change(tmp_path: Path) -> None:
    directory = tmp_path / "policy"
    directory.mkdir(0o700)
    file = directory / "file"
    file.write_text("text\n")
    link = tmp_path / "link"
    link.symlink_to(directory)

    with pytest.raises(UserError, match="link is a symbolic link"):
        read(link, "file")
    file.chmod(0o666)
    with pytest.raises(UserError, match=r"file can be written by others.*chmod go-w"):
        read(directory, "file")
    file.chmod(0o600)
    os.chown(file, 1000, 1000)
    with pytest.raises(UserError, match="file belongs to user 1000"):
        read(directory, "file")
    os.chown(file, 0, 0)
    os.chown(directory, 1000, 1000)
    with pytest.raises(UserError, match="policy belongs to user 1000"):
        read(directory, "file")
