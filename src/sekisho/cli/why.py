"""``sekisho why``: would it be allowed, by which line, or what is missing."""

from __future__ import annotations

import argparse

from sekisho.cli import options
from sekisho.cli.output import print_json
from sekisho.cli.selection import find_domain
from sekisho.cli.supposition import suppose
from sekisho.decide.decision import Decision
from sekisho.decide.evaluate import decide
from sekisho.decide.explain import explain, missing_line
from sekisho.decide.request import Request
from sekisho.domain.transition import ExecutionPlan, plan_execution
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
        "\n"
        "Put -- before DOMAIN, or REQUEST in quotes, where a word of REQUEST begins with -. "
        'Conditions in REQUEST (task.uid=0, exec.realpath="...", exec.argv[0]="...", symlink.target="...") say '
        "what to suppose; files are looked at as they are now. The exit status is 0 if the request would be "
        "allowed, 1 if not."
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
    domain = find_domain(policy, arguments.domain)
    request = suppose(" ".join(arguments.request))
    plan = None
    if request.operation.keyword == "file execute":
        plan = plan_execution(policy, domain, str(request.arguments[0]), request.facts)
        request, decision = plan.request, plan.decision
    else:
        decision = decide(policy, domain, request)
    allowed = decision.allowed and not (plan and plan.failure)
    if arguments.json:
        print_json(describe(domain, request, decision, plan))
    else:
        print("\n".join(sentences(policy, domain, request, decision, plan)))
    return 0 if allowed else 1


def sentences(
    policy: Policy, domain: Domain, request: Request, decision: Decision, plan: ExecutionPlan | None
) -> list[str]:
    """The answer for people."""
    lines = explain(policy, domain, request, decision)
    if plan is None or not decision.allowed:
        return lines
    if plan.failure:
        return [
            *lines,
            f"It fails all the same: {plan.message or 'the domain to run in cannot be had'} ({plan.failure}).",
        ]
    if plan.transition_failed:
        return [*lines, f"It would stay in {domain.name}: {plan.message}"]
    new = ", which would be made" if plan.creates else ""
    return [*lines, f"It would run in {plan.destination or domain.name}{new}."]


def describe(domain: Domain, request: Request, decision: Decision, plan: ExecutionPlan | None) -> dict[str, object]:
    """The answer for programs."""
    entry = decision.entry
    answer: dict[str, object] = {
        "domain": domain.name,
        "allowed": decision.allowed and not (plan and plan.failure),
        "granted": decision.granted,
        "mode": decision.mode.word,
        "entry": print_acl(entry) if entry is not None else None,
        "missing": None if decision.granted else missing_line(request),
    }
    if plan is not None:
        answer["destination"] = None if plan.failure else plan.destination or domain.name
        answer["failure"] = plan.failure
    return answer
