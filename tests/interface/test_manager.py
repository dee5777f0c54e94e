from __future__ import annotations

import pytest
from tests.interface.stage import Stage, read, write


@pytest.mark.parametrize(
    ("lines", "expected", "changes"),
    [
        ("/bin/x\n", ["/sbin/manager", "/bin/x"], 1),
        ("<kernel> /bin/x\n", ["/sbin/manager", "<kernel> /bin/x"], 1),
        ("/bin/x\n/bin/x\n", ["/sbin/manager", "/bin/x"], 2),
        ("delete /bin/x\n", ["/sbin/manager"], 0),
        ("delete /sbin/manager\n", [], 1),
        ("bin\n/bin/\\*\n<kernel> bin\n# /bin/x\n\n/a b\n", ["/sbin/manager"], 0),
    ],
)
def test_lines(lines: str, expected: list[str], changes: int) -> None:
    stage = Stage()
    write(stage.open("manager"), lines)

    assert expected == stage.policy.managers == read(stage.open("manager")).splitlines()
    assert changes == stage.changes


def test_that_others_than_root_may_manage_is_not_shown() -> None:
    stage = Stage()
    write(stage.open("manager"), "manage_by_non_root\n")

    assert stage.policy.manage_by_non_root
    assert read(stage.open("manager")) == "/sbin/manager\n"
    write(stage.open("manager"), "delete manage_by_non_root\n")
    assert not stage.policy.manage_by_non_root
