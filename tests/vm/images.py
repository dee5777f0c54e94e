"""Root file systems on ext4, on which the kernel's TOMOYO gives every file the one name it has everywhere."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.vm.kernels import MIRROR, CannotStart, made_once, run

SMALL: Final = ("python3", "kmod", "ed", "procps", "sqlite3", "openssl", "rsync", "bc")
"""What the quick comparisons run, besides what every Debian has."""

FULL: Final = (
    *SMALL, "acl", "at", "attr", "bsdextrautils", "cpio", "cron", "curl", "dnsmasq-base", "file", "gawk", "gcc", "git",
    "gnupg", "iproute2", "iputils-ping", "jq", "less", "libc6-dev", "lighttpd", "logrotate", "lua5.4", "m4", "make",
    "man-db", "mawk", "netcat-openbsd", "nginx-light", "openssh-client", "openssh-server", "patch", "perl", "psmisc",
    "redis-server", "socat", "strace", "sudo", "tmux", "tomoyo-tools", "unzip", "vim-tiny", "xz-utils", "zip",
)  # fmt: skip
"""What all comparisons run."""

BOOTED: Final = (
    "apt", "cron", "dbus", "iproute2", "kmod", "libnginx-mod-http-perl", "libpam-systemd", "nginx-light",
    "openssh-client", "openssh-server", "perl", "procps", "python3", "systemd-sysv", "udev",
)  # fmt: skip
"""A small server, which systemd starts."""

BENCH: Final = ("python3", "kmod", "apparmor")
"""What is needed to compare what systems cost."""


def release() -> str:
    """The code name of this host's Debian; the guest's is the same."""
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")
    except OSError:
        return "stable"


def image_name(packages: Sequence[str]) -> str:
    """The cache entry for an image with ``packages``."""
    suite = release()
    mark = hashlib.sha256(" ".join([suite, *sorted(set(packages))]).encode()).hexdigest()[:12]
    return f"debian-{suite}-{mark}"


def debian_image(packages: Sequence[str]) -> Path:
    """A disk image of a minimal Debian with ``packages``, made when it is first asked for."""
    with made_once(image_name(packages)) as (final, making):
        if making:
            make_image(release(), sorted(set(packages)), making)
    return final / "disk"


def make_image(suite: str, packages: Sequence[str], folder: Path) -> None:
    """``folder/disk`` is the image."""
    if os.geteuid() != 0:
        raise CannotStart("making a Debian image takes root, once; it is kept in the cache")
    tree = folder / "tree"
    # debootstrap takes it for granted that chroot is found.
    os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    run("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, tree, MIRROR)
    shutil.rmtree(tree / "var/cache/apt/archives", ignore_errors=True)
    (tree / "var/cache/apt/archives/partial").mkdir(parents=True)
    (tree / "etc/hostname").write_text("vm\n")
    (tree / "etc/resolv.conf").write_text("")
    size = int(re.split(r"\s", run("du", "-sxm", tree))[0])
    words = ("mke2fs", "-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=1", "-d")
    run(*words, tree, folder / "disk", f"{size * 5 // 4 + 512}M")
    shutil.rmtree(tree)
