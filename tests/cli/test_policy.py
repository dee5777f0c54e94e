from __future__ import annotations

import json

import pytest
from tests.cli.conftest import DOMAINS, Sekisho

from sekisho.store.directory import PolicyDirectory


def test_show_prints_everything(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    result = sekisho("policy", "show", "-P", directory.path)

    assert (0, "") == (result.status, result.err)
    assert [line for line in DOMAINS.splitlines() if line] == [line for line in result.out.splitlines() if line]


@pytest.mark.parametrize("name", [["<kernel> /bin/web"], ["<kernel>", "/bin/web"], ["/bin/web"]])
def test_show_prints_one_domain(directory: PolicyDirectory, sekisho: Sekisho, name: list[str]) -> None:
    result = sekisho("policy", "show", "-P", directory.path, *name)

    assert ["<kernel> /bin/web", "use_profile 3", "use_group 0", ""] == result.out.splitlines()[:4]
    assert 8 == len(result.out.splitlines())


def test_show_as_json(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    (described,) = json.loads(sekisho("policy", "show", "--json", "-P", directory.path, "/bin/web").out)

    assert ("<kernel> /bin/web", 3, [0]) == (described["domain"], described["profile"], described["groups"])
    assert r"file read /srv/\*" == described["entries"][0]


def test_check_says_so_when_all_is_well(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    result = sekisho("policy", "check", "-P", directory.path)

    assert (0, f"{directory.path}: no errors\n", "") == (result.status, result.out, result.err)


def test_check_tells_every_error_with_its_place(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    domains = directory.path / "domain_policy.conf"
    domains.write_text(domains.read_text() + "file raed /x\nfile read a b\n")
    (directory.path / "manager.conf").write_text("nonsense\n")

    result = sekisho("policy", "check", "-P", directory.path)

    assert 2 == result.status
    first, second, third = result.out.splitlines()
    assert first.startswith(f"{domains}:24:6: ")
    assert "did you mean read?" in first
    assert second.startswith(f"{domains}:25:13: ")
    assert third.startswith(f"{directory.path}/manager.conf:1:1: ")

    described = json.loads(sekisho("policy", "check", "--json", "-P", directory.path).out)
    assert [(24, 6), (25, 13), (1, 1)] == [(error["line"], error["column"]) for error in described["errors"]]


def test_format_rewrites_what_is_not_canonical(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    domains = directory.path / "domain_policy.conf"
    domains.write_text(domains.read_text() + "<kernel> /bin/x\nuse_profile 1\nfile   write /x\nfile read /x\n")

    result = sekisho("policy", "format", "-P", directory.path)

    assert (0, f"{domains}: rewritten\n") == (result.status, result.out)
    assert "\nfile read/write /x\n" in domains.read_text()
    assert {"directory": str(directory.path), "rewritten": []} == json.loads(
        sekisho("policy", "format", "--json", "-P", directory.path).out
    )


def test_format_changes_nothing_where_there_is_an_error(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    domains = directory.path / "domain_policy.conf"
    text = domains.read_text() + "file   write /x\nnonsense\n"
    domains.write_text(text)

    result = sekisho("policy", "format", "-P", directory.path)

    assert (2, "") == (result.status, result.out)
    assert f"sekisho: {domains}:25:1: " in result.err
    assert text == domains.read_text()


@pytest.mark.parametrize("action", ["check", "format"])
def test_only_show_takes_a_domain(directory: PolicyDirectory, sekisho: Sekisho, action: str) -> None:
    result = sekisho("policy", action, "-P", directory.path, "/bin/web")

    assert (2, f"sekisho: policy {action} takes no domain; leave it out\n") == (result.status, result.err)
