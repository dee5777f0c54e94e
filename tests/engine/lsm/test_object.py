"""The object that is carried is the one that the sources make."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel import object as objects
from sekisho.engine.lsm.kernel.kinds import Flavour, kind

REPOSITORY = Path(__file__).resolve().parents[3]


def script() -> ModuleType:
    """scripts/bpf.py."""
    found = importlib.util.spec_from_file_location("bpf_script", REPOSITORY / "scripts/bpf.py")
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


bpf = script()


def origin() -> dict[str, str]:
    """What the object says that it was made from."""
    lines = bpf.ORIGIN.read_text().splitlines()
    return {"sources": lines[0].removeprefix("sources sha256 "), "compiler": lines[1].removeprefix("compiler ")}


def test_the_header_of_operations_is_made_from_the_grammar() -> None:
    assert bpf.header() == bpf.HEADER.read_text(), "run: PYTHONPATH=src python scripts/bpf.py"


def test_the_object_was_made_from_these_sources() -> None:
    assert bpf.digest() == origin()["sources"], "stale: run PYTHONPATH=src python scripts/bpf.py"


@pytest.mark.needs(*sample.COMPILER)
def test_the_same_compiler_makes_the_same_object(tmp_path: Path) -> None:
    if bpf.version() == origin()["compiler"]:
        bpf.build(tmp_path / "made.o")

        assert bpf.OBJECT.read_bytes() == (tmp_path / "made.o").read_bytes()


def test_every_program_is_of_a_known_kind() -> None:
    image = objects.read(bpf.OBJECT.read_bytes())

    assert image.programs
    for flavour in Flavour:
        assert all(kind(source.section, flavour) for source in image.programs.values())


def test_what_may_sleep_looks_at_nothing_that_policy_is_in() -> None:
    """Nobody waits for it before lists are taken away, and cells given to others: see publish.kernel_maps."""
    image = objects.read(bpf.OBJECT.read_bytes())
    sleeping = [each for each in image.programs.values() if ".s/" in each.section]
    used = {reference.map for source in sleeping for reference in source.code.references}

    assert sleeping
    assert used <= {"tasks", "quotations", "counts", ".rodata"}
