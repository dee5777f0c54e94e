"""What the attacking programs find in their arenas beside what all find, and what their policy lets them do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.bypass import arena as arenas
from tests.bypass.arena import Arena, lines

CHILD = {"misc env \\*"}


def racing(arena: Arena) -> None:
    """races.c: race/a, race/u, race/x and race/0 are allowed, their neighbours are not."""
    race = arena.folder / "race"
    for name in ("0", "1"):
        (race / name).mkdir(parents=True)
    (race / "a").write_text("plain")
    for name in ("b", "granted"):
        (race / name).write_text("secret")
    arenas.compile_c("prog.c", race / "0" / "prog", "-static", "-DSTATUS=10")
    arenas.compile_c("prog.c", race / "1" / "prog", "-static")
    arenas.compile_c("wait.c", race / "wait", "-static")
    arenas.compile_c("count.c", race / "0" / "count", "-static")
    arenas.compile_c("keeper.c", race / "keeper", *KEEPING)
    chain = f"<kernel> {arena.tool}"
    rules = lines(arena.folder, arena.ports[0], chain)
    rules |= {
        f"file read {race}/a",
        *(f"file {verb} {race}/{name}" for verb in ("write", "unlink") for name in ("u", "x")),
        *(f"file create {race}/{name} 0-0777" for name in ("u", "x")),
        f"file rename {race}/x {race}/z",
        f"file execute {race}/0/prog",
        f"file execute {race}/0/count exec.argc=0",
        f'file execute {race}/0/count exec.argv[1]="good"',
        f"file execute {race}/wait",
        "file read proc:/self/environ",
        f"file write {race}/again",
        f"file execute {race}/keeper initialize",
    }
    rules -= {"file read proc:/\\$/environ", "file read/write proc:/\\$/mem"}
    arena.policy.write(
        {
            chain: rules,
            f"{chain} {race}/0/prog": CHILD,
            f"{chain} {race}/0/count": CHILD,
            f"<kernel> {race}/keeper": CHILD,
            f"{chain} {race}/wait": CHILD | {f"file read {race}/granted"},
        }
    )


@contextmanager
def victims(arena: Arena, *, lasting: bool = False) -> Iterator[None]:
    """What races.c must not remove is there; race/again goes away after a while, unless all is ``lasting``."""
    race = arena.folder / "race"
    for each in ("v", "y", "again"):
        (race / each).touch()
    timer = threading.Timer(1.5, (race / "again").unlink, kwargs={"missing_ok": True})
    if lasting:
        yield
        return
    timer.start()
    try:
        yield
    finally:
        timer.join()


CODE = b"\xb8\x2a\x00\x00\x00\xc3"
"""mov eax, 42; ret."""


def other_means(arena: Arena) -> None:
    """others.c may do what is next to what it tries."""
    folder = arena.folder
    arenas.compile_c("prog.c", folder / "allowed" / "strict", "-static", "-DSTATUS=42")
    (folder / "forbidden" / "code").write_bytes(CODE.ljust(4096, b"\xc3"))
    chain = f"<kernel> {arena.tool}"
    rules = lines(folder, arena.ports[0], chain) | {
        f"file execute {folder}/allowed/strict",
        f"file execute {folder}/allowed/odd",
        f"file mount none {folder}/allowed/formats/ binfmt_misc 0",
        f"file unmount {folder}/allowed/formats/",
        "file write binfmt_misc:/register",
        "file write proc:/self/uid_map",
        "file write proc:/\\$/oom_score_adj",
        "file mount none / --remount 0",
        "file read/write /dev/ptmx",
        "file read/write devpts:/ptmx",
        *(f"file ioctl {name} 0x0-0xFFFFFFFF" for name in ("/dev/ptmx", "devpts:/ptmx")),
        *(f"file ioctl devpts:/\\$ {number}" for number in ("0x540E", "0x5401", "0x80045430")),
    }
    child = {"misc env \\*"}
    arena.policy.write(
        {
            chain: rules,
            f"{chain} {folder}/allowed/script": child | {f"file read {folder}/allowed/\\*"},
            f"{chain} {folder}/allowed/prog": child,
            f"{chain} {folder}/allowed/strict": {"misc env PATH"},
            f"{chain} {folder}/allowed/odd": child | {f"file read {folder}/allowed/\\*"},
        }
    )


def hearing(arena: Arena) -> None:
    """hearing.c may send from and to everywhere that it needs, and may be heard, but hears only a friend."""
    arena.allow(
        "network inet dgram bind 127.0.0.2-127.0.0.3 0-65535",
        "network inet dgram send 127.0.0.3 0-65535",
        "network inet dgram recv 127.0.0.3 0-65535",
        "network inet raw bind 127.0.0.2 253",
        "network inet raw send 127.0.0.3 253",
    )


def lending(arena: Arena) -> None:
    """lending.c may do all that it does: nothing but its rights may be in the way."""
    (arena.folder / "lend").mkdir(mode=0o777)
    (arena.folder / "lend").chmod(0o777)
    for path in (arena.folder, *arena.folder.parents):
        path.chmod(path.stat().st_mode | 0o001)
    anything = f"{arena.folder}/lend/\\{{\\*\\}}/"
    names = (f"{arena.folder}/lend/\\*", f"{arena.folder}/lend/sticky/\\*", f"{anything}", f"{arena.folder}/lend/\\*/")
    rules = lines(arena.folder, arena.ports[0], f"<kernel> {arena.tool}") | {
        "file read/write mqueue:/sekisho-lent",
        "file write proc:/self/uid_map",
        "file getattr pipe:[\\$]",
        *(f"file read/write/append/truncate/unlink/getattr {name}" for name in names),
        *(f"file create/mkdir/chmod {name} 0-07777" for name in names),
        *(f"file chown/chgrp {name} 0-0xFFFFFFFF" for name in names),
        *(f"file ioctl {name} 0-0xFFFFFFFF" for name in names),
        *(f"file mkchar {name} 0-0777 1 3" for name in names),
        *(f"file {verb} {one} {other}" for verb in ("link", "rename") for one in names for other in names),
    }
    arena.policy.write({f"<kernel> {arena.tool}": rules})


@contextmanager
def swapping(arena: Arena) -> Iterator[None]:
    """swaps.c may do everything in race/0 that it tries to do in race/1; somebody listens in both meanwhile."""
    race = arena.folder / "race"
    mine, other = race / "0", race / "1"
    with ExitStack() as stack:
        for folder, text, name in ((mine, "plain", "sock"), (other, "secret", "./sock")):
            folder.mkdir(parents=True)
            for each in ("file", "s", "r", "u", "m"):
                (folder / each).write_text(text)
            (folder / "t").write_text("x" * 100)
            (folder / "m").chmod(0o600)
            (folder / "e").mkdir()
            arenas.listen_at(stack, folder, name)
        (mine / "sub").mkdir()
        mine_all = {"read", "write", "append", "truncate", "unlink", "rmdir", "symlink"}
        rules = lines(arena.folder, arena.ports[0], f"<kernel> {arena.tool}") | {
            *(f"file {verb} {mine}/\\*" for verb in mine_all),
            *(f"file {verb} {mine}/\\* 0-0777" for verb in ("create", "mkdir", "chmod", "mksock")),
            f"file rmdir {mine}/\\*/",
            f"file mkdir {mine}/\\*/ 0-0777",
            f"file chown {mine}/\\* 7",
            f"file link {mine}/\\* {mine}/\\*",
            f"file rename {mine}/\\* {mine}/\\*",
            f"file rename {mine}/sub/ {other}/sub/",
            f"file rename {other}/sub/ {mine}/sub/",
            f"file symlink {race}/next",
            f"file symlink {race}/link",
            f"file rename {race}/next {race}/link",
            f"file mount {mine}/ {other}/ --bind 0",
            f"file unmount {other}/",
            f"file read {other}/m",
            *(f"file ioctl {mine}/m {number}" for number in ("0x40086602", "0x80086601", "0x541B")),
            f"file ioctl {other}/m 0x80086601",
            f"file write {other}/t",
            f"file append {other}/file",
            *(f"network unix stream {verb} race/0/\\*" for verb in ("bind", "connect")),
            *(f"network unix stream bind {name}" for name in ("b", "../b", "race/link/b")),
        }
        arena.policy.write({f"<kernel> {arena.tool}": rules})
        yield


VANISHING = "made_again"
"""The race that is about what goes away."""


KEEPING = ("-static", "-no-pie", "-Wl,--section-start=.secret=0x10000000")
"""Flags by which keeper.c has its secret at the same address everywhere."""
STAYING = (*KEEPING, "-DSTAY=900000")
"""The same for one that stays."""


ALONE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""What starts births.c: where numbers are guessed, only ours may be there to be hit."""


