"""In the guest: the files of the kernel's TOMOYO."""

from __future__ import annotations

import os
from collections.abc import Iterator

FILES = "/sys/kernel/security/tomoyo/"


def write(file: str, text: str) -> None:
    """The kernel has read ``text``, whole lines of which it takes one at a time."""
    descriptor = os.open(FILES + file, os.O_WRONLY)
    try:
        data = text.encode("utf-8", "surrogateescape")
        while data:
            # The kernel's buffer takes a long line, but not any number of lines at once.
            cut = data.rfind(b"\n", 0, 4096) + 1 or data.find(b"\n") + 1 or len(data)
            os.write(descriptor, data[:cut])
            data = data[cut:]
    finally:
        os.close(descriptor)


def read(file: str) -> str:
    """All that the kernel has to say there."""
    descriptor = os.open(FILES + file, os.O_RDONLY)
    try:
        return b"".join(_chunks(descriptor)).decode("utf-8", "surrogateescape")
    finally:
        os.close(descriptor)


def _chunks(descriptor: int) -> Iterator[bytes]:
    while data := os.read(descriptor, 65536):
        yield data


def domains(first: str) -> dict[str, list[str]]:
    """The lines of each domain that is ``first`` or below it."""
    return sections(read("domain_policy"), first)


def sections(policy: str, first: str) -> dict[str, list[str]]:
    """The same of domain policy as text."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in policy.split("\n"):
        if line.startswith("<"):
            name = line
            found[name] = []
        elif line:
            found[name].append(line)
    return {name: lines for name, lines in found.items() if name == first or name.startswith(f"{first} ")}
