"""Runs in a virtual machine: what a process does with files, as the kernel's TOMOYO names it and as our hooks do.

``python -m tests.engine.lsm.deeds OBJECT`` prints for each scene what either has that the other hasn't.
"""

from __future__ import annotations

import errno
import json
import os
import re
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.engine.lsm import scenes, scenes_mounts
from tests.vm.guest import kernel

from sekisho.engine.lsm.kernel import object as objects
from sekisho.engine.lsm.kernel.loader import Loaded, Loader, Options
from sekisho.engine.lsm.kernel.ring import Ring
from sekisho.engine.lsm.layout import NAME
from sekisho.names.word import encode
from sekisho.policy.grammar import Operand

DOMAIN = "<kernel> /deeds"
GATE = "file write securityfs:/tomoyo/self_domain"
"""What the process asked for when it wasn't in the domain yet."""
CALLER = "<kernel> /run/local/command"


def main() -> None:
    """Prints the differences."""
    image = objects.read(Path(sys.argv[1]).read_bytes())
    loaded = Loader().load(image, Options(log=20))
    failed = {name: failure for name, failure in loaded.failures.items() if not failure.absent}
    assert not failed, failed
    loaded.attach()
    kernel.write("domain_policy", f"{DOMAIN}\nuse_profile 1\n")
    kernel.write("domain_policy", f"{CALLER}\ntask manual_domain_transition {DOMAIN}\n")
    theirs: set[str] = set()
    ours: set[str] = set()
    report: dict[str, object] = {}
    assert scenes_mounts.mounts in scenes.SCENES
    for scene in scenes.SCENES:
        kernel.write("domain_policy", f"delete {DOMAIN}\n")
        kernel.write("domain_policy", f"{DOMAIN}\nuse_profile 1\n")
        error = perform(scene, loaded)
        theirs = set(learned())
        ours = {as_learned(line, theirs) for line in told(loaded)} - {GATE}
        report[scene.__name__] = {
            "error": error, "same": len(theirs & ours),
            "kernel": sorted(theirs - ours), "ours": sorted(ours - theirs),
        }  # fmt: skip
    print(json.dumps(report))


def perform(scene: Callable[[], None], loaded: Loaded) -> str:
    """``scene`` is played by a process that both look at from its beginning to its end. What went wrong in it."""
    ready, go = os.pipe()
    out, into = os.pipe()
    child = os.fork()
    if not child:
        message = b""
        try:
            gate = os.open(f"{kernel.FILES}self_domain", os.O_WRONLY)
            os.read(ready, 1)
            os.write(gate, f"{DOMAIN}\n".encode())
            scene()
        except BaseException as error:
            message = repr(error).encode()
        os.write(into, message)
        os._exit(0)
    os.close(into)
    loaded.maps["marked"].update(0, struct.pack("<I", child))
    os.write(go, b"x")
    _, status = os.waitpid(child, 0)
    loaded.maps["marked"].update(0, bytes(4))
    outcome = os.read(out, 4096).decode() or (str(status) if status else "")
    for fd in (ready, go, out):
        os.close(fd)
    return outcome


def learned() -> Iterator[str]:
    """What the kernel's TOMOYO learned, a line an operation."""
    for line in kernel.domains(DOMAIN).get(DOMAIN, []):
        if line.startswith("file "):
            _, words, *operands = line.split(" ")
            for word in words.split("/"):
                yield " ".join(["file", word, *operands])


def as_learned(line: str, theirs: set[str]) -> str:
    """``line`` as it was learned: newer kernels make a pattern of the numbers of processes, pipes and sockets."""
    for other in theirs if line not in theirs else ():
        if r"\$" in other and re.fullmatch(re.escape(other).replace(re.escape(r"\$"), r"\d+"), line):
            return other
    return line


def told(loaded: Loaded) -> Iterator[str]:
    """What our hooks were asked, in the same form."""
    ring = Ring(loaded.maps["events"])
    for record in ring.drain():
        yield from lines(record)
    ring.close()


def lines(record: bytes) -> Iterator[str]:
    """A line for each operation of a request."""
    asked, *numbers, error, _ = struct.unpack_from("<QQQQII", record)
    names = []
    for offset in (40, 40 + 4096, 40 + 8192):
        (length,) = struct.unpack_from("<H", record, offset)
        names.append(record[offset + 4 : offset + 4 + length])
        size = next(size for size in (32, 64, 128, 256, 1024, 4096) if length + 4 <= size)
        padding = record[offset + 4 + length : offset + size]
        if any(padding) and length and offset != 40 + 8192:
            yield f"padding after {names[-1]!r}: {padding!r}"
    for bit, operation in enumerate(NAME.operations):
        if not asked >> bit & 1:
            continue
        if error:
            yield f"{operation.keyword} {errno.errorcode[(1 << 32) - error]}"
            continue
        texts, figures = iter(names), iter(numbers)
        words = [operation.keyword]
        for kind in operation.operands:
            if kind is Operand.NAME:
                words.append(encode(next(texts)))
            else:
                form = {Operand.OCTAL: "0{:o}", Operand.HEX: "0x{:X}", Operand.DECIMAL: "{}"}[kind]
                words.append(form.format(next(figures)))
        if operation.keyword == "file symlink":
            words.append(f'symlink.target="{encode(names[2])}"')
        yield " ".join(words)


if __name__ == "__main__":
    main()