BREEDING = ("-static", "-no-pie")
"""Flags of breeder.c."""


def breeding(arena: Arena) -> None:
    """births.c: the program breeder may read what its parent may not."""
    arenas.compile_c("breeder.c", arena.folder / "breeder", *BREEDING)
    (arena.folder / "granted").write_text("secret\n")
    chain = f"<kernel> {arena.tool}"
    rules = {
        *lines(arena.folder, arena.ports[0], chain),
        "file read proc:/loadavg",
        f"file execute {arena.folder}/breeder initialize",
    }
    rules.remove("ipc signal 1-64 <kernel>")
    bred = {"misc env \\*", f"file read {arena.folder}/granted"}
    arena.policy.write({chain: rules, f"<kernel> {arena.folder}/breeder": bred})


def deputising(arena: Arena) -> None:
    """deputy.c may use names that others would take for something else."""
    mine = f"{arena.folder}/allowed"
    rules = lines(arena.folder, arena.ports[0], f"<kernel> {arena.tool}") | {
        "file read proc:/\\$/task/\\$/stat",
        "file read proc:/self/task/\\$/stat",
        f"file mksock {mine}/\\* 0-0777",
        *(
            f"network unix stream {verb} {name}"
            for verb in ("bind", "listen", "connect")
            for name in ("mine", "moving", "/proc/self/cwd/mine", "/proc/self/cwd/bound")
        ),
    }
    arena.policy.write({f"<kernel> {arena.tool}": rules})


