"""What a whole system can be held to by its kernel, on this machine: found out by trying, nothing by version."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from sekisho.engine.finding import Finding
from sekisho.engine.lsm import hooks
from sekisho.engine.lsm.daemon import machine
from sekisho.engine.lsm.kernel.kinds import Flavour, Kind, kind
from sekisho.engine.lsm.kernel.loading import Request, load
from sekisho.engine.lsm.kernel.program import Program
from sekisho.engine.lsm.kernel.refusal import explain
from sekisho.engine.lsm.kernel.targets import Targets
from sekisho.errors import SekishoError

_TYPES: Final = Path("/sys/kernel/btf/vmlinux")
_VERSION: Final = Path("/proc/version")
_PREEMPTION: Final = Path("/sys/kernel/debug/sched/preempt")
_GRANTS_ALL: Final = bytes.fromhex("b7000000000000009500000000000000")
"""r0 = 0; exit"""
_TRIED: Final = "task_prctl"
"""A hook that every kernel has and that isn't asked all the time: nobody waits for what is tried there."""
_NAMED: Final = 6


def examine() -> list[Finding]:
    """Every finding, in the order in which a start would meet them."""
    return [replace(finding, hint="") if finding.ok else finding for finding in _findings()]


def _findings() -> Iterator[Finding]:
    how = machine.flavour()
    yield of_list()
    yield Finding(
        "types of the kernel (BTF)", _TYPES.exists(), "",
        f"{_TYPES} is missing: it takes a kernel with CONFIG_DEBUG_INFO_BTF",
    )  # fmt: skip
    yield Finding(
        "BPF file system", machine.is_mounted(), "" if machine.is_mounted() else f"not mounted at {machine.BPFFS}",
        f"run: mount -t bpf bpf {machine.BPFFS}",
    )  # fmt: skip
    yield Finding("what runs in the kernel", machine.OBJECT.is_file(), "", "run: python scripts/bpf.py")
    called = machine.calls_programs()
    yield Finding(
        "programs are called", called, "" if called else "kernel.ftrace_enabled is 0", f"run: {machine.CALLING}"
    )
    yield of_preemption(_text(_VERSION), _text(_PREEMPTION), os.uname().release, how)
    if os.geteuid():
        yield Finding("root", False, "not tried as an ordinary user", "run: sudo sekisho doctor --system")
        return
    problem = attempt(how)
    yield Finding("a program for the kernel's hooks", not problem, problem or f"runs, as {how.value}", _NOT_ATTACHED)
    try:
        absent = missing(how)
    except (OSError, SekishoError) as error:
        yield Finding("hooks", False, f"can't be looked for: {error}", "")
        return
    yield from of_hooks(absent)


_NOT_ATTACHED: Final = (
    "it takes a kernel with CONFIG_BPF_LSM, or CONFIG_BPF_JIT and CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS, that isn't "
    "locked down; in a container, run it on the host"
)


def of_list(path: Path = machine.LSMS) -> Finding:
    """Whether programs can run as an LSM, and what it takes."""
    name = "bpf among the kernel's LSMs"
    try:
        words = path.read_text().strip().split(",")
    except OSError:
        detail = f"not known, for {path} can't be read (mount -t securityfs securityfs {path.parent}): {_INSTEAD}"
        return Finding(name, True, detail, "")
    if "bpf" in words:
        return Finding(name, True, ",".join(words), "")
    line = ",".join([word for word in words if word != "capability"] + ["bpf"])
    return Finding(name, True, f"not there: {_INSTEAD}. To have it: boot with lsm={line}", "")


_INSTEAD: Final = (
    "programs run before the kernel's own calls of the LSMs (modify-return). That refuses as well, but what other LSMs "
    "refuse is learned too, and what a kernel can't ask for so is told by `sekisho system status`"
)


