"""What the supervisor does in a caller's place it does where the caller stands, not where it stands itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.bypass.arena import HERE, arena, lines

pytestmark = [pytest.mark.root, pytest.mark.needs("gcc")]

_NAMES = re.findall(r'^    \{"(\w+)", ', (HERE / "deputy.c").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What every try came to under supervision."""
    with arena(tmp_path_factory.mktemp("deputy"), "deputy.c") as held:
        mine = f"{held.folder}/allowed"
        rules = lines(held.folder, held.ports[0], f"<kernel> {held.tool}") | {
            "file read proc:/\\$/task/\\$/stat",
            "file read proc:/self/task/\\$/stat",
            f"file mksock {mine}/\\* 0-0777",
            *(
                f"network unix stream {verb} {name}"
                for verb in ("bind", "listen", "connect")
                for name in ("mine", "moving", "/proc/self/cwd/mine", "/proc/self/cwd/bound")
            ),
        }
        held.policy.write({f"<kernel> {held.tool}": rules})
        yield held.under(tries=3000)


@pytest.mark.parametrize("name", _NAMES)
def test_own_view(outcomes: dict[str, str], name: str) -> None:
    """The program got what the name means to it, or nothing."""
    assert outcomes[name] == "failed", outcomes["stderr"]
