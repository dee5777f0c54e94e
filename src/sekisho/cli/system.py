"""``sekisho system``: hold the whole system to its policy."""

from __future__ import annotations

import argparse
import os
import select
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from sekisho.cli import options
from sekisho.cli.output import Colour, coloured, print_json, table
from sekisho.errors import UserError

_PROGRAM: Final = "sekisho"
_TRIAL: Final = 60
_LONGEST_TRIAL: Final = 86400


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho system``."""
    parser.usage = (
        "sekisho system [-h] [-P DIR] [--json] {init,start,stop,status,reload,enforce,confirm,panic} [OPTION ...]"
    )
    parser.description = (
        "Hold every process of the system, root's included, to the policy in the policy directory, from inside the "
        "kernel (BPF LSM, Linux 6.1 or newer). A daemon learns and writes the audit log; what is in force stays so "
        "when the daemon is killed, and the next start takes it over.\n\n"
        "  init     write what the policy of a whole system begins with, in learning mode\n"
        "  start    put policy in force and leave a daemon running\n"
        "  stop     end it: nothing is in force any more\n"
        "  status   tell what is in force, and how it goes\n"
        "  reload   read the policy directory again\n"
        "  enforce  enforce every domain that learns or is permissive; as it was, unless that is confirmed in time\n"
        "  confirm  leave it so (for another terminal than the one of enforce)\n"
        "  panic    allow everything at once; start puts policy in force again"
    )
    options.add_directory(parser)
    options.add_json(parser)
    parser.add_argument("--foreground", action="store_true", help="start: be the daemon, don't leave one running")
    text = f"enforce: how long to wait for a confirmation, 1 to {_LONGEST_TRIAL} (default: {_TRIAL})"
    parser.add_argument("--confirm", metavar="SECONDS", type=int, default=_TRIAL, help=text)
    parser.add_argument("action", metavar="ACTION", choices=tuple(_ACTIONS), help=", ".join(_ACTIONS))


def run(arguments: argparse.Namespace) -> int:
    """What was asked for is done."""
    return _ACTIONS[arguments.action](arguments)


def _init(arguments: argparse.Namespace) -> int:
    from sekisho.store.booted import lay_out

    directory = options.directory(arguments)
    program = os.path.abspath(sys.argv[0])
    if os.path.basename(program) != _PROGRAM:
        program = shutil.which(_PROGRAM) or f"/usr/bin/{_PROGRAM}"
    new = lay_out(directory, program)
    _told(f"{directory.path} {'has' if new else 'had already'} what the policy of a whole system begins with")
    if new:
        _told("everything will learn: systemctl enable --now sekisho, or for this once: sekisho system start")
    return 0


def _start(arguments: argparse.Namespace) -> int:
    from sekisho.engine.lsm.daemon import control, launch, machine

    machine.check()
    if control.is_there():
        if control.ask("status")["active"]:
            raise UserError("policy is in force already", "see: sekisho system status")
        control.ask("resume")
        _told("policy is in force again")
        return 0
    directory = options.directory(arguments)
    if arguments.foreground:
        launch.foreground(directory, _told, lambda: _told(f"policy of {directory.path} is in force"))
        return 0
    launch.background(directory, _told)
    _told(f"policy of {directory.path} is in force")
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    from sekisho.engine.lsm.daemon import control

    try:
        control.ask("stop")
        while control.is_there():
            time.sleep(0.05)
    except control.Absent:
        if not _cleared():
            raise
    _told("nothing is in force any more")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from sekisho.engine.lsm.daemon import control, pins

    try:
        answer = control.ask("status")
    except control.Absent:
        if not pins.folders():
            raise
        answer = {"pid": None, "active": True}
    if arguments.json:
        print_json(answer)
        return 0
    for line in lines(answer):
        print(line)
    return 0


def lines(answer: dict[str, Any]) -> Iterator[str]:
    """What the daemon tells of itself, for people."""
    if answer["pid"] is None:
        yield coloured("policy is in force without a daemon", Colour.NOTE) + ": nothing is learned or logged"
        yield "put one beside it: sekisho system start"
        return
    if not answer["called"]:
        yield (
            coloured("nothing is refused", Colour.BAD)
            + ": programs are turned off; run: sysctl kernel.ftrace_enabled=1"
        )
    if answer["active"]:
        yield coloured("policy is in force", Colour.GOOD) + (", on trial" if answer["trial"] else "")
    else:
        yield coloured("everything is allowed", Colour.BAD) + " (panic); to end that: sekisho system start"
    modes = ", ".join(f"{count} {mode}" for mode, count in answer["domains"].items())
    rows = [
        ["daemon", f"{answer['pid']}, since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(answer['since']))}"],
        ["policy", answer["directory"] + (" (not all of it saved yet)" if answer["unsaved"] else "")],
        ["domains", modes],
        ["programs", f"{len(answer['programs'])} attached as {answer['flavour']}, {len(answer['missing'])} refused"],
        ["events", _counts(answer["events"])],
        ["kernel", _counts(answer["kernel"])],
    ]
    yield from (f"  {line}" for line in table(rows))
    if answer["kernel"]["lost"]:
        yield coloured(f"{answer['kernel']['lost']} events were lost", Colour.BAD) + ": what they told wasn't learned"
    if answer["missed"]:
        yield coloured(f"{answer['missed']} decisions were missed", Colour.BAD) + ": see sekisho doctor --system"
    if answer["lacking"]:
        yield coloured("not asked for everywhere", Colour.BAD) + f": {', '.join(answer['lacking'])}"
    if answer["unprotected"]:
        yield coloured("the engine itself can be got at", Colour.BAD) + f": without {', '.join(answer['unprotected'])}"
    for each in answer.get("unserved", ()):
        yield f"{coloured('not as it says', Colour.BAD)}: {each}"
    for name, reason in (answer["missing"] | answer["trouble"]).items():
        yield f"{coloured(name, Colour.BAD)}: {reason}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"


def _reload(arguments: argparse.Namespace) -> int:
    from sekisho.engine.lsm.daemon import control

    changed = control.ask("reload")["changed"]
    _told(f"policy is as it is on disk; {changed} domains are held to other lines than before")
    return 0


def _enforce(arguments: argparse.Namespace) -> int:
    from sekisho.engine.lsm.daemon import control

    seconds = arguments.confirm
    if not 1 <= seconds <= _LONGEST_TRIAL:
        raise UserError(f"--confirm takes 1 to {_LONGEST_TRIAL} seconds, not {seconds}")
    count = control.ask("enforce", {"seconds": seconds})["domains"]
    _told(f"{count} domains more are enforced for {seconds} seconds; press Enter if everything works, to leave it so")
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    if ready and sys.stdin.readline():
        return _confirm(arguments)
    _told("not confirmed: they will be as they were when the time is up (until then: sekisho system confirm)")
    return 1


def _confirm(arguments: argparse.Namespace) -> int:
    from sekisho.engine.lsm.daemon import control

    if not control.ask("confirm")["confirmed"]:
        raise UserError("nothing waits for a confirmation", "begin with: sekisho system enforce")
    _told("confirmed")
    return 0


def _panic(arguments: argparse.Namespace) -> int:
    from sekisho.engine.lsm.daemon import control

    try:
        control.ask("panic")
    except UserError:
        if not _cleared():
            raise
        _told("everything is allowed: without a daemon that means that nothing is in force any more")
        return 0
    _told("everything is allowed; to end that: sekisho system start")
    return 0


def _cleared() -> bool:
    """Whether something was in force without a daemon, and isn't any more. Raises UserError where that is refused."""
    from sekisho.engine.lsm.daemon import pins, ports

    try:
        was = pins.remove_all()
    except PermissionError as error:
        hint = "do it from a domain that manager.conf names, or that isn't enforced"
        raise UserError(f"the domain of this shell may not do that: {error.strerror}", hint) from None
    try:
        ports.ReservedPorts().release()
    except (OSError, ValueError) as error:
        _told(f"{ports.RESERVED} is as policy had it: {error}")
    return was


_ACTIONS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "init": _init,
    "start": _start,
    "stop": _stop,
    "status": _status,
    "reload": _reload,
    "enforce": _enforce,
    "confirm": _confirm,
    "panic": _panic,
}


def _told(text: str) -> None:
    print(f"sekisho: {text}", file=sys.stderr, flush=True)
