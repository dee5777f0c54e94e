from __future__ import annotations

import json

import pytest
from tests.cli.conftest import Sekisho

from sekisho.store.directory import PolicyDirectory


@pytest.mark.parametrize(
    ("request_text", "entry"),
    [
        ("file read /srv/page", r"file read /srv/\*"),
        ("misc env HOME", "misc env HOME"),
        ("file read /secret task.uid=0", "file read /secret task.uid=0"),
        ("file read /lib/libc.so", "file read /lib/libc.so"),
        ('file execute /bin/sh exec.argv[0]="sh"', 'file execute /bin/sh exec.argv[0]="sh"'),
    ],
)
def test_what_is_granted(directory: PolicyDirectory, sekisho: Sekisho, request_text: str, entry: str) -> None:
    result = sekisho("why", "-P", directory.path, "/bin/web", request_text)
    answer = json.loads(sekisho("why", "-P", directory.path, "/bin/web", request_text, "--json").out)

    assert (0, "") == (result.status, result.err)
    assert result.out.startswith(f"Granted by '{entry}'")
    assert (True, True, entry, None) == (answer["allowed"], answer["granted"], answer["entry"], answer["missing"])


@pytest.mark.parametrize(
    ("request_text", "missing"),
    [
        ("file write /srv/page", "file write /srv/page"),
        ("file read /secret task.uid=1000", "file read /secret"),
        ("file create /srv/page 0644", "file create /srv/page 0644"),
        ("network inet stream connect 192.0.2.1 443", "network inet stream connect 192.0.2.1 443"),
        ("file mount /a /b/ --bind 0x0", "file mount /a /b/ --bind 0x0"),
        ('file execute /bin/sh exec.argv[0]="bash"', "file execute /bin/sh"),
    ],
)
def test_what_is_missing(directory: PolicyDirectory, sekisho: Sekisho, request_text: str, missing: str) -> None:
    result = sekisho("why", "-P", directory.path, "<kernel> /bin/web", request_text)
    answer = json.loads(sekisho("why", "-P", directory.path, "/bin/web", request_text, "--json").out)

    assert (1, "") == (result.status, result.err)
    assert f"Missing: {missing}" == result.out.splitlines()[-1]
    assert (False, False, None, missing) == (answer["allowed"], answer["granted"], answer["entry"], answer["missing"])


