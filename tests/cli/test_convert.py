"""sekisho policy convert."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Sekisho

GOLDEN = Path(__file__).parents[1] / "convert/golden"
VERSIONS = sorted(path.name for path in GOLDEN.iterdir())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_directory_becomes_one_without_errors(sekisho: Sekisho, tmp_path: Path, version: str) -> None:
    new = tmp_path / "new"
    result = sekisho("policy", "convert", GOLDEN / version / "old", "-o", new)

    remarks = (GOLDEN / version / "remarks").read_text()
    assert (1 if "left out" in remarks else 0) == result.status
    assert result.out.startswith(f"{new}: written from the policy of TOMOYO {version}; lines: ")
    assert len(remarks.splitlines()) == len(result.err.splitlines())
    assert "no errors" in sekisho("policy", "check", "-P", new).out
    assert "<kernel>" in sekisho("domains", "-P", new).out
    for path in (GOLDEN / version / "today").iterdir():
        assert path.name == "rewrite.conf" or path.read_text() == (new / path.name).read_text()


def test_one_file_is_printed(sekisho: Sekisho) -> None:
    old = GOLDEN / "2.3/old/manager.conf"
    result = sekisho("policy", "convert", old)

    assert (0, old.read_text(), "") == (result.status, result.out, result.err)


def test_the_version_may_be_said(sekisho: Sekisho, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("<kernel>\nallow_create /a\nallow_env PATH\n")

    as_17 = sekisho("policy", "convert", "--from", "1.7", old)
    as_22 = sekisho("policy", "convert", "--from=2.2", old)
    assert (0, ["<kernel>", "use_group 0", "use_group 1", "file create /a 0-07777", "misc env PATH"]) == (
        as_17.status,
        as_17.out.splitlines(),
    )
    assert f"{old}:2: changed: allow_create /a: " in as_17.err
    assert ["<kernel>", "use_group 0", "file create /a 0-07777", "misc env PATH"] == as_22.out.splitlines()


def test_as_json(sekisho: Sekisho, tmp_path: Path) -> None:
    told = json.loads(sekisho("policy", "convert", "--json", GOLDEN / "2.2/old").out)

    assert ("2.2", None) == (told["from"], told["directory"])
    assert (GOLDEN / "2.2/today/profile.conf").read_text() == told["files"]["profile.conf"]
    assert {"file", "line", "fate", "text", "reason", "advice"} == set(told["remarks"][0])
    assert "left out" in [remark["fate"] for remark in told["remarks"]]


def test_what_is_missing_is_made_up(sekisho: Sekisho, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("<kernel>\nuse_profile 9\nallow_read /a\n")
    result = sekisho("policy", "convert", old, "-o", new)

    assert (0, True) == (result.status, "added: 9-CONFIG={ mode=disabled" in result.err)
    assert "no errors" in sekisho("policy", "check", "-P", new).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert"], "needs a file or a directory"),
        (["convert", str(GOLDEN / "2.3/old")], "say with -o DIR where they go"),
        (["convert", "--from", "3.0", "x"], "invalid choice"),
        (["convert", "/nonexistent"], "cannot read /nonexistent"),
        (["check", "-o", "x"], "takes no --from and no -o"),
        (["show", "--from", "2.3"], "takes no --from and no -o"),
        (["format", "x"], "takes no domain"),
    ],
)
def test_mistakes(sekisho: Sekisho, arguments: list[str], message: str) -> None:
    result = sekisho("policy", *arguments)

    assert (2, "", True) == (result.status, result.out, message in result.err)


@pytest.mark.parametrize(("version", "told"), [("2.2", "2.2"), ("2.3", "2.3"), ("1.7", "1.7"), ("2.4", "2.4")])
def test_loading_an_older_policy_names_the_command(sekisho: Sekisho, tmp_path: Path, version: str, told: str) -> None:
    old = tmp_path / "old"
    old.mkdir(0o700)
    for path in (GOLDEN / version / "old").iterdir():
        (old / path.name).write_text(path.read_text())
    advice = f"write today's with: sekisho policy convert -o NEW {old}"

    for command in (["domains", "-P"], ["policy", "show", "-P"], ["run", "-P"]):
        result = sekisho(*command, old, *(["--", "true"] if command[0] == "run" else []))
        assert (2, 1) == (result.status, len(result.err.splitlines()))
        assert f"this looks like the policy of TOMOYO {told}; {advice}" in result.err
    assert advice in sekisho("policy", "check", "-P", old).out


def test_a_26_kernels_policy_is_not_held_to_what_that_kernel_never_checked(sekisho: Sekisho, tmp_path: Path) -> None:
    old, text = tmp_path / "profile.conf", "3-CONFIG={ mode=enforcing grant_log=no reject_log=yes }\n"
    old.write_text(text)

    assert text == sekisho("policy", "convert", old).out
    as_26 = sekisho("policy", "convert", "--from", "2.6", old)
    assert 0 == as_26.status
    assert "3-CONFIG::ipc={ mode=disabled" in as_26.out
    assert "file::getattr" not in as_26.out


def test_todays_policy_is_copied(sekisho: Sekisho, tmp_path: Path) -> None:
    result = sekisho("policy", "convert", GOLDEN / "2.5/today", "-o", tmp_path / "new")

    assert (0, "") == (result.status, result.err)
    assert result.out.endswith("new: written from policy in today's language; lines: 0 left out, 0 changed, 0 added\n")
