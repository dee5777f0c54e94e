"""Looking a path up against what the kernel itself says of it."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.forked import child, wait_for_word

from sekisho.engine.supervisor.objects import lookup
from sekisho.engine.supervisor.objects.filesystems import FileSystems
from sekisho.engine.supervisor.objects.lookup import View
from sekisho.engine.supervisor.system import libc

NAMES = [b"a", b"b", b"c"]
PATH_ONLY = os.O_PATH | os.O_CLOEXEC
IN_ROOT = 0x10

names = st.sampled_from(NAMES)
pieces = st.sampled_from([*NAMES, *NAMES, b".", b"..", b""])
relative = st.lists(pieces, min_size=1, max_size=6).map(b"/".join)
paths = st.one_of(relative, relative.map(lambda path: b"/" + path))
links = st.tuples(st.just("link"), paths.filter(bool))
trees = st.recursive(
    st.one_of(st.just("file"), links),
    lambda inner: st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
roots = st.dictionaries(names, trees, min_size=1, max_size=3)
Tree = dict[bytes, object]


def build(where: bytes, tree: Tree, inside: bytes) -> None:
    """``tree`` in ``where``; absolute links lead into ``inside``."""
    for name, node in tree.items():
        path = where + b"/" + name
        if isinstance(node, dict):
            os.mkdir(path)
            build(path, node, inside)
        elif isinstance(node, tuple):
            target = node[1]
            os.symlink(inside + target if target.startswith(b"/") else target, path)
        else:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


@dataclass
class Grown:
    """A tree on disk, its top pinned."""

    path: bytes
    fd: int

    def view(self, *, root: int = -1) -> View:
        return View(os.getpid(), os.getpid(), os.geteuid(), self.fd, root)


class _Growing:
    def __init__(self, tree: Tree, *, rooted: bool) -> None:
        self.path = os.fsencode(tempfile.mkdtemp())
        build(self.path, tree, b"" if rooted else self.path)

    def __enter__(self) -> Grown:
        self.fd = os.open(self.path, PATH_ONLY)
        return Grown(self.path, self.fd)

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
        shutil.rmtree(self.path)


def what(open_it: Callable[[], int]) -> tuple[int, int] | str:
    """Device and inode number of what ``open_it`` opens, or the name of its error."""
    try:
        fd = open_it()
    except OSError as failure:
        return errno.errorcode[failure.errno or 0]
    status = os.fstat(fd)
    os.close(fd)
    return status.st_dev, status.st_ino


def kernel(start: int, path: bytes, *, follow: bool, resolve: int = 0) -> tuple[int, int] | str:
    flags = PATH_ONLY | (0 if follow else os.O_NOFOLLOW)
    return what(lambda: libc.openat2(start, path, libc.OpenHow(flags, resolve)))


def ours(view: View, path: bytes, *, follow: bool) -> tuple[int, int] | str:
    return what(lambda: lookup.find(view, path, FileSystems(), follow=follow))


@pytest.fixture
def real_root() -> Iterator[int]:
    fd = os.open("/", PATH_ONLY)
    yield fd
    os.close(fd)


@given(roots, st.lists(paths, min_size=1, max_size=8), st.booleans())
def test_finds_what_the_kernel_finds(tree: Tree, asked: list[bytes], follow: bool) -> None:
    root = os.open("/", PATH_ONLY)
    with _Growing(tree, rooted=False) as grown:
        for path in asked:
            path = grown.path + path if path.startswith(b"/") else path
            expected = kernel(grown.fd, path, follow=follow)

            assert expected == ours(grown.view(), path, follow=follow), path
            assert expected == ours(grown.view(root=root), path, follow=follow), (path, "component by component")
    os.close(root)


@given(roots, st.lists(paths, min_size=1, max_size=8), st.booleans())
def test_a_root_directory_of_its_own(tree: Tree, asked: list[bytes], follow: bool) -> None:
    with _Growing(tree, rooted=True) as grown:
        for path in asked:
            expected = kernel(grown.fd, path, follow=follow, resolve=IN_ROOT)

            assert expected == ours(grown.view(root=grown.fd), path, follow=follow), path


@given(roots, st.lists(paths, min_size=1, max_size=8))
def test_the_parent_and_the_last_name_lead_to_the_same(tree: Tree, asked: list[bytes]) -> None:
    with _Growing(tree, rooted=False) as grown:
        for path in asked:
            path = grown.path + path if path.startswith(b"/") else path
            expected = kernel(grown.fd, path, follow=False)
            if isinstance(expected, str):
                continue
            parent, last = lookup.find_parent(grown.view(), path, FileSystems())
            assert expected == kernel(parent, last, follow=False), (path, last)
            os.close(parent)


@given(roots, paths)
def test_no_descriptor_is_left(tree: Tree, path: bytes) -> None:
    before = os.listdir("/proc/self/fd")
    with _Growing(tree, rooted=True) as grown:
        ours(grown.view(root=grown.fd), path, follow=True)

    assert before == os.listdir("/proc/self/fd")


def here(*, root: int = -1) -> View:
    return View(os.getpid(), os.getpid(), os.geteuid(), libc.AT_FDCWD, root)


@pytest.mark.parametrize(
    ("path", "last"),
    [(b"/", b"."), (b"//", b"."), (b"/proc", b"proc"), (b"/proc/", b"proc/"), (b"/proc///", b"proc///")],
)
def test_the_last_name_keeps_its_slashes(path: bytes, last: bytes) -> None:
    parent, found = lookup.find_parent(here(), path, FileSystems())

    assert last == found
    assert os.path.samestat(os.stat("/"), os.fstat(parent))
    os.close(parent)


def test_names_that_are_no_names(real_root: int) -> None:
    for view in (here(), here(root=real_root)):
        with failing(errno.ENOENT):
            lookup.find(view, b"", FileSystems())
        with failing(errno.ENOENT):
            lookup.find_parent(view, b"", FileSystems())
        # Whether there can be such a name is found out after the other name of a rename.
        found, last = lookup.find_parent(view, b"/" + b"x" * 256, FileSystems())
        os.close(found)
        assert b"x" * 256 == last
        with failing(errno.ENAMETOOLONG):
            lookup.find(view, b"/" + b"x" * 256, FileSystems())


@pytest.mark.parametrize("count", [40, 41])
def test_as_many_links_as_the_kernel_follows(tmp_path: Path, real_root: int, count: int) -> None:
    (tmp_path / "0").touch()
    for number in range(count):
        (tmp_path / str(number + 1)).symlink_to(str(number))
    path = os.fsencode(tmp_path / str(count))
    expected = kernel(libc.AT_FDCWD, path, follow=True)

    assert (expected == "ELOOP") is (count > 40)
    assert expected == ours(here(), path, follow=True)
    assert expected == ours(here(root=real_root), path, follow=True)


OTHERS = [
    b"/proc/self",
    b"/proc/self/",
    b"/proc/self/status",
    b"/proc/self/../self/comm",
    b"/proc/self/task/../cmdline",
    b"/proc/mounts",
    b"/proc/net",
    b"/proc/net/tcp",
    b"self-link/stat",
    b"stat-link",
    b"/proc/self/cwd",
    b"/proc/self/cwd/marker",
    b"/proc/self/root/proc",
    b"/proc/self/exe",
    b"/proc/self/fd",
]


@pytest.mark.parametrize("walked", [False, True])
@pytest.mark.parametrize("path", OTHERS)
def test_proc_means_the_caller(tmp_path: Path, real_root: int, path: bytes, walked: bool) -> None:
    (tmp_path / "self-link").symlink_to("/proc/self")
    (tmp_path / "stat-link").symlink_to("/proc/self/stat")
    (tmp_path / "marker").touch()
    start = os.open(tmp_path, PATH_ONLY)

    def play(channel: object) -> None:
        os.chdir(tmp_path)
        wait_for_word(channel)  # type: ignore[arg-type]

    with child(play) as caller:
        caller.hear()
        view = View(caller.pid, caller.pid, os.geteuid(), start, real_root if walked else -1)
        theirs = path.replace(b"/proc/", b"/proc/%d/" % caller.pid, 1).replace(b"/self", b"", 1)
        if path.startswith(b"/proc/self/../self"):
            theirs = b"/proc/%d/comm" % caller.pid
        theirs = {b"self-link/stat": b"/proc/%d/stat" % caller.pid, b"stat-link": b"/proc/%d/stat" % caller.pid}.get(
            path, theirs
        )

        assert what(lambda: os.open(theirs, PATH_ONLY)) == ours(view, path, follow=True)
    os.close(start)


@pytest.mark.parametrize("walked", [False, True])
def test_a_descriptor_of_the_caller_by_name(tmp_path: Path, real_root: int, walked: bool) -> None:
    (tmp_path / "theirs").touch()

    def play(channel: object) -> None:
        os.dup2(os.open(tmp_path / "theirs", os.O_RDONLY), 600)
        wait_for_word(channel)  # type: ignore[arg-type]

    with child(play) as caller:
        caller.hear()
        view = View(caller.pid, caller.pid, os.geteuid(), libc.AT_FDCWD, real_root if walked else -1)
        status = os.stat(tmp_path / "theirs")

        for path in (b"/proc/self/fd/600", b"/dev/fd/600", b"/proc/thread-self/fd/600"):
            assert (status.st_dev, status.st_ino) == ours(view, path, follow=True), path
        link = ours(view, b"/proc/self/fd/600", follow=False)
        assert what(lambda: os.open(f"/proc/{caller.pid}/fd/600", PATH_ONLY | os.O_NOFOLLOW)) == link
        assert "ENOENT" == ours(view, b"/proc/self/fd/601", follow=True)


@pytest.mark.parametrize("path", [b"/proc/self/fd/0/x", b"/dev/null/", b"/dev/null/.", b"/dev/null/.."])
def test_what_is_no_directory(real_root: int, path: bytes) -> None:
    for view in (here(), here(root=real_root)):
        assert kernel(libc.AT_FDCWD, path, follow=True) == ours(view, path, follow=True)


def test_links_that_anybody_may_plant_are_followed_only_by_their_owners(tmp_path: Path, real_root: int) -> None:
    """fs.protected_symlinks, which the component walk must hold to: for a link that is the path's last component."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)
    (tmp_path / "file").touch()
    (tmp_path / "open/link").symlink_to(tmp_path / "file")
    path = os.fsencode(tmp_path / "open/link")
    owner = os.geteuid()

    def walked(fsuid: int, *, protected: bool = True, path: bytes = path) -> object:
        systems = FileSystems()
        systems.protected_symlinks = protected
        view = View(os.getpid(), os.getpid(), fsuid, libc.AT_FDCWD, real_root)
        return what(lambda: lookup.find(view, path, systems, follow=True))

    assert kernel(libc.AT_FDCWD, path, follow=True) == walked(owner)
    if owner == 0:
        os.lchown(path, 1234, 1234)
        assert kernel(libc.AT_FDCWD, path, follow=True) == ours(here(root=real_root), path, follow=True)
        assert "EACCES" == walked(0)
        assert isinstance(walked(1234), tuple)
        assert isinstance(walked(0, protected=False), tuple)
        os.symlink(tmp_path, path + b"s")
        os.lchown(path + b"s", 1234, 1234)
        assert isinstance(walked(0, path=path + b"s/file"), tuple)
        assert isinstance(walked(0, path=path + b"s/."), tuple)
        assert "EACCES" == walked(0, path=path + b"s/")


@pytest.mark.parametrize(
    "target", ["file/", "file/.", "file/..", "directory/", "directory/.", ".", "./", "directory/.."]
)
@pytest.mark.parametrize("follow", [False, True])
def test_links_whose_text_demands_a_directory(tmp_path: Path, real_root: int, target: str, follow: bool) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "second").symlink_to("link")
    for name in ("link", "link/", "second", "second/", "link/x", "second/.."):
        path = os.fsencode(tmp_path / "link").removesuffix(b"link") + name.encode()
        expected = kernel(libc.AT_FDCWD, path, follow=follow)

        assert expected == ours(here(), path, follow=follow), path
        assert expected == ours(here(root=real_root), path, follow=follow), (path, "component by component")
