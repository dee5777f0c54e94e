"""Policy text into policy: one function for each kind of text; the readers are in the ``parse_*`` modules."""

from sekisho.policy.acl import parse_acl
from sekisho.policy.parse_domain import parse_domain_policy
from sekisho.policy.parse_exception import parse_exception_policy
from sekisho.policy.parse_manager import parse_manager
from sekisho.policy.parse_profile import parse_profile

__all__ = ["parse_acl", "parse_domain_policy", "parse_exception_policy", "parse_manager", "parse_profile"]
