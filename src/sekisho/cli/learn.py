"""``sekisho learn``: run a command; what it does becomes policy."""

from __future__ import annotations

import argparse

from sekisho.cli import options, program
from sekisho.policy.model import Mode


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho learn``."""
    parser.usage = "sekisho learn [-P DIR] -- COMMAND [ARGUMENT ...]"
    parser.description = (
        "Run COMMAND as if alone, and write what it and its children do into the policy directory, "
        "which is made if it is missing. What was learned before is kept and added to: run the command "
        "several times, the ways it is really used."
    )
    parser.epilog = (
        "Names that change from run to run, such as temporary files, are written as the patterns that "
        "DIR/rewrite.conf gives. The exit status is COMMAND's."
    )
    options.add_directory(parser)
    options.add_command(parser)


def run(arguments: argparse.Namespace) -> int:
    """The command has run and what it did is in the policy directory; its exit status."""
    command = options.command(arguments)
    directory = options.directory(arguments)
    status = program.check(command[0])
    if status:
        return status
    from sekisho.engine.supervisor.running import filterload
    from sekisho.engine.supervisor.running.launch import supervise

    if not directory.path.exists():
        # Nothing is made where nothing can be learned.
        filterload.try_out()
    directory.create()
    directory.check_writable()
    return supervise(directory, command, Mode.LEARNING, learn=True)
