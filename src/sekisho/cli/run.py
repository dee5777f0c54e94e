"""``sekisho run``: run a command, held to its policy."""

from __future__ import annotations

import argparse

from sekisho.cli import options, program


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho run``."""
    parser.usage = "sekisho run [-P DIR] [-m MODE] -- COMMAND [ARGUMENT ...]"
    parser.description = (
        "Run COMMAND under the policy in the policy directory. What no line of it allows fails with "
        "'Operation not permitted', and is logged: see 'sekisho log --denied'."
    )
    parser.epilog = "The exit status is COMMAND's."
    options.add_directory(parser)
    options.add_mode(parser)
    options.add_command(parser)


def run(arguments: argparse.Namespace) -> int:
    """The command has run under its policy; its exit status."""
    command = options.command(arguments)
    directory = options.directory(arguments)
    mode = options.MODES[arguments.mode]
    status = program.check(command[0])
    if status:
        return status
    from sekisho.engine.supervisor.running.launch import supervise

    directory.check_writable()
    return supervise(directory, command, mode, learn=False)
