"""``sekisho policy convert``: policy of older TOMOYO versions in today's language."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sekisho.cli.output import print_json
from sekisho.convert.dialect import VERSIONS, Dialect
from sekisho.convert.remark import Fate, Remark
from sekisho.convert.whole import Conversion, convert
from sekisho.errors import UserError
from sekisho.store.converted import default_texts, read_sources, write_directory


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the options of ``sekisho policy convert``."""
    parser.add_argument(
        "--from",
        metavar="VERSION",
        dest="dialect",
        choices=VERSIONS,
        help=f"convert: the TOMOYO version that the policy is of ({', '.join(VERSIONS)}; default: told by its text)",
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="convert: write a new policy directory DIR")


def run(arguments: argparse.Namespace, paths: Sequence[str]) -> int:
    """The policy is converted; 1 if a line had to be left out."""
    if not paths:
        raise UserError("policy convert needs a file or a directory", "name it, such as /etc/ccs")
    sources, unread = read_sources(paths)
    dialect = Dialect(arguments.dialect) if arguments.dialect else None
    if len(sources) > 1 and not arguments.output and not arguments.json:
        raise UserError("there are several files to convert", "say with -o DIR where they go, or name one of them")
    done = convert(sources, dialect, default_texts() if arguments.output else None)
    remarks = (*unread, *done.remarks)
    if arguments.output:
        write_directory(Path(arguments.output), done.texts)
    _tell(arguments, done, remarks, sources[0].kind)
    return 1 if any(remark.fate is Fate.LEFT_OUT for remark in remarks) else 0


def _tell(arguments: argparse.Namespace, done: Conversion, remarks: Sequence[Remark], kind: str) -> None:
    if arguments.json:
        described = [
            {
                "file": remark.file,
                "line": remark.line or None,
                "fate": remark.fate,
                "text": remark.text,
                "reason": remark.reason,
                "advice": remark.advice,
            }
            for remark in remarks
        ]
        texts = {f"{name}.conf": text for name, text in done.texts.items()}
        print_json({"from": done.dialect, "directory": arguments.output, "files": texts, "remarks": described})
        return
    for remark in remarks:
        print(remark, file=sys.stderr)
    if not arguments.output:
        print(done.texts[kind], end="")
        return
    count = Counter(remark.fate for remark in remarks)
    told = f"{count[Fate.LEFT_OUT]} left out, {count[Fate.CHANGED]} changed, {count[Fate.ADDED]} added"
    of = "policy in today's language" if done.dialect is Dialect.TODAY else f"the policy of TOMOYO {done.dialect}"
    print(f"{arguments.output}: written from {of}; lines: {told}")
