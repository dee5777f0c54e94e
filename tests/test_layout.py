"""The shape of the source tree: which way imports go, how big things get, what is tested where."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src/sekisho"

LAYERS = [
    {"errors"},
    {"names"},
    {"policy", "decide.request"},
    {"decide"},
    {"domain"},
    {"learn", "audit", "convert"},
    {"store"},
    {"interface"},
    {"engine"},
    {"cli"},
]
"""A module imports from its own layer and from those above it in this list, never from one below."""

SUPERVISOR = "sekisho.engine.supervisor"
ROOMS = [
    {"system"},
    {"objects"},
    {"acting"},
    {"plan", "tasks", "call"},
    {"calls"},
    {"programs"},
    {
        "bounds", "earshot", "fences", "guard", "hearing", "modes", "penalties", "performing", "questions", "sieve",
        "strangers", "supervisor", "table",
    },
    {"running"},
]  # fmt: skip
"""The same inside ``engine.supervisor``: its folders, the modules beside them. Imports for types alone don't count."""

LSM = "sekisho.engine.lsm"
LSM_ROOMS = [
    {"running", "structures"},
    {"layout"},
    {"agreement", "guards", "hooks"},
    {"compile", "walk"},
    {"kernel"},
    {"publish"},
    {"daemon"},
    {"doctor"},
]
"""The same inside ``engine.lsm``."""

LSM_PURE = {"compile", "walk", "layout", "running", "structures"}
"""What of it is values in, values out, like the core; but ctypes describes what the kernel has in its maps."""

ENGINES = {"supervisor": "lsm", "lsm": "supervisor"}
"""No engine knows the other; what both use stands beside them."""

PURE = {"names", "policy", "domain", "decide", "learn", "audit", "convert"}
"""Packages of values in, values out: nothing there touches files, clocks, processes or the environment."""

IMPURE_MODULES = {
    "asyncio", "builtins.open", "ctypes", "fcntl", "glob", "logging", "mmap", "multiprocessing", "os", "pathlib",
    "random", "select", "selectors", "shutil", "signal", "socket", "subprocess", "sys", "tempfile", "threading", "time",
}  # fmt: skip

TESTED_ELSEWHERE = {
    "__init__.py": "package markers",
    "__main__.py": "run by tests/cli/test_main.py",
    "policy/model.py": "values only; every parser and printer test makes and compares them",
    "policy/grammar.py": "a table; tests of the parser and the decision run over all its rows",
    "decide/request.py": "values only; every decision test makes them",
    "engine/finding.py": "values only; the tests of what is found out make and compare them",
    "engine/lsm/daemon/launch.py": "takes root and a kernel; tests/engine/lsm/test_system.py starts the daemon",
    "engine/lsm/daemon/pins.py": "takes root and a kernel; tests/engine/lsm/test_system.py starts the daemon",
    "engine/lsm/daemon/service.py": "takes root and a kernel; tests/engine/lsm/test_system.py starts the daemon",
    "engine/lsm/daemon/status.py": "takes root and a kernel; tests/engine/lsm/test_system.py starts the daemon",
    "engine/lsm/daemon/system.py": "takes root and a kernel; tests/engine/lsm/test_system.py starts the daemon",
    "engine/lsm/publish/kernel_maps.py": "takes root and a kernel; tests/engine/lsm/test_system.py starts the daemon",
    "engine/lsm/publish/maps.py": "what others have to be; all tests of publishing have such",
    "engine/lsm/running.py": "seen by layout; tests/engine/lsm/test_layout.py compares them with those in C",
    "engine/lsm/structures.py": "seen by layout; tests/engine/lsm/test_layout.py compares them with those in C",
    "engine/lsm/walk/request.py": "values only; every test of the walk makes them",
    "engine/lsm/walk/tables.py": "dicts; tests/engine/lsm/walk/test_whole.py publishes in them",
    "engine/supervisor/acting/mount_actions.py": "takes root; tests/engine/supervisor/test_keywords.py does every one",
    "engine/supervisor/calls/row.py": "values only; tests/engine/supervisor/test_table.py looks at every one",
    "interface/authority.py": "what others have to be; the tests of the interface files and of the engine are such",
    "store/defaults.py": "texts; tests/store/test_directory.py loads them",
}

LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
LONG_FUNCTIONS: dict[str, str] = {}
"""``path::function`` that may be longer, and why."""


