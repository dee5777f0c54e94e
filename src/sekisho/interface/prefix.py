"""The namespace that a line of ``exception_policy`` or ``profile`` may begin with."""

from __future__ import annotations

from sekisho.policy.edit import ensure_namespace
from sekisho.policy.lines import Fault
from sekisho.policy.model import Namespace, Policy
from sekisho.policy.operands import namespace_at


def namespace_of(policy: Policy, line: str) -> tuple[Namespace, str]:
    """Whose line it is and what it says: ``<kernel>`` unless it names another, which is there from now on.

    Raises Fault for what is no namespace, or nothing but one.
    """
    if not line.startswith("<"):
        return ensure_namespace(policy, "<kernel>"), line
    name, _, rest = line.partition(" ")
    if not rest:
        raise Fault(1, "expected a directive after the namespace")
    return ensure_namespace(policy, namespace_at([name], 0)), rest
