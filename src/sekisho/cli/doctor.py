"""``sekisho doctor``: what can be enforced here."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sekisho.cli import options
from sekisho.cli.output import Colour, coloured, print_json

if TYPE_CHECKING:
    from sekisho.engine.finding import Finding


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho doctor``."""
    parser.description = (
        "Tell what Sekisho can enforce on this machine, as this user, and what it cannot, each found out by\ntrying: "
        "on the tree of a program (sekisho run), or on the whole system (sekisho system)."
    )
    parser.epilog = "The exit status is 0 if everything can be enforced, 3 if something cannot."
    parser.add_argument("--system", action="store_true", help="on the whole system, from inside the kernel")
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """The findings are printed; 3 if one of them is bad."""
    findings = _examined(system=arguments.system)
    if arguments.json:
        print_json([{"name": f.name, "ok": f.ok, "detail": f.detail, "hint": f.hint} for f in findings])
    else:
        for finding in findings:
            print(line(finding))
            if not finding.ok and finding.hint:
                print(f"     {finding.hint}")
    return 0 if all(finding.ok for finding in findings) else 3


def _examined(*, system: bool) -> list[Finding]:
    if system:
        from sekisho.engine.lsm import doctor as of_system

        return of_system.examine()
    from sekisho.engine.supervisor.running import doctor as of_tree

    return of_tree.examine()


def line(finding: Finding) -> str:
    """One finding as a line."""
    mark = coloured("ok ", Colour.GOOD) if finding.ok else coloured("no ", Colour.BAD)
    return f"{mark}  {finding.name}: {finding.detail}" if finding.detail else f"{mark}  {finding.name}"
