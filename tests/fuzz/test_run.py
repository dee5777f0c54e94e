"""A short run of each fuzz target: so many inputs, always the same. ``make fuzz`` runs longer, with new ones."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz import run

RUNS = {
    "parsing": 2500, "converting": 1500, "matching": 20000, "writing": 600, "connecting": 10000, "recording": 10000,
}  # fmt: skip


def fuzz(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(run.__file__), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("target", run.TARGETS)
def test_a_short_run_finds_nothing(target: str, tmp_path: Path) -> None:
    done = fuzz("--runs", str(RUNS[target]), "--seed", "1", "--corpus", tmp_path, target)

    assert done.returncode == 0, done.stderr[-3000:]
    executed = re.search(r"^Done ([0-9]+) runs", done.stderr, re.MULTILINE)
    assert executed is not None
    assert int(executed[1]) >= RUNS[target]
    assert list((tmp_path / target).glob("crash-*")) == []


@pytest.mark.parametrize("target", run.TARGETS)
def test_seeds_keep_the_laws(target: str) -> None:
    module = run.load(target)

    assert len(module.SEEDS) >= 2
    for seed in (*module.SEEDS, b"", b"\0", b"\xff\n\0"):
        module.one(seed)


@pytest.mark.parametrize("target", run.TARGETS)
def test_where_there_is_no_guidance_it_is_left_to_chance(
    target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = run.parser().parse_args(["--runs", "20", "--seed", "1", target])
    tried: list[bytes] = []
    module = run.load(target)
    keeps = module.one

    def one(data: bytes) -> None:
        tried.append(data)
        keeps(data)

    monkeypatch.setattr(module, "one", one)
    run.stab(module, arguments)
    assert len(tried) == 20
    assert len(set(tried) - set(module.SEEDS)) > 5
    assert capsys.readouterr().err.startswith("Done 20 runs")


def test_a_broken_law_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from fuzz import matching

    monkeypatch.setattr("sekisho.names.pattern.Pattern.matches", lambda self, name: False)
    with pytest.raises(AssertionError):
        matching.one(b"/tmp/a.txt\n/tmp/\\*.txt")


def test_one_input_can_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"/a\n/\\*")

    assert fuzz("--again", tmp_path / "input", "matching").returncode == 0
    assert "there is no target nothing" in fuzz("nothing").stderr + fuzz("--inside", "nothing").stderr


def test_words_are_written_for_the_dictionary() -> None:
    assert run.escaped('a"\\\n\xff ') == "a\\x22\\x5c\\x0a\\xff "
