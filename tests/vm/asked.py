"""Random requests, one maker for each family of batches (tests/vm/pairs.py)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sekisho.names.word import encode
from sekisho.policy.addresses import canonical_address

if TYPE_CHECKING:
    from tests.vm.pairs import Batch

Request = dict[str, Any]


def text(raw: bytes) -> str:
    """``raw`` as JSON carries it."""
    return raw.decode("latin-1")


def files(batch: Batch) -> Request:
    """Something is done with a file."""
    keyword = batch.chance.choice(
        "read write append unlink getattr rmdir truncate symlink link rename create mkdir mkfifo mksock mkchar mkblock "
        "chmod chown chgrp".split()
    )
    chance = batch.chance
    request: Request = {"operation": f"file {keyword}"}
    if keyword in ("create", "mkdir", "mkfifo", "mksock", "mkchar", "mkblock"):
        path, mode = batch.new(), chance.choice((0o644, 0o600, 0o4755, 0o777, 0, 0o1777))
        numbers = [chance.randrange(260), chance.randrange(300)] if keyword in ("mkchar", "mkblock") else []
        name = batch.word(path, directory=keyword == "mkdir")
        return request | _on(path, [name, mode, *numbers], [mode, *numbers], after=True)
    if keyword == "symlink":
        path, target = batch.new(), chance.choice((batch.words.path(), b"a", b"x y", b"../\xff"))
        return request | _on(path, [batch.word(path)], [text(target)], after=True) | {"target": text(target)}
    if keyword in ("link", "rename"):
        return request | _two(batch, keyword)
    if keyword in ("chmod", "chown", "chgrp"):
        modes, owners = (0o644, 0o755, 0, 0o1750, 0o7776, 0o4711), (0, 1, 1000, 65534, 70000)
        path, number = batch.some(), chance.choice(modes if keyword == "chmod" else owners)
        return request | _on(path, [batch.word(path), number], [number])
    if keyword in ("unlink", "rmdir", "truncate"):
        kind = {"rmdir": ("directory", "file"), "unlink": ("file", "fifo", "file", "directory"), "truncate": ("file",)}[
            keyword
        ]
        path, picked = batch.new(), chance.choice(kind)
        made = batch.file(path, picked)
        batch.files.remove(made)
        name = batch.word(path, directory=keyword == "rmdir" or picked == "directory")
        return request | _on(path, [name], [], after=True) | {"before": [made]}
    path = batch.some("file", "program", "fifo", "char") if keyword in ("write", "append") else batch.some()
    if keyword == "getattr" and chance.random() < 0.3:
        path = chance.choice(list(batch.existing))
    return request | _on(path, [batch.word(path)], [])


def _on(path: bytes, words: list[Any], rest: list[Any], *, after: bool = False) -> Request:
    """A request about one path."""
    return {
        "path1": text(path),
        "words": words,
        "arguments": [text(path), *rest],
        "after": [text(path)] if after else [],
    }


def _two(batch: Batch, keyword: str) -> Request:
    """A link or rename."""
    old, new = batch.new() + b"x", batch.new()
    kind = batch.chance.choice(("file", "file", "fifo", "directory"))
    before = [batch.file(old, kind)]
    if keyword == "rename" and kind == "file" and batch.chance.random() < 0.3:
        before.append(batch.file(new, "file"))
    for each in before:
        batch.files.remove(each)
    words = [batch.word(path, directory=kind == "directory") for path in (old, new)]
    return {
        "path1": text(old), "path2": text(new), "words": words, "arguments": [text(old), text(new)],
        "before": before, "after": [text(old), text(new)],
    }  # fmt: skip


def ioctl(batch: Batch) -> Request:
    """ioctl(2) on a file."""
    path, command = (
        batch.some("file", "program", "directory"),
        batch.chance.choice((0x5401, 0x541B, 1, 0xFFFF, 0x89ABCDEF)),
    )
    return {"operation": "file ioctl"} | _on(path, [batch.word(path), command], [command])


def mounts(batch: Batch) -> Request:
    """Something is done with a mount or a root directory."""
    chance = batch.chance
    keyword = chance.choice(("chroot", "mount", "mount", "mount", "pivot_root"))
    path = batch.some("directory")
    if keyword == "chroot":
        return {"operation": "file chroot"} | _on(path, [batch.word(path)], [])
    second = batch.some("directory")
    if keyword == "pivot_root":
        words = [batch.word(path), batch.word(second)]
        return {
            "operation": "file pivot_root", "path1": text(path), "path2": text(second), "words": words,
            "arguments": [text(path), text(second)],
        }  # fmt: skip
    kind, flag = chance.choice(
        (("tmpfs", 0), ("proc", 0), ("--bind", 0x1000), ("--remount", 0x20), ("--make-private", 0x40000))
    )
    extra = chance.choice((0, 1, 2, 8, 0x401)) if kind in ("tmpfs", "proc", "--remount") else 0
    device = text(path) if kind == "--bind" else chance.choice(("none", "tmpfs", "any/thing"))
    name = batch.word(path) if kind == "--bind" else device
    given = kind if flag == 0 else ""
    made: Request = {
        "operation": "file mount", "path2": text(second), "words": [name, batch.word(second), kind, extra],
        "arguments": [device, text(second), given, flag | extra], "ignore_first": kind != "--bind",
    }  # fmt: skip
    return made | ({"path1": text(path)} if kind == "--bind" else {})


def network(batch: Batch) -> Request:
    """A socket is bound, connected or sent from."""
    chance = batch.chance
    if chance.random() < 0.5:
        kind, operation = chance.choice(
            [
                (kind, word)
                for kind, words in (("stream", "bind connect"), ("seqpacket", "bind connect"), ("dgram", "bind send"))
                for word in words.split()
            ]
        )
        path = chance.choice(
            (batch.words.path(), b"\0" + batch.words.path(2), batch.words.component(), b"\0" + batch.words.component())
        )
        if operation == "bind" and not path.startswith(b"\0"):
            path = b"/none" + path if path.startswith(b"/") else b"none/" + path
        return {"operation": f"network unix {kind} {operation}", "words": [encode(path)], "arguments": [text(path)]}
    kind, operation = chance.choice(
        [
            (kind, word)
            for kind, words in (("stream", "bind connect"), ("dgram", "bind send"), ("raw", "bind send"))
            for word in words.split()
        ]
    )
    address, number = (
        canonical_address(inet_address(batch)).text,
        chance.choice((1, 17, 255) if kind == "raw" else (80, 8080, 1, 65535, chance.randrange(1, 65536))),
    )
    return {"operation": f"network inet {kind} {operation}", "words": [address, number], "arguments": [address, number]}


def inet_address(batch: Batch) -> str:
    """An address."""
    if batch.chance.random() < 0.4:
        return str(
            ipaddress.IPv6Address(
                batch.chance.choice((1, 0xFE80 << 112 | 5, 2**127 + 77, 0xFFFF01020304, 0x20010DB8 << 96))
            )
        )
    return str(
        ipaddress.IPv4Address(
            batch.chance.choice((0x7F000001, 0x7F000102, 0x0A000005, 0xC0A80101)) + batch.chance.randrange(4)
        )
    )


def listen(batch: Batch) -> Request:
    """A socket is listened on."""
    if batch.chance.random() < 0.5:
        path = b"\0" + batch.words.path(2)
        kind = batch.chance.choice(("stream", "seqpacket"))
        return {"operation": f"network unix {kind} listen", "words": [encode(path)], "arguments": [text(path)]}
    address, port = (
        batch.chance.choice(("127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::")),
        batch.chance.randrange(1024, 65536),
    )
    return {"operation": "network inet stream listen", "words": [address, port], "arguments": [address, port]}


def execute(batch: Batch) -> Request:
    """A program is started."""
    chance = batch.chance
    path = batch.some("program", "program", "script")
    links = [
        each
        for each, kind in batch.existing.items()
        if kind[0] == "-" and batch.existing.get(kind[2:].encode("latin-1")) == "program"
    ]
    if links and chance.random() < 0.2:
        path = chance.choice(links)
    if batch.existing.get(path) == "directory":
        return execute(batch)
    argv = [batch.words.component() for _ in range(chance.randint(1, 4))]
    envp = [
        chance.choice((b"A", b"PATH", b"x y", b"LD_X")) + b"=" + batch.words.component()
        for _ in range(chance.randint(0, 4))
    ]
    kind = batch.existing[path]
    real = kind[2:].encode("latin-1") if kind[0] == "-" else path
    return {
        "operation": "file execute", "words": [batch.word(path)], "arguments": [], "path1": text(path), "follow": True,
        "program": [text(path), [text(each) for each in argv], [text(each) for each in envp]], "realpath": encode(real),
    }  # fmt: skip


def environment(batch: Batch) -> Request:
    """A program is started with one variable set."""
    if not batch.exception:
        batch.exception.append(f"keep_domain any from {batch.domain}")
    made = execute(batch)
    name = batch.chance.choice(
        (batch.words.component(), batch.words.component() + batch.words.component(), b"PATH", b"LD_1", b"a/b")
    )
    made["program"][1:] = [["x"], [text(name + b"=" + batch.words.component())]]
    return made | {"operation": "misc env", "words": [encode(name)]}


def transitions(batch: Batch) -> Request:
    """The process asks to be in another domain."""
    domain = batch.domain + "".join(f" {encode(batch.words.path(2))}" for _ in range(batch.chance.randint(0, 3)))
    if batch.chance.random() < 0.2:
        domain = f"<kernel> {encode(batch.words.path())}"
    return {"operation": "task manual_domain_transition", "words": [domain], "arguments": [text(domain.encode())]}


MAKERS: Final[dict[str, Callable[[Batch], Request]]] = {
    "files": files, "ioctl": ioctl, "mounts": mounts, "network": network, "listen": listen, "execute": execute,
    "environment": environment, "transitions": transitions,
}  # fmt: skip
