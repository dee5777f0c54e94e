"""The default rules, on names that real programs made."""

from __future__ import annotations

import pytest

from sekisho.learn.rewrite import DEFAULT_REWRITE, RewriteRules
from sekisho.names.pattern import compile_pattern

RULES = RewriteRules.parse(DEFAULT_REWRITE, "rewrite.conf")
SIX, EIGHT, TEN = "\\?" * 6, "\\?" * 8, "\\?" * 10
ID64, X16 = "a86707e4816b4168", "\\x" * 16
HEX40 = "0123456789abcdef0123456789abcdef01234567"

REWRITTEN = [
    ("/tmp/tmp.2wNgzZ8xY1/", f"/tmp/tmp.{TEN}/"),
    ("/tmp/t/tmp.2wNgzZ/", f"/tmp/t/tmp.{SIX}/"),
    ("/tmp/tmpk3v_x1ab/data", f"/tmp/tmp{EIGHT}/data"),
    ("/tmp/ccAbCdEf.o", f"/tmp/cc{SIX}.o"),
    ("/tmp/ccAbCdEf.ltrans0.ltrans.o", f"/tmp/cc{SIX}.ltrans0.ltrans.o"),
    *((f"/b/ccabcdef.{suffix}", f"/b/cc{SIX}.{suffix}") for suffix in ("s", "o", "c", "res", "ld", "le")),
    ("/tmp/ccabcdef", f"/tmp/cc{SIX}"),
    ("/tmp/GMfifo1234", "/tmp/GMfifo\\$"),
    (f"/r/.git/objects/ab/{HEX40[2:]}", "/r/.git/objects/\\x\\x/\\X"),
    ("/r/.git/objects/ab/", "/r/.git/objects/\\x\\x/"),
    ("/r/.git/objects/ab/tmp_obj_a1B2c3", f"/r/.git/objects/\\x\\x/tmp_obj_{SIX}"),
    (f"/r/.git/objects/pack/pack-{HEX40}.idx", "/r/.git/objects/pack/pack-\\X.idx"),
    ("/r/.git/objects/pack/tmp_pack_a1B2c3", f"/r/.git/objects/pack/tmp_pack_{SIX}"),
    ("/r/.git/objects/pack/tmp_idx_a1B2c3", f"/r/.git/objects/pack/tmp_idx_{SIX}"),
    (f"/r/.git/objects/pack/.tmp-99-pack-{HEX40}.pack", "/r/.git/objects/pack/.tmp-\\$-pack-\\X.pack"),
    ("/r/.git/tAbCdEf", f"/r/.git/t{SIX}"),
    ("/r/x.git/objects/tmp_objdir-incoming-aBcDeF/ab/",
     f"/r/x.git/objects/tmp_objdir-incoming-{SIX}/\\x\\x/"),
    ("/home/u/sedx7RtQa", f"/home/u/sed{SIX}"),
    ("/tmp/sortq1w2e3", f"/tmp/sort{SIX}"),
    ("/d/Cu3x9QwE", f"/d/Cu{SIX}"),
    ("/tmp/ssh-aBcDeFgHiJkL/agent.812", f"/tmp/ssh-{SIX}{SIX}/agent.\\$"),
    ("/tmp/ssh-aBcDeFgHiJkL/", f"/tmp/ssh-{SIX}{SIX}/"),
    ("/v/lib/__pycache__/os.cpython-311.pyc.139872342423", "/v/lib/__pycache__/os.cpython-311.pyc.\\$"),
    ("/v/pip-23.dist-info/RECORDab12_xyz.tmp", f"/v/pip-23.dist-info/RECORD{EIGHT}.tmp"),
    ("/tmp/pip-unpack-ab12_xyz/f", f"/tmp/pip-unpack-{EIGHT}/f"),
    ("/dev/shm/sem.AbCdEf", f"/dev/shm/sem.{SIX}"),
    ("/dev/shm/sem.mp-ab12_xyz", f"/dev/shm/sem.mp-{EIGHT}"),
    ("/var/tmp/etilqs_0123456789abcdef", "/var/tmp/etilqs_\\X"),
    ("/tmp/sh-thd.aBcDeF", f"/tmp/sh-thd.{SIX}"),
    ("/tmp/fooaB3dEf", f"/tmp/foo{SIX}"),
    ("/tmp/k3v_x1ab", f"/tmp/{EIGHT}"),
    ("/tmp/pip-build-tracker-ab12_xyz/" + HEX40, f"/tmp/pip-build-tracker-{EIGHT}/\\X"),
    ("/b/stAb3dEf", f"/b/st{SIX}"),
    ("/r/.git/info/refs_a1B2c3", f"/r/.git/info/refs_{SIX}"),
    ("/r/.git/objects/info/packs_a1B2c3", f"/r/.git/objects/info/packs_{SIX}"),
    ("/tmp/aBcDeF12_3", f"/tmp/{TEN}"),
    ("proc:/1234/stat", "proc:/\\$/stat"),
    ("proc:/12/task/34/comm", "proc:/\\$/task/\\$/comm"),
    ("proc:/self/task/34/comm", "proc:/self/task/\\$/comm"),
    ("pipe:[123]", "pipe:[\\$]"),
    ("socket:[123]", "socket:[\\$]"),
    ("devpts:/3", "devpts:/\\$"),
    ("\\0000001a", "\\000\\x\\x\\x\\x\\x"),
    (f"/run/systemd/units/.#invocation:ssh.service{ID64}", f"/run/systemd/units/.#invocation:ssh.service{X16}"),
    (f"/run/systemd/units/.#invocation:session-12.scope{ID64}",
     f"/run/systemd/units/.#invocation:session-\\$.scope{X16}"),
    ("/run/systemd/units/invocation:session-12.scope", "/run/systemd/units/invocation:session-\\$.scope"),
    (ID64 * 2, X16 * 2),
    ("/sys/fs/cgroup/user.slice/user-0.slice/session-2.scope/cgroup.procs",
     "/sys/fs/cgroup/user.slice/user-0.slice/session-\\$.scope/cgroup.procs"),
    ("/run/systemd/sessions/5", "/run/systemd/sessions/\\$"),
    ("/run/systemd/sessions/5.ref", "/run/systemd/sessions/\\$.ref"),
    ("/run/systemd/sessions/.#5ekAOkD", f"/run/systemd/sessions/.#\\${SIX}"),
    ("/run/systemd/users/.#07IizQp", f"/run/systemd/users/.#\\${SIX}"),
    ("/run/systemd/seats/.#seat0Q4Oekl", f"/run/systemd/seats/.#seat0{SIX}"),
    ("/run/systemd/journal/streams/.#9:1880He2sqz", f"/run/systemd/journal/streams/.#\\$:\\${SIX}"),
    ("/run/systemd/journal/streams/9:1880", "/run/systemd/journal/streams/\\$:\\$"),
    (f"/var/tmp/systemd-private-{ID64 * 2}-systemd-logind.service-aB3dEf/tmp/",
     f"/var/tmp/systemd-private-\\X-systemd-logind.service-{SIX}/tmp/"),
    (f"/dev/char/.#7:70{ID64}", f"/dev/char/.#7:70{X16}"),
    ("/run/.#nologinb0R3qh", f"/run/.#nologin{SIX}"),
    ("/run/udev/data/.#b254:0aBcDeF", f"/run/udev/data/.#b254:0{SIX}"),
    (f"/var/log/journal/{ID64 * 2}/system@{ID64 * 2}-0000000000000001-{ID64}.journal",
     f"/var/log/journal/{X16 * 2}/system@\\X-\\X-\\X.journal"),
    ("net:[4026532237]", "net:[\\$]"),
]  # fmt: skip

