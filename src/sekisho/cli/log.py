"""``sekisho log``: the audit log, one line a record."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime

from sekisho.audit.jsonl import parse_json
from sekisho.audit.record import Record
from sekisho.audit.text import format_text
from sekisho.audit.values import MISSING
from sekisho.cli import options
from sekisho.cli.output import Colour, coloured
from sekisho.policy.model import Mode
from sekisho.store import auditlog

_NOTICES = ("use_profile", "use_group", "quota_exceeded", "transition_failed", MISSING)


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho log``."""
    parser.description = (
        "Show the audit log, oldest record first: time, mode, domain, what became of the request, and the "
        "request as the line of policy that allows it. That line is what is missing where it was denied."
    )
    options.add_directory(parser)
    parser.add_argument("--denied", action="store_true", help="only what was denied")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with each record as it comes, until Ctrl-C")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print each record as one line of JSON, with all its facts")
    form.add_argument("--text", action="store_true", help="print each record as TOMOYO does, with all its facts")


def run(arguments: argparse.Namespace) -> int:
    """The records are printed."""
    directory = options.directory(arguments)
    directory.check()
    path = directory.audit_log
    broken = 0
    for line in auditlog.follow(path) if arguments.follow else auditlog.read(path):
        try:
            record = parse_json(line)
        except ValueError:
            broken += 1
            continue
        if was_denied(record) or not arguments.denied:
            for shown in forms(record, line, arguments):
                print(shown, flush=arguments.follow)
    if broken:
        print(f"sekisho: {path}: left out {broken} line(s) that aren't whole records", file=sys.stderr)
    return 0


def forms(record: Record, line: str, arguments: argparse.Namespace) -> Iterator[str]:
    """The lines that are printed of one record."""
    if arguments.json:
        yield line
    elif arguments.text:
        yield from format_text(record).splitlines()
    else:
        yield summary(record)


def was_denied(record: Record) -> bool:
    """Whether the program got an error."""
    return not record.granted and record.mode is Mode.ENFORCING and not is_notice(record)


def is_notice(record: Record) -> bool:
    """Whether the record is about the domain itself and not about a request."""
    return record.acl.partition(" ")[0] in _NOTICES


def summary(record: Record) -> str:
    """One line, in local time."""
    time = datetime.fromtimestamp(record.time).strftime("%Y-%m-%d %H:%M:%S")
    return f"{time} {record.mode.word} {record.domain}: {outcome(record)}{record.acl}"


def outcome(record: Record) -> str:
    """What became of the request."""
    if is_notice(record):
        return coloured("note ", Colour.NOTE)
    if record.granted:
        return coloured("granted ", Colour.GOOD)
    if record.mode is Mode.ENFORCING:
        return coloured("denied ", Colour.BAD)
    return coloured("permitted " if record.mode is Mode.PERMISSIVE else "learned ", Colour.NOTE)
