"""Debian's kernels for the machine: downloaded and unpacked into a cache, never installed."""

from __future__ import annotations

import fcntl
import lzma
import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.vm.initramfs import first_stage

NEEDED: Final = (
    "virtio_mmio", "virtio_pci", "virtio_blk", "virtio_rng", "9pnet_virtio", "9p", "overlay", "crc32c_generic", "ext4",
)  # fmt: skip
"""Modules that the machine needs before it has a root file system; what isn't there is built in."""


MIRROR: Final = "http://deb.debian.org/debian"
NEWER: Final = "trixie-backports"
"""Where kernels are that this host's Debian doesn't have."""


class CannotStart(Exception):
    """The machine lacks something on this host; the message says what, and what to do."""


@dataclass(frozen=True)
class Kernel:
    """An unpacked kernel package."""

    folder: Path

    @property
    def image(self) -> Path:
        """What qemu starts: the kernel itself where it could be unpacked, which saves the guest seconds."""
        plain = self.folder / "vmlinux"
        return plain if plain.exists() else self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The first file system, with the modules that mount the real one."""
        return self.folder / "initrd"

    @property
    def tree(self) -> Path:
        """The package's files."""
        return self.folder / "tree"


def cached() -> list[str]:
    """The names of the kernels and images that are there."""
    folder = _cache()
    return [each.name for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []


def cache() -> Path:
    """Where kernels and images are kept, outside the source tree; it is there."""
    folder = _cache()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sekisho/vm"


@contextmanager
def made_once(name: str) -> Iterator[tuple[Path, Path | None]]:
    """The cache entry ``name``, and a temporary folder to make it in, moved there at the end; None if it is there."""
    final = cache() / name
    with open(cache() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if final.exists():
            yield final, None
            return
        making = Path(tempfile.mkdtemp(prefix="making-", dir=cache()))
        try:
            yield final, making
            making.chmod(0o755)
            making.rename(final)
        finally:
            shutil.rmtree(making, ignore_errors=True)


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """The standard output of ``command``, which has to succeed."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except FileNotFoundError as error:
        raise CannotStart(f"{command[0]} isn't installed; scripts/test-dependencies installs it as root") from error
    if done.returncode:
        raise CannotStart(f"{' '.join(map(str, command))} failed:\n{(done.stderr or done.stdout)[-2000:]}")
    return done.stdout


def package_pattern(version: str) -> str:
    """Matches the packages of kernels whose version begins with ``version``."""
    return rf"linux-image-{re.escape(version)}\.[^-]*(-\d+)?-amd64"


def find_kernel(version: str) -> Kernel:
    """The kernel whose version begins with ``version``: the newest in the cache, else the newest to be had."""
    pattern = re.compile(package_pattern(version))
    have = list(filter(pattern.fullmatch, cached()))
    if have:
        return Kernel(cache() / newest(have))
    apt: tuple[str, ...] = ()
    names = packages(pattern, apt)
    if not names:
        apt = newer_packages()
        names = packages(pattern, apt)
    if not names:
        raise CannotStart(f"no package for kernel {version} is known to apt; run apt-get update")
    with made_once(newest(names)) as (final, making):
        if making:
            unpack(newest(names), making, apt)
    return Kernel(final)


def packages(pattern: re.Pattern[str], apt: Sequence[str]) -> list[str]:
    """The kernel packages that apt, with these options, knows by such a name."""
    return list(filter(pattern.fullmatch, run("apt-cache", *apt, "pkgnames", "linux-image-").split()))


def newest(names: Sequence[str]) -> str:
    """The package of the highest version."""
    return max(names, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])


def newer_packages() -> tuple[str, ...]:
    """Options that have apt know a later release's packages; what the host's own apt knows stays as it is."""
    folder = cache() / "apt"
    for each in ("state/lists/partial", "cache/archives/partial"):
        (folder / each).mkdir(parents=True, exist_ok=True)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (folder / "sources.list").write_text(f"deb [signed-by={keys}] {MIRROR} {NEWER} main\n")
    settings = {
        "Dir::State": folder / "state",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
    }
    words = tuple(word for key, value in settings.items() for word in ("-o", f"{key}={value}"))
    run("apt-get", "-q", "-o", "APT::Sandbox::User=root", *words, "update")
    return words


def unpack(package: str, folder: Path, apt: Sequence[str] = ()) -> None:
    """``folder`` holds everything that starting the kernel of ``package`` takes."""
    run("apt-get", "-q", "-o", "APT::Sandbox::User=root", *apt, "download", package, cwd=folder)
    [archive] = folder.glob("*.deb")
    tree = folder / "tree"
    run("dpkg-deb", "-x", archive, tree)
    archive.unlink()
    if (tree / "lib").is_dir():
        # Laid over a root whose /lib is a link to usr/lib.
        (tree / "usr").mkdir(exist_ok=True)
        shutil.copytree(tree / "lib", tree / "usr/lib", dirs_exist_ok=True, symlinks=True)
        shutil.rmtree(tree / "lib")
    [compressed] = (tree / "boot").glob("vmlinuz-*")
    version = compressed.name.removeprefix("vmlinuz-")
    shutil.copy(compressed, folder / "vmlinuz")
    if plain := decompressed((folder / "vmlinuz").read_bytes()):
        (folder / "vmlinux").write_bytes(plain)
    if depmod := shutil.which("depmod", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
        run(depmod, "-b", tree / "usr", version)
    modules = dict(in_load_order(tree / "usr/lib/modules" / version))
    (folder / "initrd").write_bytes(first_stage(modules))


def decompressed(image: bytes) -> bytes | None:
    """The ELF kernel inside a bzImage; None where this host can't decompress it."""
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (image[0x1F1] + 1) * 512 + offset
    payload = image[start : start + length]
    if payload.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(payload)
    if payload.startswith(b"\x28\xb5\x2f\xfd") and shutil.which("zstd"):
        # What follows the stream is its size, which zstd complains about.
        plain = subprocess.run(["zstd", "-dqc"], input=payload, capture_output=True, check=False).stdout
        return plain if len(plain) == struct.unpack("<I", payload[-4:])[0] else None
    return None


def in_load_order(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and contents of each module of NEEDED and of those it depends on, these first."""
    files = {path.name.split(".ko")[0].replace("-", "_"): path for path in folder.rglob("*.ko*")}
    seen: set[str] = set()

    def with_dependencies(name: str) -> Iterator[tuple[str, bytes]]:
        if name in seen or name not in files:
            return
        seen.add(name)
        data = files[name].read_bytes()
        data = lzma.decompress(data) if files[name].suffix == ".xz" else data
        found = re.search(rb"\0depends=([^\0]*)", data)
        for each in found[1].decode().split(",") if found else []:
            yield from with_dependencies(each.replace("-", "_"))
        yield name, data

    for each in NEEDED:
        yield from with_dependencies(each)
