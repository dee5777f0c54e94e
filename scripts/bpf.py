"""Makes the kernel side: bpf/operations.h from the grammar, then the object that the package carries.

``python scripts/bpf.py`` needs clang (14 or newer), llvm-strip and libbpf's headers. Users need none of them: the
object is part of the source tree, and beside it stands what it was made from.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from sekisho.engine.lsm.layout import FAMILIES, NUMBERS

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = ROOT / "bpf"
HEADER: Final = SOURCES / "operations.h"
OBJECT: Final = ROOT / "src/sekisho/engine/lsm/sekisho.bpf.o"
ORIGIN: Final = OBJECT.with_suffix(".txt")
FLAGS: Final = (
    "-target",
    "bpf",
    "-mcpu=v3",
    "-O2",
    "-g",
    "-Wall",
    "-Werror",
    "-Wno-unused-function",
    "-fno-ident",
    f"-ffile-prefix-map={ROOT}=.",
)


def header() -> str:
    """The text of operations.h."""
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */",
        "/* Made by scripts/bpf.py from the grammar of policy. */",
        "#ifndef SEKISHO_OPERATIONS_H",
        "#define SEKISHO_OPERATIONS_H",
        "",
        "/* Operations, as a profile's config and events number them. */",
        "enum operation {",
        *(f"\tOP_{constant(keyword)} = {number}," for keyword, number in NUMBERS.items()),
        "};",
        "",
        "/* Operations by what leads them; in each family an operation is a bit. */",
        "enum family {",
        *(f"\tFAMILY_{family.name} = {number}," for number, family in enumerate(FAMILIES)),
        "};",
    ]
    for family in FAMILIES:
        lines += ["", f"#define {family.name}_OPERATIONS {len(family.operations)}"]
        lines += [f"#define BIT_{constant(operation.keyword)} {bit}" for bit, operation in enumerate(family.operations)]
        numbers = ", ".join(str(NUMBERS[operation.keyword]) for operation in family.operations)
        lines += [f"#define {family.name}_NUMBERS {{ {numbers} }}"]
    return "\n".join([*lines, "", "#endif", ""])


def constant(keyword: str) -> str:
    """``file read`` as C has it: FILE_READ."""
    return keyword.replace(" ", "_").upper()


def digest() -> str:
    """What tells the sources from any others."""
    total = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*.[ch]")):
        total.update(f"{path.relative_to(SOURCES)}\0".encode() + path.read_bytes())
    return total.hexdigest()


def build(target: Path = OBJECT) -> None:
    """``target`` is the object made from the sources as they are."""
    clang = shutil.which("clang")
    strip = shutil.which("llvm-strip") or shutil.which("llvm-strip-14")
    if clang is None or strip is None:
        sys.exit("scripts/bpf.py: clang and llvm-strip are needed; on Debian: apt install clang llvm libbpf-dev")
    source = SOURCES / "sekisho.bpf.c"
    subprocess.run([clang, *FLAGS, "-c", str(source.relative_to(ROOT)), "-o", str(target)], check=True, cwd=ROOT)
    subprocess.run([strip, "-g", str(target)], check=True)


def version() -> str:
    """Which compiler this is."""
    return subprocess.run(["clang", "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]


def main() -> None:
    """The header and the object are made, and what they were made from is written down."""
    HEADER.write_text(header())
    build()
    ORIGIN.write_text(f"sources sha256 {digest()}\ncompiler {version()}\n")
    print(f"{OBJECT.relative_to(ROOT)}: {OBJECT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
