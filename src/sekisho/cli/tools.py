"""``sekisho tools``: run TOMOYO's own tools on a policy directory or a running tree."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from sekisho.cli import options, program
from sekisho.errors import UserError
from sekisho.store.directory import PolicyDirectory

_DISK = "tomoyo"
"""The folder of the policy directory that the tools find as /etc/tomoyo."""


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho tools``."""
    parser.usage = "sekisho tools [-P DIR] [--tree PID] [--etc DIR] -- COMMAND [ARGUMENT ...]"
    parser.description = (
        "Run COMMAND where TOMOYO's files are Sekisho's: /sys/kernel/security/tomoyo speaks for the tree that runs "
        "under the policy directory or, while none does, for the directory itself. So TOMOYO's own tools (Debian's "
        "tomoyo-tools) work as they are, whether COMMAND is one of them or a shell. Nobody else sees these files."
    )
    parser.epilog = "The exit status is COMMAND's. What COMMAND leaves running keeps the files."
    options.add_directory(parser)
    parser.add_argument("--tree", metavar="PID", type=int, help="of several running trees, the one of this supervisor")
    text = "what the tools find as /etc/tomoyo (default: the folder tomoyo in the policy directory, made if need be)"
    parser.add_argument("--etc", metavar="DIR", help=text)
    options.add_command(parser)


def run(arguments: argparse.Namespace) -> int:
    """The command has run with the interface in its classic place; its exit status."""
    command = options.command(arguments)
    directory = options.directory(arguments)
    status = program.check(command[0])
    if status:
        return status
    from sekisho.interface import fuse, inside, namespace
    from sekisho.interface.attached import Attached
    from sekisho.interface.client import connect

    fuse.library()
    directory.create()
    connect(directory.path, arguments.tree).close()
    disk = _disk_policy(directory, arguments.etc) if arguments.etc or namespace.DISK_POLICY.is_dir() else None

    def serve(where: Path, ready: Callable[[], None], say: Callable[[str], None]) -> None:
        fuse.serve(Attached(directory.path, arguments.tree, say), os.geteuid(), where, ready)

    return inside.run(command, serve, disk)


def _disk_policy(directory: PolicyDirectory, named: str | None) -> Path:
    """The directory that stands for /etc/tomoyo; one of ours has room for tomoyo-savepolicy's history."""
    if named:
        return Path(os.path.abspath(named))
    path = directory.path / _DISK
    try:
        path.mkdir(0o700, exist_ok=True)
        (path / "policy").mkdir(0o700, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {path}: {error.strerror}", "choose another directory with --etc") from None
    return path
