"""Which domain the user means."""

from __future__ import annotations

from sekisho.errors import UserError
from sekisho.policy.model import Domain, Policy


def find_domain(policy: Policy, text: str) -> Domain:
    """The domain named ``text``, or the only one whose name ends with these words.

    Raises UserError where there is none or more than one.
    """
    wanted = " ".join(text.split())
    living = [domain for domain in policy.domains.values() if not domain.deleted]
    exact = [domain for domain in living if domain.name == wanted]
    found = exact or [domain for domain in living if wanted and f" {domain.name}".endswith(f" {wanted}")]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"there is no domain {wanted or repr(text)}", "see: sekisho domains")
    names = ", ".join(f"'{domain.name}'" for domain in found[:5]) + (", ..." if len(found) > 5 else "")
    raise UserError(f"{len(found)} domains end with {wanted}: {names}", "give more of the name")
