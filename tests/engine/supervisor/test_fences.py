from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.engine.supervisor import tried
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.test_bounds import DOMAIN, policy_of

from sekisho.engine.supervisor import fences
from sekisho.engine.supervisor.acting.fence import Fence
from sekisho.engine.supervisor.fences import Fences, Kind
from sekisho.engine.supervisor.system import landlock
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry
from sekisho.policy.model import Domain, Mode, Policy
from sekisho.policy.parser import parse_domain_policy


@dataclass
class Yard:
    """Fences of one policy, and those that were taken down."""

    policy: Policy
    fences: Fences
    down: list[Fence] = field(default_factory=list)

    @property
    def domain(self) -> Domain:
        return self.policy.domains[DOMAIN]

    def fence(self, kind: Kind = Kind.USE) -> Fence:
        found = self.fences.of(self.domain, kind)
        assert found is not None
        return found

    def allow(self, line: str) -> None:
        parse_domain_policy(f"{DOMAIN}\nuse_profile 3\n\n{line}\n", self.policy, source="test")

    def permits(self, action: Callable[[], object], fence: Fence | None = None) -> bool:
        """Whether ``action`` works inside the domain's fence, as it is made now or was before."""
        ruleset = fence or self.fence()

        def play() -> bool:
            ruleset.enter()
            try:
                action()
            except OSError:
                return False
            return True

        return tried.in_child(play)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("allowed", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("text")
    return tmp_path


@pytest.fixture
def yard(folder: Path) -> Iterator[Yard]:
    policy = policy_of(f"file read {folder}/allowed/file", f"file mkdir {folder}/allowed/new/\\*/ 0700")
    down: list[Fence] = []
    made = Yard(policy, Fences(policy, down.append), down)
    yield made
    made.fences.close()


def reading(path: Path) -> Callable[[], object]:
    return path.read_bytes


def test_what_policy_grants_works_and_nothing_else(yard: Yard, folder: Path) -> None:
    assert yard.permits(reading(folder / "allowed" / "file"))
    assert not yard.permits(reading(folder / "other" / "file"))
    assert not yard.permits((folder / "other" / "made").mkdir)


def test_what_isnt_there_yet_is_left_on_the_nearest_folder_above(yard: Yard, folder: Path) -> None:
    assert yard.permits((folder / "allowed" / "new").mkdir)


def test_a_file_system_that_is_served_from_elsewhere_counts_as_a_whole() -> None:
    stood = os.open("/proc/sys/kernel", os.O_PATH)
    device = os.fstat(stood).st_dev

    assert stood == fences._lasting(stood, b"/proc/sys/kernel", frozenset())
    stood = fences._lasting(stood, b"/proc/sys/kernel/not/there", frozenset({device}))

    assert os.readlink(f"/proc/self/fd/{stood}") == "/proc"
    os.close(stood)


def test_what_a_whole_file_system_is_left_on_can_be_read_all_over(
    yard: Yard, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fences, "served", lambda: frozenset({folder.stat().st_dev}))

    assert yard.permits(reading(folder / "allowed" / "file"))
    assert yard.permits(reading(folder / "other" / "file"))
    assert not yard.permits((folder / "other" / "file").unlink)


def test_a_fence_is_made_once(yard: Yard) -> None:
    assert yard.fence() is yard.fence()
    assert yard.fence(Kind.MOVE) is not yard.fence()


def test_what_policy_grants_later_works_then(yard: Yard, folder: Path) -> None:
    before = yard.fence()
    yard.allow(f"file read {folder}/other/file")

    assert yard.permits(reading(folder / "other" / "file"))
    assert ([before], False) == (yard.down, before.stands)


def test_what_makes_no_difference_to_landlock_makes_none(yard: Yard, folder: Path) -> None:
    before = yard.fence()
    yard.allow(f"file getattr {folder}/other/file")
    assert before is yard.fence()

    yard.fences.forget()

    assert before is yard.fence()
    assert [] == yard.down


def test_what_is_learned_makes_none_and_takes_no_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = policy_of("file create /tmp/x 0600", modes={"file::open": Mode.LEARNING})
    made = Yard(policy, Fences(policy, lambda fence: None))
    before = made.fence()
    looked: list[Domain] = []
    monkeypatch.setattr(made.fences, "_made", lambda domain, *_: looked.append(domain))

    for name in "abc":
        add_entry(made.domain, parse_acl(f"file read {folder}/{name}"))
        assert before is made.fence()

    assert [] == looked
    made.fences.close()


def test_one_that_cant_be_made_leaves_the_former_as_it_is(yard: Yard, folder: Path) -> None:
    before = yard.fence()
    yard.allow(f"file read {folder}/other/file")
    with pytest.MonkeyPatch.context() as short_of_descriptors:
        short_of_descriptors.setattr(landlock, "create", refused)
        for _ in range(2):
            with failing(errno.EMFILE):
                yard.fence()
        assert ([], True) == (yard.down, before.stands)

    assert yard.permits(reading(folder / "other" / "file"))
    assert [before] == yard.down


def refused(files: int, network: int) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_only_so_many_are_kept(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fences, "_MOST", 1)
    first = yard.fence()

    second = yard.fence(Kind.MOVE)

    assert [first] == yard.down
    assert second is yard.fence(Kind.MOVE)


def test_another_profile_is_another_fence(yard: Yard) -> None:
    yard.fence()
    yard.domain.profile = 4

    assert yard.fences.of(yard.domain, Kind.USE) is None
    assert len(yard.down) == 1


def test_what_is_forgotten_is_looked_at_anew(yard: Yard) -> None:
    yard.fence()
    yard.policy.forced_mode = Mode.LEARNING
    assert yard.fences.of(yard.domain, Kind.USE) is not None
    yard.fences.forget()

    assert yard.fences.of(yard.domain, Kind.USE) is None


def test_a_file_replaced_by_another_of_its_name(yard: Yard, folder: Path) -> None:
    file, before = folder / "allowed" / "file", yard.fence()
    (folder / "other" / "file").rename(file)
    assert not yard.permits(reading(file), before)

    assert yard.fences.renewed(yard.domain, Kind.USE) is yard.fence()
    assert yard.permits(reading(file))
    assert [before] == yard.down


def test_a_fence_that_stands_where_it_stood_isnt_renewed(yard: Yard, folder: Path) -> None:
    yard.fence()
    (folder / "other" / "file").unlink()

    assert yard.fences.renewed(yard.domain, Kind.USE) is None


def test_what_was_never_made_isnt_renewed(yard: Yard) -> None:
    assert yard.fences.renewed(yard.domain, Kind.USE) is None


def test_a_link_in_the_way_is_no_folder_of_that_name(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "other")
    policy = policy_of(f"file read {folder}/link/\\*")
    made = Yard(policy, Fences(policy, lambda fence: None))

    assert not made.permits(reading(folder / "other" / "file"))
    made.fences.close()


def test_a_kernel_without_landlock(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sekisho.engine.supervisor.system.landlock.known", lambda: (0, 0))
    made = Fences(yard.policy, yard.down.append)

    assert [None, None] == [made.of(yard.domain, kind) for kind in Kind]


def test_a_container_that_lets_nobody_be_held(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sekisho.engine.supervisor.fences.can_enter", lambda: False)
    made = Fences(yard.policy, yard.down.append)

    assert [None, None] == [made.of(yard.domain, kind) for kind in Kind]


def test_a_kernel_that_lets_nothing_be_moved_at_all_isnt_asked_to(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sekisho.engine.supervisor.system.landlock.known", lambda: ((1 << 13) - 1, 0))
    made = Fences(yard.policy, yard.down.append)

    assert made.of(yard.domain, Kind.MOVE) is None
    assert made.of(yard.domain, Kind.USE) is not None
    made.close()


def test_nothing_is_left_open(folder: Path) -> None:
    before = os.listdir("/proc/self/fd")
    policy = policy_of(f"file read {folder}/allowed/file")
    made = Yard(policy, Fences(policy, lambda fence: None))
    made.fence()
    made.fence(Kind.MOVE)

    made.fences.close()

    assert before == os.listdir("/proc/self/fd")
