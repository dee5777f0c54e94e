"""``sekisho ps``: the processes of running trees, and the domain of each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from sekisho.cli import options
from sekisho.cli.output import print_json, table
from sekisho.cli.processes import ProcessLine, read_processes
from sekisho.interface.client import RunningTree, Tree, trees


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho ps``."""
    parser.description = (
        "Show the processes that run under a policy directory: each below its parent, with its profile, its mode and "
        "its domain. A * marks an execute handler, ?N a process that waits for the answer to question N "
        "(sekisho ask). What runs under supervisors of their own is shown one after the other."
    )
    options.add_directory(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """The processes are printed."""
    directory = options.directory(arguments)
    directory.check()
    running = [(tree, _processes(tree)) for tree in trees(directory.path)]
    if arguments.json:
        print_json([describe(tree, line) for tree, lines in running for line in lines])
        return 0
    if not running:
        print(f"sekisho: nothing runs on {arguments.directory or directory.path}", file=sys.stderr)
    for tree, lines in running:
        print(f"{who(lines)} {tree.pid}:")
        for text in table(list(rows(lines))) if lines else ():
            print(f"  {text}")
    return 0


def who(lines: Sequence[ProcessLine]) -> str:
    """What the process is that holds these: nobody's supervisor has process 1 in its tree."""
    return "whole system, daemon" if any(line.pid == 1 for line in lines) else "supervisor"


def _processes(tree: Tree) -> list[ProcessLine]:
    """Those of one tree; none if it has ended meanwhile."""
    service = RunningTree(tree.path)
    try:
        return read_processes(service)
    except OSError:
        return []
    finally:
        service.close()


def describe(tree: Tree, line: ProcessLine) -> dict[str, object]:
    """What ``--json`` tells of one process."""
    return {
        "supervisor": tree.pid,
        "pid": line.pid,
        "parent": line.parent,
        "domain": line.domain,
        "profile": line.profile,
        "mode": line.mode,
        "execute_handler": line.handler,
        "question": line.waiting,
    }


def rows(lines: Sequence[ProcessLine]) -> Iterator[list[str]]:
    """One row per process; parents come before their children."""
    depths: dict[int, int] = {}
    for line in lines:
        depths[line.pid] = depth = depths.get(line.parent, -1) + 1
        marks = "*" * line.handler + (f"?{line.waiting}" if line.waiting is not None else "")
        yield ["  " * depth + str(line.pid), f"profile {line.profile}", line.mode, marks, line.domain]
