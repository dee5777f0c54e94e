"""The first file system of the machine: busybox, modules, and the two scripts that lead to the command."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

Entry = tuple[str, int, bytes]
"""Name, mode with the file type, contents."""

BUSYBOX: Final = "/bin/busybox"
"""Debian's busybox-static."""

FIRST: Final = """\
#!/bin/busybox sh
# Mounts the real root on /new and goes there. The words after it come from the host: see machine.py.
B=/bin/busybox
$B mount -t proc proc /proc; $B mount -t sysfs sys /sys; $B mount -t devtmpfs dev /dev
for m in $($B cat /modules/order); do $B insmod /modules/$m.ko; done
O=trans=virtio,version=9p2000.L,msize=262144
. /settings
if [ -n "$IMAGE" ]; then
  $B mount -t ext4 /dev/vda /new || $B poweroff -f
  $B mkdir -p /new/host; $B mount -t 9p -o ro,cache=loose,$O host /new/host
  $B mkdir -p /new/usr/lib/modules; $B mount -t 9p -o ro,cache=loose,$O kernel /kernel
  $B mount --bind /kernel/usr/lib/modules /new/usr/lib/modules
else
  $B mount -t 9p -o ro,cache=loose,$O host /host || $B poweroff -f
  $B mount -t 9p -o ro,cache=loose,$O kernel /kernel
  $B mount -t tmpfs -o size=80%,mode=755 upper /upper; $B mkdir /upper/files /upper/work
  $B mount -t overlay -o lowerdir=/kernel:/host,upperdir=/upper/files,workdir=/upper/work root /new || $B poweroff -f
fi
cd /new; $B mkdir -p proc sys dev run tmp
$B mount --move /proc proc; $B mount --move /sys sys; $B mount --move /dev dev
$B mount -t tmpfs -o mode=755 run run; $B mkdir -p run/vm run/lock
$B mount -t 9p -o rw,cache=none,$O exchange run/vm || $B poweroff -f
$B cp /bin/busybox run/busybox; $B cp -r /local run/local
n=0; for d in $SHARES; do $B mkdir -p /new$d; $B mount -t 9p -o rw,cache=none,$O share$n /new$d; n=$((n+1)); done
exec $B switch_root /new /run/local/init
"""

SECOND: Final = """\
#!/run/busybox sh
# Process 1: finishes the machine, runs the command, leaves its status in /run/vm/status.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux LANG=C.UTF-8
B=/run/busybox
$B mkdir -p /dev/pts /dev/shm
$B mount -t devpts -o ptmxmode=666 devpts /dev/pts; $B mount -t tmpfs -o mode=1777 shm /dev/shm
$B ln -sf /proc/self/fd /dev/fd; for n in 0 1 2; do $B ln -sf fd/$n /dev/std$n; done
$B mv /dev/std0 /dev/stdin; $B mv /dev/std1 /dev/stdout; $B mv /dev/std2 /dev/stderr
$B mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
$B mount -t bpf bpf /sys/fs/bpf 2>/dev/null; $B mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null
$B hostname vm; $B ip link set lo up
cd "$($B cat /run/vm/directory)" 2>/dev/null || cd /
/run/local/command </run/vm/stdin >/run/vm/stdout 2>/run/vm/stderr
echo $? >/run/vm/status.new; $B mv /run/vm/status.new /run/vm/status
$B sync; $B poweroff -f
"""


BOOTED: Final = """\
#!/run/busybox sh
# Goes on to systemd, one of whose services, when everything else has been started, is the command.
B=/run/busybox
U=/run/systemd/system
$B mkdir -p $U/multi-user.target.wants; $B ln -s ../command.service $U/multi-user.target.wants/command.service
$B cat >$U/command.service <<E
[Unit]
Description=What the machine is there for
After=$(cd /; $B ls lib/systemd/system/multi-user.target.wants etc/systemd/system/multi-user.target.wants |
  $B grep '[.]service$' | $B grep -v '^systemd-' | $B tr '\\n' ' ')
[Service]
Type=exec
ExecStart=/run/local/serve
TimeoutStopSec=300
E
if [ -x /run/local/prepare ]; then /run/local/prepare >/run/vm/prepared 2>&1 || $B poweroff -f; fi
exec /sbin/init </dev/console >/dev/console 2>&1
"""

SERVE: Final = """\
#!/run/busybox sh
# The service: runs the command, leaves its status in /run/vm/status, has systemd end the machine.
export HOME=/root TERM=linux LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd "$(/run/busybox cat /run/vm/directory)" 2>/dev/null || cd /
/run/local/command </run/vm/stdin >/run/vm/stdout 2>/run/vm/stderr
echo $? >/run/vm/status.new; /run/busybox mv /run/vm/status.new /run/vm/status
exec systemctl --no-block poweroff
"""


def archive(entries: Iterable[Entry]) -> bytes:
    """``entries`` as a cpio archive, of which the kernel takes several in a row."""
    out = bytearray()
    for number, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        word = name.encode() + b"\0"
        device = (5, 1) if name == "dev/console" else (0, 0)
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(word), 0)
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + word
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out + bytes(-len(out) % 512))


def folder(name: str) -> Entry:
    """An entry for a directory."""
    return name, 0o40755, b""


def script(name: str, text: str) -> Entry:
    """An entry for an executable file."""
    return name, 0o100755, text.encode("utf-8", "surrogateescape")


def first_stage(modules: dict[str, bytes]) -> bytes:
    """What every start with one kernel has in common."""
    busybox = Path(shutil.which("busybox") or BUSYBOX).read_bytes()
    names = "bin proc sys dev modules local host kernel upper new".split()
    return archive(
        [
            *map(folder, names),
            ("dev/console", 0o20600, b""),
            ("bin/busybox", 0o100755, busybox),
            *((f"modules/{name}.ko", 0o100644, data) for name, data in modules.items()),
            ("modules/order", 0o100644, "\n".join(modules).encode()),
        ]
    )


def second_stage(settings: dict[str, str], files: dict[str, str], *, boots: bool = False) -> bytes:
    """What one start adds: ``settings`` for the first script, ``files`` (programs) at /run/local in the guest.

    Where it ``boots``, systemd is process 1, after ``prepare`` of the files if there is one.
    """
    own = {"init": BOOTED, "serve": SERVE} if boots else {"init": SECOND}
    lines = "".join(f"{name}='{value}'\n" for name, value in settings.items())
    programs = [script(f"local/{name}", text) for name, text in {**own, **files}.items()]
    return archive([script("init", FIRST), ("settings", 0o100644, lines.encode()), folder("local"), *programs])
