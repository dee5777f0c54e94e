"""``sekisho ask``: programs that are refused something wait, and whoever sits here decides."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

from sekisho.cli import options
from sekisho.cli.dialog import Answer, Dialog, Reply
from sekisho.cli.lines import LineInput
from sekisho.cli.processes import lineage, read_processes, read_text
from sekisho.cli.supposition import suppose
from sekisho.decide.evaluate import decide
from sekisho.decide.explain import explain
from sekisho.errors import SekishoError, UserError
from sekisho.interface.client import OpenFile, RunningTree, Tree, trees
from sekisho.interface.inquiry import Inquiry, parse_inquiry
from sekisho.learn.choices import choices
from sekisho.policy.model import Mode, Policy
from sekisho.policy.parser import parse_acl, parse_domain_policy, parse_exception_policy, parse_profile
from sekisho.store.directory import PolicyDirectory

_KEEP_ALIVE: Final = 2.0
_LOOK: Final = 0.2
_LARGEST: Final = 65536
_ALLOW, _DENY, _RETRY = 1, 2, 3


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho ask``."""
    parser.description = (
        "Be asked. As long as this runs, a request that enforcing mode refuses waits here for an answer instead: "
        "allow it once, add a line of policy (as it is, more general, or edited), or deny it. Without an answer "
        "in time it is denied. Trees that start later on the same policy directory are asked for, too."
    )
    options.add_directory(parser)
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=60.0, help="how long a question waits (default: 60)"
    )
    parser.add_argument("--once", action="store_true", help="end when the trees that run now have ended")


def run(arguments: argparse.Namespace) -> int:
    """Questions are put until Ctrl-C."""
    if not arguments.timeout > 0:
        raise UserError(f"--timeout: expected a number of seconds above 0, found {arguments.timeout:g}")
    directory = options.directory(arguments)
    directory.check()
    source = LineInput(sys.stdin.fileno())
    asker = Asker(directory, Dialog(source, sys.stdout, arguments.timeout))
    print(f"sekisho: asking for what runs on {arguments.directory or directory.path}; Ctrl-C ends", flush=True)
    try:
        while (asker.look() or not arguments.once) and not source.ended:
            time.sleep(_LOOK)
    finally:
        asker.close()
    if source.ended:
        print("sekisho: nobody is here to answer any more: what waits is denied", file=sys.stderr)
    return 0


class Asker:
    """Every tree of a policy directory, and what was answered for good."""

    def __init__(self, directory: PolicyDirectory, dialog: Dialog) -> None:
        self._directory = directory
        self._dialog = dialog
        self._trees: dict[Tree, tuple[RunningTree, OpenFile]] = {}
        self._allowed: set[tuple[str, str, str]] = set()
        self._denied: set[tuple[str, str]] = set()

    def look(self) -> bool:
        """What waits now has been asked; False when no tree runs."""
        for tree in trees(self._directory.path):
            if tree not in self._trees:
                service = RunningTree(tree.path)
                self._trees[tree] = (service, service.open("query", administrator=True))
        for tree, (service, query) in list(self._trees.items()):
            try:
                while query.readable():
                    for inquiry in _inquiries(query):
                        self._settle(service, query, inquiry)
            except OSError:
                service.close()
                del self._trees[tree]
        return bool(self._trees)

    def close(self) -> None:
        """Nobody is asked any more: what waits is refused."""
        for service, query in self._trees.values():
            query.close()
            service.close()

    def _settle(self, service: RunningTree, query: OpenFile, inquiry: Inquiry) -> None:
        if (inquiry.domain, inquiry.acl) in self._denied:
            number = _DENY
        elif (inquiry.domain, inquiry.line, inquiry.arguments) in self._allowed:
            number = _ALLOW
        else:
            number = self._ask(service, query, inquiry)
        query.write(f"A{inquiry.serial}={number}\n".encode())

    def _ask(self, service: RunningTree, query: OpenFile, inquiry: Inquiry) -> int:
        tree = [
            f"{line.pid} profile {line.profile} {line.domain}" for line in lineage(read_processes(service), inquiry.pid)
        ]
        with _kept_alive(query):
            offers = choices(parse_acl(inquiry.line))
            answer = self._dialog.ask(inquiry, tree, _why(service, inquiry), offers)
        print(f"  {answer.reply.value}{': ' + answer.line if answer.line else ''}", flush=True)
        return self._number(service, inquiry, answer)

    def _number(self, service: RunningTree, inquiry: Inquiry, answer: Answer) -> int:
        if answer.reply is Reply.ADD:
            _add(service, inquiry, answer.line)
            return _RETRY
        if answer.reply is Reply.SESSION:
            self._allowed.add((inquiry.domain, inquiry.line, inquiry.arguments))
        elif answer.reply is Reply.NEVER:
            self._denied.add((inquiry.domain, inquiry.acl))
        return _ALLOW if answer.reply in (Reply.ALLOW, Reply.SESSION) else _DENY


def _inquiries(query: OpenFile) -> Iterator[Inquiry]:
    while raw := query.read(_LARGEST):
        yield parse_inquiry(raw)


@contextlib.contextmanager
def _kept_alive(query: OpenFile) -> Iterator[None]:
    """No question times out as long as somebody thinks about one."""
    done = threading.Event()

    def keep() -> None:
        while not done.wait(_KEEP_ALIVE):
            try:
                query.write(b"\n")
            except OSError:
                return

    thread = threading.Thread(target=keep, name="keep alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _add(service: RunningTree, inquiry: Inquiry, line: str) -> None:
    file = service.open("domain_policy", administrator=True)
    try:
        file.write(f"select Q={inquiry.serial}\n{line}\n".encode())
    finally:
        file.close()


def _why(service: RunningTree, inquiry: Inquiry) -> list[str]:
    """What policy, as it is now, says of the request."""
    policy = Policy(forced_mode=Mode.ENFORCING)
    try:
        parse_profile(read_text(service, "profile"), policy)
        parse_exception_policy(read_text(service, "exception_policy"), policy)
        parse_domain_policy(read_text(service, "domain_policy", f"select Q={inquiry.serial}"), policy)
        domain = policy.domains[inquiry.domain]
        request = suppose(inquiry.line)
        # What follows the reasons is known: that it is refused, and which line is missing.
        return explain(policy, domain, request, decide(policy, domain, request))[:-2]
    except (SekishoError, KeyError) as error:
        return [f"it can't be told: {error}"]
