from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Sekisho
from tests.cli.running import CAT, SHELL, running
from tests.engine.supervisor.supervised import Supervised, domain

from sekisho.store.directory import PolicyDirectory

CHAIN = domain(SHELL, CAT)
WEB = "<kernel> /bin/web"


def lines(directory: PolicyDirectory, sekisho: Sekisho) -> list[str]:
    return sekisho("policy", "show", "-P", directory.path, WEB).out.splitlines()


def test_a_line_is_added_and_taken_away(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    words = ("-P", directory.path, "/bin/web", "file", "write", "/var/log/web")

    assert 0 == sekisho("policy", "add", *words).status
    assert "file write /var/log/web" in lines(directory, sekisho)
    again = sekisho("policy", "add", *words)
    assert (1, "that changes nothing\n") == (again.status, again.out)

    assert 0 == sekisho("policy", "remove", *words).status
    assert "file write /var/log/web" not in lines(directory, sekisho)
    assert 1 == sekisho("policy", "remove", *words).status


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "takes a domain and a line"),
        ((WEB,), "takes a domain and a line"),
        ((WEB, "file raed /x"), "did you mean read?"),
        ((WEB, "use_profile 0"), "is no line that allows something"),
        ((WEB, "file read /x\n<kernel> /bin/other"), "sekisho: "),
        ((WEB, "file read /x\nfile read /y"), "is no line that allows something"),
        (("/bin/nowhere", "file read /x"), "there is no domain /bin/nowhere"),
    ],
)
def test_what_is_no_line_changes_nothing(
    directory: PolicyDirectory, sekisho: Sekisho, words: tuple[str, ...], said: str
) -> None:
    before = (directory.path / "domain_policy.conf").read_text()
    result = sekisho("policy", "add", "-P", directory.path, *words)

    assert 2 == result.status
    assert said in result.err
    assert before == (directory.path / "domain_policy.conf").read_text()


def test_it_holds_at_once_where_programs_run(tmp_path: Path, sekisho: Sekisho) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"{name}\n")
    supervised = Supervised(tmp_path / "policy")
    with running(supervised, "learn") as tree:
        assert ("one\n", 0) == tree.show(tmp_path / "one")
    with running(supervised, "run") as tree:
        assert ("two\n", 0) != tree.show(tmp_path / "two")
        assert 0 == sekisho("policy", "add", "-P", supervised.path, CHAIN, f"file read/getattr {tmp_path}/two").status
        assert ("two\n", 0) == tree.show(tmp_path / "two")

    assert any(f"{tmp_path}/two" in line for line in (supervised.path / "domain_policy.conf").read_text().splitlines())
