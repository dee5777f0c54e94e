from __future__ import annotations

import copy

from sekisho.decide.groups import path_group
from sekisho.policy.model import Name, Namespace


def test_the_first_member_that_matches_is_given() -> None:
    namespace = Namespace("<kernel>", path_groups={"G": [Name("/b"), Name("/\\*"), Name("/a")]})

    assert path_group(namespace, "G").first("/a") == "/\\*"
    assert path_group(namespace, "G").first("/b") == "/b"
    assert path_group(namespace, "G").first("/c/d") is None


def test_a_group_is_made_ready_once_and_again_when_it_changed() -> None:
    namespace = Namespace("<kernel>", path_groups={"G": [Name("/a")]})
    ready = path_group(namespace, "G")

    assert ready is path_group(namespace, "G")
    namespace.path_groups["G"].append(Name("/b"))
    assert path_group(namespace, "G").first("/b") == "/b"
    namespace.path_groups["G"][0] = Name("/c")
    namespace.generation += 1
    assert path_group(namespace, "G").first("/a") is None


def test_an_undefined_group_has_no_members() -> None:
    assert path_group(Namespace("<kernel>"), "G").first("/a") is None


def test_a_copy_of_a_namespace_makes_its_own() -> None:
    namespace = Namespace("<kernel>", path_groups={"G": [Name("/a")]})
    path_group(namespace, "G")

    assert copy.deepcopy(namespace).index is None


def test_a_literal_member_that_looks_like_a_group_is_literal() -> None:
    namespace = Namespace("<kernel>", path_groups={"G": [Name("@H")], "H": [Name("/a")]})

    assert path_group(namespace, "G").first("/a") is None
