from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from sekisho.engine.supervisor.acting import here
from sekisho.engine.supervisor.acting.here import HERE, Fd, limited


def test_a_descriptor_is_a_number_of_its_own_kind() -> None:
    assert 7 == Fd(7)
    assert not isinstance(7, Fd)


def test_our_descriptors_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    here.enter_process()
    fd = os.open(tmp_path / "file", os.O_PATH)
    opened = os.open(here.own_entry(fd), os.O_RDONLY, dir_fd=HERE.descriptors)

    assert b"text" == os.read(opened, 10)
    for each in (fd, opened, HERE.descriptors):
        os.close(each)
    HERE.descriptors = -1


def test_a_process_sees_its_own_file_systems() -> None:
    before = here.filesystems()
    here.enter_process()

    assert here.filesystems() is HERE.filesystems is not before
    os.close(HERE.descriptors)
    HERE.descriptors = -1


def test_the_umask_comes_back(tmp_path: Path) -> None:
    before = os.umask(0o22)
    with here.masked(0o77):
        (tmp_path / "made").touch()

    assert 0o22 == os.umask(before)
    assert 0o600 == (tmp_path / "made").stat().st_mode & 0o777


def test_the_working_directory_comes_back(tmp_path: Path) -> None:
    before = os.getcwd()
    fd = os.open(tmp_path, os.O_PATH)
    with here.standing_in(fd):
        assert os.path.realpath(tmp_path) == os.getcwd()

    assert before == os.getcwd()
    os.close(fd)


@pytest.mark.parametrize(("most", "expected"), [(100, 100), (0, 0), (resource.RLIM_INFINITY, None)])
def test_a_limit_holds_meanwhile(most: int, expected: int | None) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    with limited(resource.RLIMIT_FSIZE, most):
        assert (before[1] if expected is None else expected, before[1]) == resource.getrlimit(resource.RLIMIT_FSIZE)
    assert before == resource.getrlimit(resource.RLIMIT_FSIZE)
