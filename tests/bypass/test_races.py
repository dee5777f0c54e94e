"""Ways around that are a matter of time: what was checked, and what is used."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.bypass.arena import HERE, Arena, arena, compile_c, lines

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("gcc")]

_NAMES = re.findall(r'^    \{"(\w+)", ', (HERE / "races.c").read_text(), re.MULTILINE)
_TRIES = 20000
_WITHOUT = 200000


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Arena]:
    """race/a, race/u, race/x and race/0 are allowed, their neighbours are not."""
    with arena(tmp_path, "races.c") as made:
        race = made.folder / "race"
        for name in ("0", "1"):
            (race / name).mkdir(parents=True)
        (race / "a").write_text("plain")
        for name in ("b", "granted"):
            (race / name).write_text("secret")
        compile_c("prog.c", race / "0" / "prog", "-static", "-DSTATUS=10")
        compile_c("prog.c", race / "1" / "prog", "-static")
        compile_c("wait.c", race / "wait", "-static")
        compile_c("count.c", race / "0" / "count", "-static")
        compile_c("keeper.c", race / "keeper", "-static", "-no-pie", "-Wl,--section-start=.secret=0x10000000")
        chain = f"<kernel> {made.tool}"
        rules = lines(made.folder, made.ports[0], chain)
        rules |= {
            f"file read {race}/a",
            *(f"file {verb} {race}/{name}" for verb in ("write", "unlink") for name in ("u", "x")),
            *(f"file create {race}/{name} 0-0777" for name in ("u", "x")),
            f"file rename {race}/x {race}/z",
            f"file execute {race}/0/prog",
            f"file execute {race}/0/count exec.argc=0",
            f"file execute {race}/wait",
            "file read proc:/self/environ",
            f"file write {race}/again",
            f"file execute {race}/keeper initialize",
        }
        rules -= {"file read proc:/\\$/environ", "file read/write proc:/\\$/mem"}
        child = {"misc env \\*"}
        made.policy.write(
            {
                chain: rules,
                f"{chain} {race}/0/prog": child,
                f"{chain} {race}/0/count": child,
                f"<kernel> {race}/keeper": child,
                f"{chain} {race}/wait": child | {f"file read {race}/granted"},
            }
        )
        yield made


@pytest.mark.parametrize("name", _NAMES)
def test_stopped(held: Arena, name: str) -> None:
    """A race that is won where nobody watches is lost in enforcing mode."""
    with _victims(held):
        assert held.without(name, tries=_WITHOUT) == {name: "succeeded"}

    with _victims(held):
        under = held.under(name, tries=_TRIES)

    assert under.get(name) in ("failed", "killed"), under["stderr"][-2000:]


@contextmanager
def _victims(held: Arena) -> Iterator[None]:
    """What must not be removed is there; race/again goes away after a while."""
    race = held.folder / "race"
    for each in ("v", "y", "again"):
        (race / each).touch()
    timer = threading.Timer(1.5, (race / "again").unlink, kwargs={"missing_ok": True})
    timer.start()
    try:
        yield
    finally:
        timer.join()
