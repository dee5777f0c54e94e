"""Execute handlers: programs that policy runs in place of what was asked for (spec c.4).

``task auto_execute_handler`` takes every execution over, ``task denied_execute_handler`` those that enforcing mode
refuses. A handler is told what was asked for by its arguments, and decides itself what to run, if anything. What a
handler executes is never taken over.
"""

from __future__ import annotations

from typing import Final

from sekisho.decide.decision import Decision
from sekisho.decide.request import Execution, Facts, Request, Task
from sekisho.decide.standing import has_standing, standing_entry
from sekisho.domain.transition import ExecutionPlan, plan_destination
from sekisho.names.word import decode
from sekisho.policy.grammar import OPERATIONS, Operation
from sekisho.policy.model import Domain, Mode, Policy

_EXECUTE: Final = OPERATIONS["file execute"]
_AUTO: Final = OPERATIONS["task auto_execute_handler"]
_DENIED: Final = OPERATIONS["task denied_execute_handler"]
_IDS: Final = ("pid", "uid", "gid", "euid", "egid", "suid", "sgid", "fsuid", "fsgid")


def has_handler(policy: Policy, domain: Domain) -> bool:
    """Whether ``domain`` has any execute handler, its groups' included."""
    return has_standing(policy, domain, _AUTO) or has_standing(policy, domain, _DENIED)


def auto_handler(policy: Policy, domain: Domain, facts: Facts) -> str | None:
    """The program (a word) that runs in place of whatever a task in ``domain`` executes; None where nothing does."""
    return _handler(policy, domain, facts, _AUTO)


def denied_handler(policy: Policy, domain: Domain, facts: Facts) -> str | None:
    """The program (a word) that runs in place of one that enforcing mode refuses; None where nothing does."""
    return _handler(policy, domain, facts, _DENIED)


def _handler(policy: Policy, domain: Domain, facts: Facts, operation: Operation) -> str | None:
    if facts.task.execute_handler or not has_standing(policy, domain, operation):
        return None
    entry = standing_entry(policy, domain, operation, facts)
    return entry.operands[0].text if entry is not None else None


def plan_handler(policy: Policy, domain: Domain, handler: str, facts: Facts) -> ExecutionPlan:
    """Plans the execution of ``handler``: its own entry grants it, and transition control says where it runs.

    The plan's request, which an audit record shows, is that entry; it is logged as profile and entry say of
    ``file execute``.
    """
    operation = _AUTO
    entry = standing_entry(policy, domain, operation, facts)
    if entry is None:
        # Where an automatic handler holds, nothing gets so far as to be denied.
        operation = _DENIED
        entry = standing_entry(policy, domain, operation, facts)
    config = policy.config(domain, _EXECUTE.profile)
    logged = config.grant_log if entry is None or entry.grant_log is None else entry.grant_log
    logged = logged and config.mode is not Mode.DISABLED
    decision = Decision(True, config.mode, entry, handler, logged, False, False)
    return plan_destination(policy, domain, Request(operation, (handler,), facts), decision)


def handler_arguments(
    handler: str, domain: str, executable: str, task: Task, filename: bytes, execution: Execution
) -> tuple[bytes, ...]:
    """The argument strings that ``handler`` gets; its environment is empty.

    ``domain`` and ``executable`` (the caller's program) are given as the words that they are in policy; ``filename``,
    ``execution.argv`` and ``execution.envp`` as the caller gave them.
    """
    ids = " ".join(f"{name}={getattr(task, name)}" for name in _IDS)
    counts = (b"%d" % len(execution.argv), b"%d" % len(execution.envp))
    told = (domain.encode(), executable.encode(), ids.encode(), filename, *counts)
    return (decode(handler), *told, *execution.argv, *execution.envp)
