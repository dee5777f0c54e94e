"""``sekisho why``: would it be allowed, by which line, or what is missing."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from sekisho.cli import consequences, options
from sekisho.cli.output import print_json
from sekisho.cli.selection import find_domain
from sekisho.cli.supposition import suppose
from sekisho.decide.decision import Decision
from sekisho.decide.evaluate import decide
from sekisho.decide.explain import explain, missing_line
from sekisho.decide.request import Request
from sekisho.domain.transition import ExecutionPlan, ManualTransition, plan_execution
from sekisho.policy.model import Domain, Policy
from sekisho.policy.printer import print_acl


def configure(parser: argparse.ArgumentParser) -> None:
    """``parser`` takes the arguments of ``sekisho why``."""
    parser.usage = "sekisho why [-P DIR] [-m MODE] [--json] DOMAIN REQUEST"
    parser.description = (
        "Tell whether a request from DOMAIN would be allowed, by which line of policy, or which line is "
        "missing. The answer comes from the code that enforces."
    )
    parser.epilog = (
        "examples:\n"
        "  sekisho why '<kernel> /usr/bin/git' file read /etc/passwd\n"
        "  sekisho why /usr/bin/git 'network inet stream connect 192.0.2.1 443'\n"
        "  sekisho why /usr/bin/git 'file execute /bin/sh exec.argv[0]=\"sh\"'\n"
        "  sekisho why /usr/bin/git ipc signal 15 '<kernel> /usr/sbin/sshd'\n"
        "\n"
        "Put -- before DOMAIN, or REQUEST in quotes, where a word of REQUEST begins with -. "
        'Conditions in REQUEST (task.uid=0, task.type=execute_handler, exec.realpath="...", exec.argv[0]="...", '
        'symlink.target="...") say what to suppose; files are looked at as they are now. The exit status is 0 if the '
        "request would be allowed, 1 if not."
    )
    options.add_directory(parser)
    options.add_mode(parser)
    options.add_json(parser)
    parser.add_argument("domain", metavar="DOMAIN", help="its name in quotes, or its last words where unmistakable")
    parser.add_argument("request", metavar="REQUEST", nargs="+", help="what is asked for, as a line of policy")


def run(arguments: argparse.Namespace) -> int:
    """The answer is printed; 0 if it is yes, 1 if it is no."""
    policy = options.directory(arguments).load()
    policy.forced_mode = options.MODES[arguments.mode]
    answer = ask(policy, find_domain(policy, arguments.domain), suppose(" ".join(arguments.request)))
    if arguments.json:
        print_json(describe(answer))
    else:
        print("\n".join(sentences(policy, answer)))
    return 0 if answer.allowed else 1


@dataclass(frozen=True, slots=True)
class Answer:
    """All that comes of a request: ``before`` and ``after`` are moves that policy makes by itself."""

    asked_in: Domain
    domain: Domain
    request: Request
    decision: Decision
    plan: ExecutionPlan | None
    before: ManualTransition | None
    after: ManualTransition | None
    handler: str | None

    @property
    def allowed(self) -> bool:
        """Whether the program gets what it asked for and lives."""
        moves = (self.before, self.after)
        return (
            self.decision.allowed
            and not (self.plan and self.plan.failure)
            and all(move is None or move.failure is None for move in moves)
        )


def ask(policy: Policy, domain: Domain, request: Request) -> Answer:
    """What comes of ``request`` made in ``domain``."""
    before = consequences.move_before(policy, domain, request)
    asked_in = domain
    if before is not None and before.failure is None:
        domain = consequences.arrived(policy, domain, before)
    plan = None
    if request.operation.keyword == "file execute":
        plan = plan_execution(policy, domain, str(request.arguments[0]), request.facts)
        request, decision = plan.request, plan.decision
    else:
        decision = decide(policy, domain, request)
    after = consequences.move_after(policy, domain, decision)
    handler = consequences.handler(policy, domain, request, decision)
    return Answer(asked_in, domain, request, decision, plan, before, after, handler)


def sentences(policy: Policy, answer: Answer) -> list[str]:
    """The answer for people."""
    lines = [] if answer.before is None else [consequences.tell_before(answer.asked_in, answer.before)]
    if answer.before is not None and answer.before.failure is not None:
        return lines
    lines += explain(policy, answer.domain, answer.request, answer.decision)
    if answer.after is not None:
        lines.append(consequences.tell_after(answer.after))
    if answer.handler is not None:
        return [*lines, f"The execute handler {answer.handler} would run in its place."]
    plan = answer.plan
    if plan is None or not answer.decision.allowed:
        return lines
    if plan.failure:
        return [
            *lines,
            f"It fails all the same: {plan.message or 'the domain to run in cannot be had'} ({plan.failure}).",
        ]
    if plan.transition_failed:
        return [*lines, f"It would stay in {answer.domain.name}: {plan.message}"]
    new = ", which would be made" if plan.creates else ""
    return [*lines, f"It would run in {plan.destination or answer.domain.name}{new}."]


def describe(answer: Answer) -> dict[str, object]:
    """The answer for programs; moves and handlers are only there where there are any."""
    entry, decision, plan = answer.decision.entry, answer.decision, answer.plan
    told: dict[str, object] = {
        "domain": answer.domain.name,
        "allowed": answer.allowed,
        "granted": decision.granted,
        "mode": decision.mode.word,
        "entry": print_acl(entry) if entry is not None else None,
        "missing": None if decision.granted else missing_line(answer.request),
    }
    if plan is not None:
        told["destination"] = None if plan.failure else plan.destination or answer.domain.name
        told["failure"] = plan.failure
    for name, move in (("moved_from", answer.before), ("moves_to", answer.after)):
        if move is not None:
            told[name] = answer.asked_in.name if name == "moved_from" else move.destination
            told["failure"] = move.failure or told.get("failure")
    if answer.handler is not None:
        told["handler"] = answer.handler
    return told
