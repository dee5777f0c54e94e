"""System call numbers against what the kernel's headers and other tables say."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import pytest

from sekisho.engine.supervisor import table
from sekisho.engine.supervisor.system import abi

KNOWN = {
    "x86_64": {"open": 2, "execve": 59, "openat": 257, "ptrace": 101, "clone3": 435, "fchmodat2": 452},
    "aarch64": {"openat": 56, "execve": 221, "ptrace": 117, "clone": 220, "clone3": 435, "fchmodat2": 452},
}
AUDIT = {"x86_64": 62 | 0x80000000 | 0x40000000, "aarch64": 183 | 0x80000000 | 0x40000000}
"""Linux's audit architecture: the ELF machine, 64 bits, little endian (include/uapi/linux/audit.h)."""
GENERIC_ALIASES = {
    "fcntl": "3264_fcntl",
    "fstat": "3264_fstat",
    "newfstatat": "3264_fstatat",
    "truncate": "3264_truncate",
    "ftruncate": "3264_ftruncate",
    "mmap": "3264_mmap",
}
"""Names that asm-generic/unistd.h defines under one name for 32 and 64 bits."""
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
OLDEST_HEADERS_KNOW = 450
"""Numbers above come after Linux 6.1, whose headers Debian 12 has."""


def header_numbers(path: Path) -> dict[str, int]:
    """``#define __NR_name number`` of one header; {} where it isn't installed."""
    if not path.exists():
        return {}
    found = re.findall(r"^#define __NR_?(\w+)\s+(\d+)$", path.read_text(), re.MULTILINE)
    return {name.lstrip("_"): int(number) for name, number in found}


def test_headers_are_read() -> None:
    numbers = header_numbers(HEADERS["aarch64"])

    assert not HEADERS["aarch64"].exists() or (numbers["openat"], numbers["3264_fcntl"]) == (56, 25)


@pytest.mark.parametrize("machine", abi.ARCHITECTURES)
def test_numbers_are_those_of_the_kernel_headers(machine: str) -> None:
    header = header_numbers(HEADERS[machine])
    wrong = {}
    for name, number in abi.ARCHITECTURES[machine].numbers.items() if header else ():
        there = header.get(name, header.get(GENERIC_ALIASES.get(name, "")))
        if there != number and not (there is None and number > OLDEST_HEADERS_KNOW):
            wrong[name] = (number, there)

    assert {} == wrong


@pytest.mark.parametrize("machine", abi.ARCHITECTURES)
def test_well_known_numbers(machine: str) -> None:
    numbers = abi.ARCHITECTURES[machine].numbers

    assert KNOWN[machine] == {name: numbers[name] for name in KNOWN[machine]}


@pytest.mark.parametrize("machine", abi.ARCHITECTURES)
def test_no_two_calls_share_a_number(machine: str) -> None:
    numbers = abi.ARCHITECTURES[machine].numbers

    assert len(numbers) == len(set(numbers.values()))


@pytest.mark.parametrize("machine", abi.ARCHITECTURES)
def test_what_seccomp_calls_the_architecture(machine: str) -> None:
    assert AUDIT[machine] == abi.ARCHITECTURES[machine].audit
    assert machine == abi.ARCHITECTURES[machine].machine


def test_newer_calls_have_one_number_everywhere() -> None:
    x86_64, aarch64 = (abi.ARCHITECTURES[machine].numbers for machine in ("x86_64", "aarch64"))

    assert [] == [name for name in x86_64 if x86_64[name] >= 424 and aarch64.get(name) != x86_64[name]]


def test_aarch64_lacks_only_the_calls_that_newer_ones_replace() -> None:
    x86_64, aarch64 = (set(abi.ARCHITECTURES[machine].numbers) for machine in ("x86_64", "aarch64"))
    replaced = (
        "open creat stat lstat unlink rmdir mkdir mknod rename link symlink chmod chown lchown fork vfork".split()
    )

    assert {*replaced, "uselib", "iopl", "ioperm"} == x86_64 - aarch64
    assert set() == aarch64 - x86_64


def test_every_call_of_the_table_is_known_somewhere() -> None:
    known = {name for architecture in abi.ARCHITECTURES.values() for name in architecture.numbers}

    assert set() == {row.name for row in table.rows(privileged=True)} - known


def test_the_native_architecture() -> None:
    native = abi.native()

    assert platform.machine() not in abi.ARCHITECTURES or native is abi.ARCHITECTURES[os.uname().machine]
