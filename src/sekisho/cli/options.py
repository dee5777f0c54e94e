"""Options and operands that several subcommands have."""

from __future__ import annotations

import argparse
import os
from typing import Final

from sekisho.errors import UserError
from sekisho.policy.model import Mode
from sekisho.store.directory import PolicyDirectory
from sekisho.store.location import default_directory

MODES: Final = {**{mode.word: mode for mode in Mode}, "profile": None}
"""What ``-m`` takes; ``profile`` leaves each domain to its own profile."""


def add_directory(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes -P DIR."""
    text = "policy directory (default: /etc/sekisho for root, else $XDG_STATE_HOME/sekisho or ~/.local/state/sekisho)"
    parser.add_argument("-P", "--policy", metavar="DIR", dest="directory", help=text)


def add_json(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes --json."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_mode(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes -m MODE, enforcing if it isn't given."""
    text = (
        "enforcing: refuse what no line allows (default); permissive: allow it, but log it; learning: allow it and "
        "write it down; disabled: check nothing; profile: each domain's own profile says"
    )
    parser.add_argument("-m", "--mode", metavar="MODE", choices=tuple(MODES), default="enforcing", help=text)


def add_command(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes -- COMMAND ARGUMENT..., nothing of which it looks into."""
    parser.add_argument(
        "command", metavar="-- COMMAND [ARGUMENT ...]", nargs=argparse.REMAINDER, help="the command and its arguments"
    )


def directory(arguments: argparse.Namespace) -> PolicyDirectory:
    """The policy directory that is meant."""
    if arguments.directory == "":
        raise UserError("-P needs the name of a directory")
    return PolicyDirectory(arguments.directory or default_directory(os.environ, os.geteuid()))


def command(arguments: argparse.Namespace) -> list[str]:
    """The command that is meant; raises UserError where there is none."""
    words: list[str] = arguments.command
    if words[:1] == ["--"]:
        words = words[1:]
    if not words or not words[0]:
        raise UserError("no command given", "name it after --, such as: sekisho learn -- ls -l")
    return words
