from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from sekisho.engine.lsm import guards
from sekisho.engine.lsm.guards import GuardKey, Guards


def test_a_directory_is_held_and_all_that_leads_to_it(tmp_path: Path) -> None:
    below = tmp_path / "policy"
    below.mkdir()
    held = Guards()
    held.directory(below)

    by_inode = {number: flags for (kind, _, number), flags in held.rows.items() if kind == guards.INODE}
    assert by_inode[below.stat().st_ino] & guards.TREE
    assert by_inode[tmp_path.stat().st_ino] == guards.WAY
    assert by_inode[Path("/").stat().st_ino] & guards.WAY


def test_each_directory_below_is_held_but_no_file(tmp_path: Path) -> None:
    inner = tmp_path / "outer/inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    (inner / "link").symlink_to("/")
    held = Guards()
    held.directory(tmp_path)

    by_inode = {number: flags for (_, _, number), flags in held.rows.items()}
    assert by_inode[inner.stat().st_ino] == by_inode[inner.parent.stat().st_ino] == guards.TREE
    assert (inner / "file").stat().st_ino not in by_inode
    assert not by_inode[Path("/").stat().st_ino] & guards.TREE


def test_the_sieve_has_a_bit_for_each_inode() -> None:
    held = Guards()
    assert not any(held.sieve())
    held.add(guards.INODE, 7, device=3)
    held.add(guards.MAP, 8)
    (place,) = (at for at, byte in enumerate(held.sieve()) if byte)

    spread = (7 + (3 << 32)) * 0x9E3779B97F4A7C15 % (1 << 64) >> 48
    assert len(held.sieve()) == 8192
    assert held.sieve()[place] == 1 << spread % 8
    assert place == spread // 8


def test_a_link_to_a_directory_holds_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "link").symlink_to("policy")
    by_link, by_name = Guards(), Guards()
    by_link.directory(tmp_path / "link")
    by_name.directory(tmp_path / "policy")

    assert by_link == by_name


def test_what_is_not_there_cannot_be_held(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        Guards().directory(tmp_path / "nothing")


def test_rows_are_as_the_kernel_side_has_them(tmp_path: Path) -> None:
    held = guards.of([7], [8], [9], [tmp_path])

    assert ctypes.sizeof(GuardKey) == 16
    assert held.raw()[bytes(GuardKey(guards.MAP, 0, 7))] == (guards.TREE).to_bytes(4, "little")
    assert bytes(GuardKey(guards.PROGRAM, 0, 8)) in held.raw()
    assert bytes(GuardKey(guards.LINK, 0, 9)) in held.raw()
    assert bytes(GuardKey(guards.SPACE, 0, os.stat("/proc/self/ns/mnt").st_ino)) in held.raw()
