"""Where attacks are tried: a folder with what is allowed and what is forbidden, and a policy that says so."""

from __future__ import annotations

import functools
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engine.supervisor.supervised import Supervised

HERE = Path(__file__).resolve().parent
_SECRET = "secret\n"


def names(source: str) -> list[str]:
    """The attacks of a program."""
    return re.findall(r'^    \{"(\w+)", ', (HERE / source).read_text(), re.MULTILINE)


def compile_c(source: str, target: Path, *flags: str) -> Path:
    """The program at ``target``, built from ``source`` beside this file; static, so that it needs no libraries."""
    target.write_bytes(_built(source, *(flags or ("-static",))))
    target.chmod(0o755)
    return target


@functools.cache
def _built(source: str, *flags: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "program"
        subprocess.run(["gcc", "-O1", "-w", "-pthread", *flags, "-o", target, HERE / source], check=True, timeout=120)
        return target.read_bytes()


@dataclass
class Arena:
    """``folder`` holds allowed/, forbidden/ and policy/; ``tool`` is the attacking program."""

    folder: Path
    tool: Path
    policy: Supervised
    ports: tuple[int, int]
    before: tuple[str, ...] = ()
    """What starts the tool where nobody watches."""

    def arguments(self, victim: int, tries: int, *names: str) -> list[str]:
        """The attacking command line; ``victim`` 0 means its parent."""
        return [str(word) for word in (self.tool, self.folder, victim, tries, *self.ports, *names)]

    def allow(self, *more: str) -> None:
        """The attacking domain may do this as well."""
        domains = self.policy.entries()
        domains.pop("<kernel>")
        chain = f"<kernel> {self.tool}"
        self.policy.write(domains | {chain: domains[chain] | set(more)})

    def without(self, *names: str, tries: int = 2000, timeout: float = 120) -> dict[str, str]:
        """What the attacks come to when nobody watches."""
        stand_in = subprocess.Popen(["sleep", "600"])
        try:
            done = subprocess.run(
                [*self.before, *self.arguments(stand_in.pid, tries, *names)],
                capture_output=True,
                timeout=timeout,
                check=True,
            )
        finally:
            stand_in.kill()
            stand_in.wait()
        return _outcomes(done.stdout.decode())

    def under(self, *names: str, tries: int = 2000, timeout: float = 280, mode: str | None = None) -> dict[str, str]:
        """What they come to in enforcing mode, or another."""
        done = self.policy.run(*self.arguments(0, tries, *names), timeout=timeout, mode=mode)
        assert "internal error" not in done.err, done.err
        assert "Traceback" not in done.err, done.err
        return _outcomes(done.out) | {"stderr": done.err}


def _outcomes(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.splitlines())


def lines(folder: Path, allowed_port: int, chain: str) -> set[str]:
    """What the attacking domain may do. It is generous where that must not help."""
    mine = f"{folder}/allowed"
    return {
        "misc env \\*",
        f"file read/write/append/truncate/unlink {mine}/\\*",
        f"file create {mine}/\\* 0-0777",
        f"file mkdir {mine}/\\*/ 0-0777",
        f"file symlink {mine}/\\*",
        f"file rmdir {mine}/\\*/",
        f"file read {mine}/",
        f"file link {mine}/\\* {mine}/\\*",
        f"file rename {mine}/\\* {mine}/\\*",
        f"file rename {mine}/\\* {folder}/policy/\\*",
        f"file rename {folder}/policy/ {folder}/elsewhere/",
        f"file execute {mine}/prog",
        f"file execute {mine}/script",
        f"file write/append {folder}/policy/\\*",
        "file getattr /\\{\\*\\}/\\*",
        "file read/write proc:/\\$/mem",
        "file read/write proc:/self/mem",
        "file read proc:/\\$/environ",
        "file read proc:/\\$/stat",
        "file read proc:/\\$/",
        "file read proc:/self/\\*",
        "ipc signal 1-64 <kernel>",
        "ipc ptrace/read_memory/write_memory/get_descriptor " + chain,
        "capability SYS_PTRACE",
        "capability SYS_NICE",
        "capability use_user_namespace",
        "capability use_mount_namespace",
        f"network inet dgram send 127.0.0.1 {allowed_port}",
        f"network inet stream connect 127.0.0.1 {allowed_port}",
        "network unix stream bind/listen/connect \\000sekisho-\\*",
        "network unix stream accept \\000sekisho-friend-\\$",
        "network unix dgram bind/send \\000sekisho-\\*",
        "network unix dgram recv \\000sekisho-friend-\\$",
    }


@contextmanager
def arena(folder: Path, *sources: str) -> Iterator[Arena]:
    """An arena in ``folder``, whose tool is built from the first of ``sources``; servers listen meanwhile."""
    folder = folder.resolve()
    for name in ("allowed", "forbidden"):
        (folder / name).mkdir()
    for name in ("secret", "movable", "movable2"):
        (folder / "forbidden" / name).write_text(_SECRET)
    (folder / "forbidden" / "long").write_text("x" * 1000)
    (folder / "allowed" / "plain").write_text("plain\n")
    tool = compile_c(sources[0], folder / "tool")
    compile_c("prog.c", folder / "forbidden" / "prog", "-static")
    compile_c("prog.c", folder / "forbidden" / "dynamic", "-DSTATUS=42")
    compile_c("prog.c", folder / "allowed" / "prog", "-static", "-DSTATUS=10")
    compile_c("prog.c", folder / "allowed" / "blob", "-static", "-DSTATUS=42")
    policy = Supervised(folder / "policy")
    with ExitStack() as stack:
        ports = tuple(_servers(stack) for _ in range(2))
        listen_at(stack, folder / "forbidden", "sock")
        chain = f"<kernel> {tool}"
        rules = lines(folder, ports[0], chain)
        child = {"misc env \\*"}
        policy.write({chain: rules, f"{chain} {folder}/allowed/prog": child, f"{chain} {folder}/allowed/script": child})
        yield Arena(folder, tool, policy, (ports[0], ports[1]))


def _servers(stack: ExitStack) -> int:
    """One loopback port with a TCP and a UDP socket behind it."""
    tcp = stack.enter_context(socket.socket())
    tcp.bind(("127.0.0.1", 0))
    tcp.listen(64)
    udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
    udp.bind(tcp.getsockname())
    return int(tcp.getsockname()[1])


def listen_at(stack: ExitStack, folder: Path, name: str) -> None:
    """Somebody listens at ``name`` in ``folder``, which may be too deep for a whole path."""
    sock = stack.enter_context(socket.socket(socket.AF_UNIX))
    before = os.getcwd()
    os.chdir(folder)
    try:
        sock.bind(name)
    finally:
        os.chdir(before)
    sock.listen(1000)
