"""Signals, tracing and capabilities with the programs that people use for them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engine.supervisor.supervised import Supervised


@dataclass(frozen=True)
class Demonstration:
    """A shell command, and the lines without each of which it fails; ``{sh}`` is the shell's domain."""

    name: str
    command: str
    lines: tuple[str, ...]
    domain: str = "{sh}"


_SLEEP = "sleep 3 & P=$!; sleep 0.3; "
"""By now it isn't the shell's copy any more."""


def programs(shown: Demonstration) -> list[str]:
    """The programs that it takes, but for those that are everywhere."""
    words = " ".join((shown.domain, *shown.lines, "{setsid}")).split(" ")
    return sorted(
        {word.strip("{}") for word in words if word.startswith("{")} - {"sh", "sleep", "env", "nice", "timeout"}
    )


def filled(template: str) -> str:
    """``template`` with names for programs, the shell's domain at its beginning."""
    words = template.split(" ")
    setsid = f"<kernel> {shutil.which('setsid')} {shutil.which('sh')}"
    known = {"{sh}": setsid}
    return " ".join(known.get(word) or (str(shutil.which(word[1:-1])) if word[0] == "{" else word) for word in words)


DEMONSTRATIONS = [
    Demonstration("the shell's own kill", _SLEEP + "kill $P", ("ipc signal 15 {sh} {sleep}",)),
    Demonstration("kill", _SLEEP + "env kill -HUP $P", ("ipc signal 1 {sh} {sleep}",), "{sh} {env} {kill}"),
    Demonstration("pkill", _SLEEP + "pkill -P $$ -INT sleep", ("ipc signal 2 {sh} {sleep}",), "{sh} {pkill}"),
    Demonstration("the whole group", "sleep 3 & sleep 0.3; trap '' TERM; kill 0", ("ipc signal 15 {sh} {sleep}",)),
    Demonstration("renice", "renice -n 1 $$", ("capability SYS_NICE",), "{sh} {renice}"),
    Demonstration(
        "strace",
        "strace -o /dev/null -e trace=none true",
        ("capability SYS_PTRACE", "ipc ptrace {sh} {strace}"),
        "{sh} {strace}",
    ),
    Demonstration(
        "strace of somebody who runs",
        _SLEEP + "timeout -s INT 1 strace -o /dev/null -p $P; R=$?; kill $P; exit $((R != 124))",
        ("capability SYS_PTRACE", "ipc ptrace {sh} {sleep}"),
        "{sh} {timeout} {strace}",
    ),
    Demonstration(
        "gdb",
        _SLEEP + "gdb -q -batch -nx -p $P -ex 'print 1+1' 2>/dev/null | grep -q detached; R=$?; kill $P; exit $R",
        ("capability SYS_PTRACE", "ipc ptrace {sh} {sleep}"),
        "{sh} {gdb}",
    ),
]
PRIVILEGED = [
    Demonstration("unshare", "unshare --uts --net true", ("capability use_uts_namespace",), "{sh} {unshare}"),
    Demonstration(
        "a name of one's own",
        "unshare --uts hostname elsewhere",
        ("capability SYS_SETHOSTNAME",),
        "{sh} {unshare} {hostname}",
    ),
    Demonstration(
        "nsenter", "nsenter --net=/proc/self/ns/net true", ("capability use_network_namespace",), "{sh} {nsenter}"
    ),
    Demonstration("chrt", "chrt -b 0 true", ("capability SYS_NICE",), "{sh} {chrt}"),
    Demonstration("ip", "ip link show lo", ("capability use_route",), "{sh} {ip}"),
    Demonstration("ping", "busybox ping -c 1 127.0.0.1", ("network inet raw send 127.0.0.1 1",), "{sh} {busybox}"),
]
ALL = [pytest.param(each, id=each.name, marks=pytest.mark.needs(*programs(each))) for each in DEMONSTRATIONS] + [
    pytest.param(each, id=each.name, marks=[pytest.mark.needs(*programs(each)), pytest.mark.root])
    for each in PRIVILEGED
]


@pytest.mark.slow
@pytest.mark.parametrize("shown", ALL)
def test_learned_enforced_and_refused_without_a_line(shown: Demonstration, tmp_path: Path) -> None:
    supervised = Supervised(tmp_path / "policy", plainly=False)
    command = ["setsid", "-w", "sh", "-c", shown.command]
    supervised.learn(*command)
    learned = supervised.learn(*command)
    done = supervised.run(*command)
    assert learned.status == done.status, done.err
    assert [] == supervised.rejected()
    policy = supervised.entries()
    policy.pop("<kernel>")
    for template in shown.lines:
        name, line = filled(shown.domain), filled(template)
        assert line in policy[name], policy[name]
        supervised.write(policy | {name: policy[name] - {line}})
        supervised.forget_records()

        assert learned.status != supervised.run(*command).status
        assert line in supervised.rejected()