def controlling(arena: Arena) -> None:
    """control.c may use every name that leads to a control socket."""
    mine, allowed = f"{arena.folder}/policy/\\*", f"{arena.folder}/allowed/\\*"
    chain = f"<kernel> {arena.tool}"
    rules = lines(arena.folder, arena.ports[0], chain) | {
        "file getattr /\\{\\*\\}/",
        f"file read {arena.folder}/policy/",
        f"file read {arena.folder}/other/",
        f"file rename {mine} {mine}",
        f"file rename {mine} {allowed}",
        f"file rename {allowed} {mine}",
        f"file link {mine} {allowed}",
        f"file mksock {mine} 0-0777",
        f"file unlink {mine}",
        *(
            f"network unix seqpacket {verb} {name}"
            for verb in ("bind", "listen", "connect")
            for name in ("\\*", "/\\*", "/\\{\\*\\}/\\*")
        ),
    }
    arena.policy.write({chain: rules})


def tracing(arena: Arena) -> None:
    """traced.c may reach into its own domain, and execute keeper and stayer, into which it may not."""
    keeper = arena.folder / "keeper"
    stayer = arena.folder / "stayer"
    arenas.compile_c("keeper.c", keeper, *KEEPING)
    arenas.compile_c("keeper.c", stayer, *STAYING)
    (arena.folder / "keeping").write_text(f"#!{keeper}\n")
    (arena.folder / "keeping").chmod(0o755)
    chain = f"<kernel> {arena.tool}"
    rules = lines(arena.folder, arena.ports[0], chain) | {
        f"file execute {keeper} initialize",
        f"file execute {stayer} initialize",
        f"file execute {arena.folder}/keeping initialize",
    }
    rules -= {"file read/write proc:/\\$/mem"}
    kept = {f"file read {keeper}", *CHILD}
    arena.policy.write(
        {
            chain: rules,
            f"<kernel> {keeper}": CHILD,
            f"<kernel> {stayer}": CHILD,
            f"<kernel> {arena.folder}/keeping": kept,
        }
    )


def signalling(arena: Arena) -> None:
    """signals.c may send what it likes to its own domain and to nobody's, and execute heir, which it may not."""
    heir = arena.folder / "heir"
    arenas.compile_c("heir.c", heir)
    chain = f"<kernel> {arena.tool}"
    rules = lines(arena.folder, arena.ports[0], chain) | {
        f"ipc signal 1-64 {chain}",
        f"file execute {heir} initialize",
        f"file ioctl {arena.folder}/\\{{\\*\\}}/\\* 0x0-0xFFFFFFFF",
        "file ioctl socket:[\\$] 0x0-0xFFFFFFFF",
        "file read/write /dev/ptmx",
        "file read/write devpts:/ptmx",
        "file read/write devpts:/\\$",
        *(f"file ioctl {name} 0x0-0xFFFFFFFF" for name in ("/dev/ptmx", "devpts:/ptmx", "devpts:/\\$")),
    }
    rules.remove("ipc signal 1-64 <kernel>")
    arena.policy.write({chain: rules, f"<kernel> {heir}": CHILD})