def test_words_may_stand_alone(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    assert 0 == sekisho("why", "-P", directory.path, "/bin/web", "file", "read", "/srv/x").status
    assert 1 == sekisho("why", "-P", directory.path, "--", "/bin/web", *"file mount /a /b/ --bind 0x0".split()).status


def test_a_condition_that_fails_is_named(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    result = sekisho("why", "-P", directory.path, "/bin/web", "file read /secret task.uid=7")

    assert "'file read /secret task.uid=0' would, but task.uid=0 doesn't hold." in result.out.splitlines()


@pytest.mark.parametrize(
    ("mode", "status", "said"),
    [
        ("enforcing", 1, "Enforcing mode refuses it."),
        ("permissive", 0, "Permissive mode allows it and records it."),
        ("learning", 0, "Learning mode allows it and adds it to the policy."),
        ("profile", 1, "Enforcing mode refuses it."),
    ],
)
def test_the_mode_decides_what_follows(
    directory: PolicyDirectory, sekisho: Sekisho, mode: str, status: int, said: str
) -> None:
    result = sekisho("why", "-P", directory.path, "-m", mode, "/bin/web", "file read /nothing")

    assert status == result.status
    assert said in result.out.splitlines()


def test_execution_tells_where_it_leads(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    request_text = 'file execute /bin/sh exec.argv[0]="sh"'
    (directory.path / "exception_policy.conf").write_text("keep_domain any from <kernel> /bin/web /bin/sh\n")

    moved = sekisho("why", "-P", directory.path, "/bin/web", request_text)
    kept = sekisho("why", "-P", directory.path, "-m", "profile", "<kernel> /bin/web /bin/sh", "file execute /bin/ls")

    assert "It would run in <kernel> /bin/web /bin/sh." == moved.out.splitlines()[-1]
    assert "It would run in <kernel> /bin/web /bin/sh." == kept.out.splitlines()[-1]


def test_execution_that_can_not_have_its_domain_fails(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    (directory.path / "exception_policy.conf").write_text("reset_domain /bin/sh from any\n")
    request_text = 'file execute /bin/sh exec.argv[0]="sh"'

    result = sekisho("why", "-P", directory.path, "/bin/web", request_text)
    answer = json.loads(sekisho("why", "-P", directory.path, "/bin/web", request_text, "--json").out)

    assert 1 == result.status
    assert "It fails all the same: ERROR: Domain '</bin/sh>' not ready. (ENOMEM)." == result.out.splitlines()[-1]
    assert (False, True, None, "ENOMEM") == (
        answer["allowed"], answer["granted"], answer["destination"], answer["failure"],
    )  # fmt: skip


def add_entries(directory: PolicyDirectory, *lines: str) -> None:
    """The domain /bin/web has these entries besides."""
    path = directory.path / "domain_policy.conf"
    path.write_text("\n".join([path.read_text(), "<kernel> /bin/web", *lines, ""]))


@pytest.mark.parametrize(
    ("words", "entry"),
    [
        (["ipc", "signal", "9", "<kernel> /usr/bin/x /a"], "ipc signal 9 <kernel> /usr/bin/x"),
        (["ipc", "read_memory", "<a> /x"], "ipc read_memory <a>"),
        (["capability", "use_bpf"], "capability use_bpf"),
        (["network", "unix", "stream", "accept", "anonymous"], "network unix stream accept anonymous"),
    ],
)
def test_every_kind_of_request(directory: PolicyDirectory, sekisho: Sekisho, words: list[str], entry: str) -> None:
    before = sekisho("why", "-P", directory.path, "<kernel> /bin/web", *words)
    add_entries(directory, entry)
    after = sekisho("why", "-P", directory.path, "<kernel> /bin/web", *words)

    assert (1, f"Missing: {' '.join(words)}") == (before.status, before.out.splitlines()[-1])
    assert (0, f"Granted by '{entry}' of <kernel> /bin/web.\n") == (after.status, after.out)


def test_moves_that_policy_makes_by_itself_are_told(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    add_entries(
        directory,
        "task auto_domain_transition <kernel> /bin/gone /bin/sh task.uid=7",
        "task auto_domain_transition <none> task.uid=8",
        'file read /move auto_domain_transition="/new"',
        'file read /die auto_domain_transition="<none> /x"',
    )

    def why(asked: str) -> tuple[int, list[str], dict[str, object]]:
        result = sekisho("why", "-P", directory.path, "<kernel> /bin/web", asked)
        return (
            result.status,
            result.out.splitlines(),
            json.loads(sekisho("why", "-P", directory.path, "<kernel> /bin/web", asked, "--json").out),
        )

    status, lines, answer = why("file read /x task.uid=7")
    assert (
        lines[0]
        == "It would first move to <kernel> /bin/gone /bin/sh (task auto_domain_transition of <kernel> /bin/web)."
    )
    assert (1, "<kernel> /bin/gone /bin/sh", "<kernel> /bin/web") == (status, answer["domain"], answer["moved_from"])
    status, lines, answer = why("file read /srv/x task.uid=8")
    assert lines == ["It would be killed: it has to move to <none> first, which can't be had (ENOENT)."]
    assert (1, False, "ENOENT") == (status, answer["allowed"], answer["failure"])
    status, lines, answer = why("file read /move")
    assert (0, "It would move to <kernel> /bin/web /new then.") == (status, lines[-1])
    assert answer["moves_to"] == "<kernel> /bin/web /new"
    status, lines, answer = why("file read /die")
    assert (1, "ENOENT") == (status, answer["failure"])
    assert lines[-1] == "It would be killed: it has to move to <none> /x then, which can't be had (ENOENT)."


def test_execute_handlers_are_told(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    add_entries(directory, "task auto_execute_handler /auto task.uid=7", "task denied_execute_handler /denied")

    def last(asked: str) -> str:
        return sekisho("why", "-P", directory.path, "<kernel> /bin/web", asked).out.splitlines()[-1]

    assert last("file execute /bin/sh task.uid=7") == "The execute handler /auto would run in its place."
    assert last("file execute /bin/ls") == "The execute handler /denied would run in its place."
    assert last('file execute /bin/sh exec.argv[0]="sh"') == "It would run in <kernel> /bin/web /bin/sh."
    assert last("file execute /bin/ls task.type=execute_handler") == "Missing: file execute /bin/ls"
    answer = json.loads(sekisho("why", "-P", directory.path, "/bin/web", "file execute /bin/ls", "--json").out)
    assert (False, "/denied") == (answer["allowed"], answer["handler"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/bin/none", "file read /x"], "there is no domain /bin/none"),
        (["/bin/web", "file raed /x"], "REQUEST:1:6: "),
    ],
)
def test_what_makes_no_sense_is_an_error(
    directory: PolicyDirectory, sekisho: Sekisho, arguments: list[str], said: str
) -> None:
    result = sekisho("why", "-P", directory.path, *arguments)

    assert (2, "") == (result.status, result.out)
    assert said in result.err