KEPT = [
    "/etc/passwd", "/tmp/", "/tmp/report", "/b/standard", "/tmp/out.txt", "proc:/self/status",
    "proc:/sys/kernel/ostype", "proc:/",
    "devpts:/ptmx", "devpts:/", "anonymous", "<NULL>", "anon_inode:[eventpoll]", "/usr/share/doc/x/README.Debian",
    "/usr/bin/sed", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "/r/.git/objects/pack/", "/r/.git/objects/info/",
    "/r/objects/abc/", "/r/.git/index.lock", "/usr/lib/python3.11/tempfile.py", "/usr/lib/tmpfiles.d/tmp.conf",
    "/v/lib/__pycache__/os.cpython-311.pyc", "/tmp/\\040\\040\\040\\040\\040\\040", "\\000abc",
]  # fmt: skip


@pytest.mark.parametrize(("name", "written"), REWRITTEN)
def test_names_that_change_become_patterns(name: str, written: str) -> None:
    assert written == RULES.name(name)
    assert compile_pattern(written).matches(name)


@pytest.mark.parametrize("name", KEPT)
def test_names_that_stay_are_kept(name: str) -> None:
    assert name == RULES.name(name)


def test_every_rule_has_a_comment_above_its_paragraph() -> None:
    for paragraph in DEFAULT_REWRITE.split("\n\n"):
        assert paragraph.startswith("#")


def test_ephemeral_ports_are_the_kernels() -> None:
    assert [(32768, 60999)] == [(ports.low, ports.high) for ports in RULES.ports]
