from __future__ import annotations

from sekisho.engine.lsm.publish.groups import Groups
from sekisho.policy.model import Name, Namespace, Profile


def test_only_what_groups_have_makes_another_version() -> None:
    groups, space = Groups(), Namespace("<kernel>")
    first = groups.version(space)
    space.generation += 1
    space.profiles[1] = Profile()
    same = groups.version(space)
    space.path_groups["G"] = [Name("/etc/hostname")]
    space.generation += 1
    other = groups.version(space)

    assert first == same != other == groups.version(space)


def test_namespaces_have_versions_of_their_own() -> None:
    groups = Groups()
    here, there = Namespace("<kernel>"), Namespace("<apart>")

    assert groups.version(here) != groups.version(there)
    assert groups.version(Namespace("<kernel>")) == groups.version(here)
