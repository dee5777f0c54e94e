from __future__ import annotations

import json

from tests.cli.conftest import Sekisho

from sekisho.store.directory import PolicyDirectory


def test_the_tree(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    result = sekisho("domains", "-P", directory.path)

    assert result.status == 0
    assert [
        "<kernel>     profile 0  disabled    0 entries",
        "  /bin/web   profile 3  enforcing   4 entries",
        "    /bin/sh  profile 1  learning    0 entries quota_exceeded",
        "  /bin/gone",
        "    /bin/sh  profile 2  permissive  0 entries",
    ] == result.out.splitlines()


def test_json(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    described = json.loads(sekisho("domains", "-P", directory.path, "--json").out)

    assert ["<kernel>", "<kernel> /bin/web", "<kernel> /bin/web /bin/sh", "<kernel> /bin/gone /bin/sh"] == [
        domain["domain"] for domain in described
    ]
    assert {
        "domain": "<kernel> /bin/web",
        "profile": 3,
        "mode": "enforcing",
        "groups": [0],
        "entries": 4,
        "quota_exceeded": False,
        "transition_failed": False,
    } == described[1]


def test_a_missing_directory(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    result = sekisho("domains", "-P", directory.path / "absent")

    assert (2, "") == (result.status, result.out)
    assert "there is no policy directory" in result.err
