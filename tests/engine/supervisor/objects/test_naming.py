from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.supervisor.forked import child, wait_for_word

from sekisho.decide.request import FileType
from sekisho.engine.supervisor.objects import naming
from sekisho.engine.supervisor.objects.filesystems import PROC_SUPER_MAGIC, FileSystems
from sekisho.engine.supervisor.objects.naming import Namer, inode, raw_path
from sekisho.names.word import decode, is_correct_word


def namer() -> Namer:
    return Namer(FileSystems())


def name_of(path: str | bytes | Path | int, own_pid: int = 0, flags: int = 0) -> str:
    """The canonical name of what stands at ``path``, or of a descriptor (which is left open)."""
    fd = path if isinstance(path, int) else os.open(path, os.O_PATH | os.O_CLOEXEC | flags)
    try:
        return namer().name(fd, raw_path(fd), os.fstat(fd), own_pid)
    finally:
        if not isinstance(path, int):
            os.close(fd)


def test_a_file_a_directory_and_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")

    assert f"{tmp_path}/file" == name_of(tmp_path / "file") == name_of(tmp_path / "link")
    assert f"{tmp_path}/link" == name_of(tmp_path / "link", flags=os.O_NOFOLLOW)
    assert f"{tmp_path}/" == name_of(tmp_path)
    assert "/" == name_of("/")


def test_proc_under_its_own_name() -> None:
    own = os.getpid()

    assert "proc:/self/status" == name_of(f"/proc/{own}/status", own)
    assert "proc:/self/" == name_of(f"/proc/{own}", own)
    assert f"proc:/{own}/status" == name_of(f"/proc/{own}/status", own_pid=1)
    assert "proc:/" == name_of("/proc")
    assert "proc:/sys/" == name_of("/proc/sys")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"/proc/12/stat", "proc:/self/stat"),
        (b"/proc/12", "proc:/self"),
        (b"/proc/123/stat", "proc:/123/stat"),
        (b"/proc/1/task/12/stat", "proc:/1/task/12/stat"),
        (b"/proc/12/task/12/stat", "proc:/self/task/12/stat"),
    ],
)
def test_self_is_the_caller_and_only_in_its_place(path: bytes, name: str) -> None:
    device = os.stat("/proc").st_dev

    assert name == namer().spell(path, PROC_SUPER_MAGIC, device, own_pid=12, directory=False)


def test_another_process_is_itself() -> None:
    with child(wait_for_word) as other:
        other.hear()

        assert f"proc:/{other.pid}/comm" == name_of(f"/proc/{other.pid}/comm", os.getpid())
        assert "proc:/self/comm" == name_of(f"/proc/{other.pid}/comm", other.pid)


def test_a_terminal() -> None:
    ours, theirs = os.openpty()
    number = os.ttyname(theirs).rpartition("/")[2]

    assert f"devpts:/{number}" == name_of(theirs)
    os.close(ours)
    os.close(theirs)


@pytest.fixture
def deleted(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "gone", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    os.unlink(tmp_path / "gone")
    yield fd
    os.close(fd)


def test_a_deleted_file_keeps_its_name(tmp_path: Path, deleted: int) -> None:
    assert f"{tmp_path}/gone" == name_of(deleted)


def test_a_deleted_file_with_another_in_its_place(tmp_path: Path, deleted: int) -> None:
    (tmp_path / "gone").touch()
    (tmp_path / "gone (deleted)").touch()

    assert f"{tmp_path}/gone" == name_of(deleted)


def test_a_file_that_is_called_deleted(tmp_path: Path) -> None:
    (tmp_path / "file (deleted)").touch()

    assert f"{tmp_path}/file\\040(deleted)" == name_of(tmp_path / "file (deleted)")


def test_what_has_no_path() -> None:
    here, there = os.pipe()
    pair = socket.socketpair()

    assert f"pipe:[{os.fstat(here).st_ino}]" == name_of(here)
    assert f"socket:[{os.fstat(pair[0].fileno()).st_ino}]" == name_of(pair[0].fileno())
    for end in (here, there):
        os.close(end)
    for each in pair:
        each.close()


def test_a_file_in_memory() -> None:
    fd = os.memfd_create("made", os.MFD_CLOEXEC)

    assert "/memfd:made\\040(deleted)" == name_of(fd)
    os.close(fd)


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"\xff\xfe", "\\377\\376"),
        (b"a b", "a\\040b"),
        (b"a\nb", "a\\012b"),
        (b"a\\b", "a\\\\b"),
        ("関".encode(), "\\351\\226\\242"),
    ],
)
def test_names_that_are_no_words(tmp_path: Path, raw: bytes, word: str) -> None:
    path = bytes(tmp_path) + b"/" + raw
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY))

    assert f"{tmp_path}/{word}" == name_of(path)


