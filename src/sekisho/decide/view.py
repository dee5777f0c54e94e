"""What ``decide`` remembers of one domain between two requests."""

from __future__ import annotations

from typing import Final

from sekisho.decide.index import Index, index_of
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Config, Domain, Mode, Namespace, Policy

_UNDEFINED: Final = Config(Mode.DISABLED, False, False)
_MANUAL: Final = Config(Mode.ENFORCING, False, False)
"""A manual transition needs its entry in every mode, and is never logged (spec a.4)."""

_CATEGORIES: Final = {operation.profile: operation.category for operation in OPERATIONS.values()}


class View(Index):
    """A domain's own index with what surrounds it: its namespace and the indexes of the acl_groups it uses.

    It is kept in the domain's ``index``; ``is_current`` is cheap enough to ask before each decision.
    """

    __slots__ = ("_forced", "_groups", "_uses", "indexes", "namespace", "policy")

    policy: Policy
    namespace: Namespace
    indexes: tuple[Index, ...]
    """Where to look, in order: the domain's own list, then its groups' in ascending number."""

    def is_current(self, policy: Policy, domain: Domain) -> bool:
        """Whether nothing has changed since ``refresh`` that decisions depend on; profiles are always looked up."""
        namespace = self.namespace
        if (
            self.generation != domain.generation
            or self.policy is not policy
            or self._uses != domain.groups
            or policy.namespaces.get(namespace.name) is not namespace
        ):
            return False
        for number, group, generation in self._groups:
            if namespace.acl_groups.get(number) is not group or (group and group.generation != generation):
                return False
        return True

    def refresh(self, policy: Policy, domain: Domain) -> None:
        """Brings everything up to date with policy."""
        if self.generation != domain.generation:
            self.follow(domain)
        self.policy = policy
        self.namespace = namespace = policy.namespaces[domain.namespace]
        self._uses = set(domain.groups)
        groups = [(number, namespace.acl_groups.get(number)) for number in sorted(domain.groups)]
        self.indexes = (self, *(index_of(group) for _, group in groups if group is not None))
        self._groups = tuple((number, group, group.generation if group else 0) for number, group in groups)
        self._forced: dict[Config, Config] = {}

    def config(self, operation: str, domain: Domain) -> Config:
        """What holds for the operation ("file::open"): ``Policy.config``, the same object each time."""
        category = _CATEGORIES[operation]
        if category == "task":
            return _MANUAL
        profile = self.namespace.profiles.get(domain.profile)
        if profile is None:
            return _UNDEFINED
        configs = profile.configs
        config = configs.get(operation) or configs.get(category) or configs[""]
        mode = self.policy.forced_mode
        if mode is None or config.mode is mode or config.mode is Mode.DISABLED or domain.chosen:
            return config
        return self._force(config, mode)

    def _force(self, config: Config, mode: Mode) -> Config:
        forced = self._forced.get(config)
        if forced is None or forced.mode is not mode:
            forced = self._forced[config] = Config(mode, config.grant_log, config.reject_log)
        return forced


def view_of(policy: Policy, domain: Domain) -> View:
    """The domain's view, up to date."""
    view = domain.index
    if not isinstance(view, View):
        view = domain.index = View(domain)
        view.refresh(policy, domain)
    elif not view.is_current(policy, domain):
        view.refresh(policy, domain)
    return view
