"""The ``sekisho`` command: finds the subcommand, runs it, and tells errors in one place.

Only the module of the subcommand that was asked for is imported, since start-up is paid at every run.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import Final, Protocol, cast

from sekisho import __version__
from sekisho.errors import SekishoError

COMMANDS: Final = {
    "learn": "run a command and write down, as policy, what it does",
    "run": "run a command and hold it to its policy",
    "domains": "show the tree of domains",
    "policy": "show, check, format or convert the policy",
    "log": "show what was denied, permitted and learned",
    "why": "tell whether a request would be allowed, and by which line",
    "tools": "run TOMOYO's own tools on a policy directory or a running tree",
    "ps": "show the processes of a running tree, and the domain of each",
    "mode": "change the profile of a domain, or of all below it, while programs run",
    "ask": "answer for programs that are refused something, while they wait",
    "system": "hold the whole system to its policy, from inside the kernel",
    "doctor": "tell what can be enforced on this machine, as this user",
}
"""Each subcommand, kept in the module of its name, with its summary."""

EPILOG: Final = """\
first steps:
  sekisho learn -- COMMAND    let COMMAND show what it does
  sekisho domains             see what was learned
  sekisho run -- COMMAND      hold COMMAND to it
  sekisho log --denied        see what was refused

exit status:
  0  done
  1  why: the request would be denied; policy convert: a line had to be left out
  2  usage or policy error
  3  not supported here

learn and run pass on the command's own: 128+N if signal N ended it and, as in a shell, 127 if it isn't found and
126 if it can't be executed.
"""


class CommandModule(Protocol):
    """What a subcommand's module has."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """``parser`` takes the subcommand's arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """The subcommand is done; its exit status."""


class HelpFormatter(argparse.HelpFormatter):
    """Fills paragraphs to the terminal's width; those with an indented line keep their lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            paragraph if is_verbatim(paragraph) else super(HelpFormatter, self)._fill_text(paragraph, width, indent)
            for paragraph in text.strip("\n").split("\n\n")
        )


def is_verbatim(paragraph: str) -> bool:
    """Whether a paragraph of help has to keep its lines."""
    return any(line.startswith("  ") for line in paragraph.split("\n"))


def load(name: str) -> CommandModule:
    """The module of the subcommand ``name``."""
    return cast(CommandModule, import_module(f"sekisho.cli.{name}"))


def top_parser() -> argparse.ArgumentParser:
    """The parser of ``sekisho`` itself: it knows the subcommands' names and summaries."""
    parser = argparse.ArgumentParser(
        prog="sekisho",
        description="Watch a program, get its policy, hold it to it.",
        epilog=EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sekisho {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True, title="commands")
    for name, summary in COMMANDS.items():
        commands.add_parser(name, help=summary, add_help=False)
    return parser


def command_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one subcommand's arguments."""
    parser = argparse.ArgumentParser(prog=f"sekisho {name}", formatter_class=HelpFormatter, allow_abbrev=False)
    load(name).configure(parser)
    return parser


def parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """The arguments, with options where one likes: also between and after operands.

    Not so where the operands are a command, nor where ``--`` says that operands may look like options.
    """
    if "--" in arguments or any(action.nargs == argparse.REMAINDER for action in parser._actions):
        return parser.parse_args(arguments)
    return parser.parse_intermixed_args(arguments)


def main(argv: list[str] | None = None) -> int:
    """Does what the arguments say; the exit status of the process."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        if not arguments or arguments[0] not in COMMANDS:
            top_parser().parse_args(arguments)
            return 2
        name = arguments[0]
        status = load(name).run(parse(command_parser(name), arguments[1:]))
        sys.stdout.flush()
    except SekishoError as error:
        tell(error)
        return error.exit_status
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing may be flushed to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return status


def tell(error: SekishoError) -> None:
    """``error`` is on standard error, with those found beside it, one a line."""
    for each in (error, *getattr(error, "others", ())):
        print(f"sekisho: {each}", file=sys.stderr)