file_names = st.binary(min_size=1, max_size=40).filter(
    lambda raw: not {0, 0x2F} & set(raw) and raw not in (b".", b"..")
)


@given(file_names)
def test_every_name_becomes_a_word_that_leads_back(raw: bytes) -> None:
    word = namer().spell(b"/d/" + raw, 0, 0, 0, directory=False)

    assert is_correct_word(word)
    assert b"/d/" + raw == decode(word)


@given(st.lists(file_names, min_size=1, max_size=8))
def test_forgetting_what_was_encoded_changes_nothing(names: list[bytes]) -> None:
    remembering, forgetting = namer(), namer()
    for raw in names * 2:
        forgetting._encoded.clear()
        assert remembering.encode(raw) == forgetting.encode(raw)


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_REMEMBERED", 10)
    some = namer()
    for number in range(100):
        some.encode(b"%d" % number)

    assert len(some._encoded) <= 11


@pytest.mark.parametrize(("directory", "end"), [(False, ""), (True, "/")])
def test_the_name_of_what_isnt_there_yet(tmp_path: Path, directory: bool, end: str) -> None:
    parent = os.open(tmp_path, os.O_PATH | os.O_CLOEXEC)

    assert f"{tmp_path}/new{end}" == namer().child(parent, os.fstat(parent), b"new", 0, directory=directory)
    os.close(parent)


def test_a_child_of_the_root_and_of_proc() -> None:
    for path, name in (("/", "/new"), ("/proc", "proc:/new"), (f"/proc/{os.getpid()}/fd", "proc:/self/fd/new")):
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        assert name == namer().child(parent, os.fstat(parent), b"new", os.getpid(), directory=False)
        os.close(parent)


def test_facts_of_an_object(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o4751)
    status = os.stat(tmp_path / "file")
    got = inode(status)

    assert (os.getuid(), status.st_gid, status.st_ino) == (got.uid, got.gid, got.ino)
    assert (os.major(status.st_dev), os.minor(status.st_dev)) == (got.major, got.minor)
    assert (0o4751, FileType.FILE, None, None) == (got.perm, got.type, got.dev_major, got.dev_minor)


def test_kinds_of_objects(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))

    kinds = {path: inode(os.lstat(path)).type for path in (tmp_path, *tmp_path.iterdir(), Path("/dev/null"))}

    assert kinds == {
        tmp_path: FileType.DIRECTORY,
        tmp_path / "fifo": FileType.FIFO,
        tmp_path / "link": FileType.SYMLINK,
        tmp_path / "socket": FileType.SOCKET,
        Path("/dev/null"): FileType.CHAR,
    }


def test_numbers_of_a_device() -> None:
    null = inode(os.stat("/dev/null"))

    assert (1, 3) == (null.dev_major, null.dev_minor)


def test_what_tells_one_object_from_others(tmp_path: Path) -> None:
    """A file by its name and inode, a pipe by its number; opened again it is the same."""
    (tmp_path / "one").touch()
    (tmp_path / "other").touch()
    here, there = os.pipe()
    one, again, other = (os.open(tmp_path / name, os.O_PATH) for name in ("one", "one", "other"))

    assert naming.identity(one) == naming.identity(again)
    assert naming.identity(here) == naming.identity(there)
    assert 3 == len({naming.identity(fd) for fd in (one, other, here)})
    os.rename(tmp_path / "other", tmp_path / "one")
    assert naming.identity(one) != naming.identity(other)
    for fd in (here, there, one, again, other):
        os.close(fd)
