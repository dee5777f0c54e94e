#!/usr/bin/env python3
"""Writes man/*.1 from the command line's own help, so that the two can't differ.

``scripts/man.py --check`` only says whether they are current.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from textwrap import dedent

from sekisho import __version__
from sekisho.cli.main import COMMANDS, EPILOG, command_parser, is_verbatim, top_parser

FOLDER = Path(__file__).resolve().parent.parent / "man"


def escaped(text: str) -> str:
    """``text`` so that roff prints it as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.split("\n"))


def paragraphs(text: str) -> str:
    """``text`` with its paragraphs; those with indented lines keep their lines."""
    parts = []
    for paragraph in text.strip("\n").split("\n\n"):
        if is_verbatim(paragraph):
            parts.append(f".nf\n{escaped(dedent(paragraph))}\n.fi\n")
        else:
            parts.append(f"{escaped(' '.join(paragraph.split()))}\n")
    return ".PP\n".join(parts)


def header(title: str, summary: str) -> str:
    return (
        f'.TH {title.upper()} 1 "" "sekisho {__version__}" "User Commands"\n.SH NAME\n{title} \\- {escaped(summary)}\n'
    )


def usage(parser: argparse.ArgumentParser) -> str:
    text = " ".join(parser.format_usage().removeprefix("usage: ").split())
    return f".SH SYNOPSIS\n{escaped(text)}\n"


def options(parser: argparse.ArgumentParser) -> str:
    parts = [".SH OPTIONS\n"]
    for action in parser._actions:
        if action.help is argparse.SUPPRESS or not (action.help or action.choices):
            continue
        parts.append(f".TP\n.B {escaped(names(action))}\n{escaped((action.help or '').replace('%%', '%'))}\n")
    return "".join(parts) if len(parts) > 1 else ""


def names(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest
    if not action.option_strings:
        return metavar
    takes_value = action.nargs != 0
    return ", ".join(action.option_strings) + (f" {metavar}" if takes_value else "")


def command_page(name: str) -> str:
    parser = command_parser(name)
    parts = [header(f"sekisho-{name}", COMMANDS[name]), usage(parser)]
    parts.append(f".SH DESCRIPTION\n{paragraphs(parser.description or '')}{options(parser)}")
    if parser.epilog:
        parts.append(f".SH NOTES\n{paragraphs(parser.epilog)}")
    parts.append(".SH SEE ALSO\n.BR sekisho (1)\n")
    return "".join(parts)


def top_page() -> str:
    parser = top_parser()
    commands = "".join(f".TP\n.BR sekisho\\-{name} (1)\n{escaped(text)}\n" for name, text in COMMANDS.items())
    first, _, status = EPILOG.partition("exit status:\n")
    return "".join(
        [
            header("sekisho", "watch a program, get its policy, hold it to it"),
            ".SH SYNOPSIS\nsekisho COMMAND [OPTION ...]\n",
            f".SH DESCRIPTION\n{escaped(parser.description or '')}\n",
            f".SH COMMANDS\n{commands}",
            f".SH EXAMPLES\n{paragraphs(first.partition(chr(10))[2])}",
            f".SH EXIT STATUS\n{paragraphs(status)}",
        ]
    )


def pages() -> dict[str, str]:
    """Every man page by its file name."""
    return {"sekisho.1": top_page(), **{f"sekisho-{name}.1": command_page(name) for name in COMMANDS}}


def outdated() -> list[str]:
    """The pages whose file differs or is missing, and files that are no page."""
    wanted = pages()
    stale = [
        name for name, text in wanted.items() if not (FOLDER / name).is_file() or (FOLDER / name).read_text() != text
    ]
    return stale + sorted(path.name for path in FOLDER.glob("*.1") if path.name not in wanted)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, name what is out of date")
    if parser.parse_args().check:
        stale = outdated()
        print("\n".join(f"man/{name} is out of date: make man" for name in stale), end="\n" if stale else "")
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