def of_preemption(version: str, model: str, release: str, flavour: Flavour) -> Finding:
    """Whether a decision can be missed: a program that is interrupted may be left out when it is to run again there."""
    name = "decisions under preemption"
    if not _skips(release, flavour):
        return Finding(name, True, "", "")
    if "PREEMPT" not in version or re.search(r"\((none|voluntary)\)", model):
        return Finding(name, True, "none is missed: this kernel doesn't preempt itself", "")
    if "PREEMPT_DYNAMIC" in version and "(full)" not in model:
        return Finding(name, True, f"which preemption is in use can't be read: if it is full, {_MISSED}", "")
    return Finding(name, True, _MISSED, "")


_MISSED: Final = (
    "a decision is missed, and what was asked for allowed, if a task is preempted within one and another task on the "
    "same processor then comes to the same hook. To end that: boot with preempt=voluntary or, with bpf among the "
    "LSMs, Linux 6.2 or newer"
)


def _skips(release: str, flavour: Flavour) -> bool:
    """Whether the kernel leaves out a program that is running already; there is no trying that, so by version."""
    found = re.match(r"(\d+)\.(\d+)", release)
    old = found is not None and (int(found[1]), int(found[2])) < (6, 2)
    return old or flavour is Flavour.MODIFY_RETURN


def attempt(flavour: Flavour) -> str:
    """What keeps a program that grants everything from running for a moment; "" if nothing does."""
    what = kind(f"lsm/{_TRIED}", flavour)
    assert what is not None
    targets = Targets()
    try:
        _run(what, targets)
    except OSError as error:
        return explain(error)[0]
    except SekishoError as error:
        return str(error)
    finally:
        targets.close()
    return ""


def _run(what: Kind, targets: Targets) -> None:
    number = targets.find(what.target, what.target_kind)
    program = Program(load(Request("sekisho_doctor", _GRANTS_ALL, what, number)), "sekisho_doctor", what)
    try:
        program.attach().close()
    finally:
        program.close()


def missing(flavour: Flavour) -> tuple[str, ...]:
    """The engine's programs whose hooks this kernel doesn't have. Raises OSError where it can't be asked."""
    targets = Targets()
    try:
        return tuple(name for name, program in hooks.PROGRAMS.items() if not _is_there(program.hook, flavour, targets))
    finally:
        targets.close()


def _is_there(hook: str, flavour: Flavour, targets: Targets) -> bool:
    what = kind(f"lsm/{hook}", flavour)
    return what is not None and bool(targets.find(what.target, what.target_kind))


def of_hooks(absent: tuple[str, ...]) -> Iterator[Finding]:
    """What these programs' absence comes to."""
    lineage = [name for name in absent if hooks.PROGRAMS[name].purpose == hooks.LINEAGE]
    yield Finding(
        "hooks that follow tasks", not lineage, f"missing: {', '.join(lineage)}" if lineage else "",
        "use another kernel: without these nothing can be held",
    )  # fmt: skip
    lacking = hooks.lacking(absent)
    without = ", ".join(name for name, program in hooks.PROGRAMS.items() if name in absent and program.operations)
    yield Finding(
        "hooks of operations", not lacking,
        f"not asked for everywhere: {_short(list(lacking))} (this kernel lacks {without})" if lacking else "all there",
        "leave these operations out of what policy relies on, or use a newer kernel",
    )  # fmt: skip
    open_to = hooks.unprotected(absent)
    yield Finding(
        "hooks that protect the engine", not open_to, f"missing: {', '.join(open_to)}" if open_to else "all there",
        "root can get at the engine on this kernel: use a newer one",
    )  # fmt: skip
    yield Finding("never asked for", True, "; ".join(_reasons(hooks.UNAVAILABLE)), "")
    yield Finding("asked for otherwise", True, "; ".join(_reasons(hooks.LIMITS)), "")


def _reasons(reasons: Mapping[str, str]) -> Iterator[str]:
    for reason in dict.fromkeys(reasons.values()):
        names = ", ".join(name for name, why in reasons.items() if why == reason)
        yield f"{names}: {reason}"


def _short(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(errors="replace")
    return ""
