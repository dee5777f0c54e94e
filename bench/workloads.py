"""What is run: the micro-benchmark of single calls, and whole programs as people use them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FILES = 2000
CALLS = {
    "open+close": 20_000,
    "stat": 20_000,
    "unlink": 5_000,
    "exec": 200,
    "connect": 2_000,
    "accept": 2_000,
    "recv-stream": 20_000,
    "recvmsg-stream": 20_000,
    "recvfrom-udp": 5_000,
    "recvmsg-udp": 5_000,
}
_MAKEFILE = """\
objects := $(patsubst %.c,%.o,$(wildcard *.c))
program: $(objects)
\tcc -o $@ $^
%.o: %.c
\tcc -O1 -c -o $@ $<
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """``argv`` runs in ``folder``; ``prepare`` puts everything back to where it was before."""

    name: str
    argv: list[str]
    folder: Path
    prepare: Callable[[], None]


def compile_calls(folder: Path) -> str:
    """The compiled micro-benchmark, linked statically."""
    program = str(folder / "calls")
    source = str(Path(__file__).with_name("calls.c"))
    subprocess.run(["cc", "-O2", "-Wall", "-static", "-o", program, source], check=True)
    return program


def calls(folder: Path, *, scale: float) -> Workload:
    """Every single call in one process, ``scale`` times the usual number of times."""
    here = folder / "calls.d"
    here.mkdir(parents=True)
    (here / "file").touch()
    counts = [f"{kind}:{max(100, int(count * scale))}" for kind, count in CALLS.items()]
    return Workload("calls", [compile_calls(folder), str(here), *counts], here, lambda: None)


def start(folder: Path) -> Workload:
    """Nothing: what starting takes."""
    return Workload("start-up", ["/bin/true"], folder, lambda: None)


def programs(folder: Path) -> list[Workload]:
    """Every whole program, its material made below ``folder``, which is there afterwards."""
    folder.mkdir(exist_ok=True)
    python = os.path.realpath(sys.executable)
    loop = "i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done"
    return [
        Workload("python3 -c 'import http.server'", [python, "-I", "-c", "import http.server"], folder, lambda: None),
        Workload(f"git status, {FILES} files", ["git", "status"], _repository(folder), lambda: None),
        _untar(folder),
        _make(folder),
        Workload("50 x /bin/true from sh", ["sh", "-c", loop], folder, lambda: None),
    ]


def _tree(top: Path) -> Path:
    for number in range(FILES):
        file = top / f"part{number // 50}" / f"name-{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"content {number}\n")
    return top


def _repository(folder: Path) -> Path:
    top = _tree(folder / "repository")
    who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    for step in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "all of it"], ["status"]):
        subprocess.run(["git", *step], cwd=top, check=True, capture_output=True)
    return top


def _untar(folder: Path) -> Workload:
    archive, here = folder / "files.tar", folder / "untarred"
    with tarfile.open(archive, "w") as out:
        out.add(_tree(folder / "packed"), "packed")

    def prepare() -> None:
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir()

    prepare()
    return Workload(f"tar x, {FILES} files", ["tar", "xf", str(archive)], here, prepare)


def _make(folder: Path) -> Workload:
    here = folder / "project"
    here.mkdir()
    (here / "Makefile").write_text(_MAKEFILE)
    for number in range(8):
        (here / f"part{number}.c").write_text(
            f'#include <stdio.h>\nint part{number}(void) {{ return puts("{number}"); }}\n'
        )
    calls = " ".join(f"part{number}();" for number in range(8))
    (here / "main.c").write_text(
        f"int main(void) {{ {calls} return 0; }}\n".replace("int main", _declarations() + "int main")
    )

    def prepare() -> None:
        for file in (*here.glob("*.o"), here / "program"):
            file.unlink(missing_ok=True)

    return Workload("make, 9 C files", ["make", "-s"], here, prepare)


def _declarations() -> str:
    return "".join(f"int part{number}(void);\n" for number in range(8))
