"""The programs that tests load, compiled once a session."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from pathlib import Path

from sekisho.engine.lsm.kernel import object as objects
from sekisho.engine.lsm.kernel.object import Object

REPOSITORY = Path(__file__).resolve().parents[4]
SOURCE = Path(__file__).with_name("sample.bpf.c")
COMPILER = ("clang", "llvm-strip")
"""The programs that this takes."""


@functools.cache
def raw() -> bytes:
    """The object."""
    return compiled(SOURCE.read_text())


def compiled(text: str) -> bytes:
    """The object that ``text`` is compiled to; it finds the headers of bpf/ and bpf/kernel/."""
    flags = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Werror", "-Wno-unused-function"]
    headers = [f"-I{REPOSITORY}/bpf", f"-I{REPOSITORY}/bpf/kernel"]
    with tempfile.TemporaryDirectory() as name:
        target = Path(name, "sample.o")
        command = ["clang", *flags, *headers, "-x", "c", "-", "-c", "-o", str(target)]
        subprocess.run(command, input=text, text=True, check=True)
        subprocess.run(["llvm-strip", "-g", str(target)], check=True)
        return target.read_bytes()


@functools.cache
def image() -> Object:
    """The object, read."""
    return objects.read(raw())