def modules() -> list[Path]:
    return sorted(SOURCES.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(SOURCES).as_posix()


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, at any depth; relative imports aren't used."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def needs(path: Path) -> Iterator[str]:
    """The same without what is imported for types alone."""
    tree = ast.parse(path.read_text(), str(path))
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(dotted: str) -> int | None:
    """The place of a name of ours in LAYERS; None for the package itself."""
    inner = dotted.removeprefix("sekisho.")
    for place, names in enumerate(LAYERS):
        if any(inner == name or inner.startswith(name + ".") for name in names):
            return place
    return None


def dotted(path: Path) -> str:
    return "sekisho." + relative(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_imports_go_one_way(path: Path) -> None:
    own = layer(dotted(path))
    own = len(LAYERS) if own is None else own
    wrong = [name for name in imports(path) if name.startswith("sekisho.") and (layer(name) or 0) > own]

    assert [] == wrong


def through_closed_doors(names: Iterable[str], own: str, engine: str, rooms: Sequence[Collection[str]]) -> list[str]:
    """Those of ``names`` that stand in a later room of ``engine`` than the module ``own`` does."""

    def room(dotted: str) -> int:
        first = dotted.removeprefix(f"{engine}.").split(".")[0]
        return next(place for place, names in enumerate(rooms) if first in names)

    return [name for name in names if name.startswith(f"{engine}.") and room(name) > room(own)]


@pytest.mark.parametrize("path", [m for m in modules() if dotted(m).startswith(f"{SUPERVISOR}.")], ids=relative)
def test_rooms_of_the_supervisor_open_one_way(path: Path) -> None:
    assert [] == through_closed_doors(needs(path), dotted(path), SUPERVISOR, ROOMS)


@pytest.mark.parametrize("path", [m for m in modules() if dotted(m).startswith(f"{LSM}.")], ids=relative)
def test_rooms_of_the_lsm_engine_open_one_way(path: Path) -> None:
    assert [] == through_closed_doors(imports(path), dotted(path), LSM, LSM_ROOMS)


@pytest.mark.parametrize("path", [m for m in modules() if dotted(m).startswith(f"{LSM}.")], ids=relative)
def test_what_the_lsm_engine_compiles_is_pure(path: Path) -> None:
    if dotted(path).removeprefix(f"{LSM}.").split(".")[0] not in LSM_PURE:
        return
    wrong = {name for name in imports(path) if name.split(".")[0] in IMPURE_MODULES - {"ctypes"}}

    assert set() == wrong


@pytest.mark.parametrize("path", [m for m in modules() if relative(m).startswith("engine/")], ids=relative)
def test_engines_know_nothing_of_each_other(path: Path) -> None:
    own = relative(path).split("/")[1]
    strangers = {ENGINES[own]} if own in ENGINES else set(ENGINES)
    wrong = [name for name in imports(path) if name.startswith(tuple(f"sekisho.engine.{each}" for each in strangers))]

    assert [] == wrong


@pytest.mark.parametrize("path", [m for m in modules() if relative(m).split("/")[0] in PURE], ids=relative)
def test_the_core_is_pure(path: Path) -> None:
    wrong = {name for name in imports(path) if name.split(".")[0] in IMPURE_MODULES}
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input")
    }

    assert (set(), set()) == (wrong, calls)


def test_nothing_but_the_standard_library_is_imported_but_for_optional_extras() -> None:
    import sys

    foreign = {
        f"{relative(path)}: {name}"
        for path in modules()
        for name in imports(path)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "sekisho", "__future__"}
    }

    assert {"interface/fuse.py: mfusepy"} == foreign


def twin(path: Path) -> Path:
    inner = path.relative_to(SOURCES)
    return ROOT / "tests" / inner.parent / f"test_{inner.name}"


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_every_module_has_its_test(path: Path) -> None:
    if path.name in TESTED_ELSEWHERE or relative(path) in TESTED_ELSEWHERE:
        return

    assert twin(path).is_file(), f"{twin(path)} is missing, or a reason in TESTED_ELSEWHERE"


def test_reasons_name_modules_that_exist() -> None:
    names = {relative(path) for path in modules()} | {path.name for path in modules()}

    assert set(TESTED_ELSEWHERE) <= names


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{relative(path)}::{node.name}", (node.end_lineno or 0) - node.lineno + 1


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_functions_stay_small(path: Path) -> None:
    long = {name: length for name, length in functions(path) if length > LONGEST_FUNCTION}

    assert {} == {name: length for name, length in long.items() if name not in LONG_FUNCTIONS}


def test_long_functions_are_still_long() -> None:
    lengths = dict(pair for path in modules() for pair in functions(path))

    assert [] == [name for name in LONG_FUNCTIONS if lengths.get(name, 0) <= LONGEST_FUNCTION]
