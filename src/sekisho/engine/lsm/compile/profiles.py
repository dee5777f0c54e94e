"""Profiles as the kernel side has them: what each operation's config is, all worked out."""

from __future__ import annotations

from typing import Final

from sekisho.engine.lsm import layout
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Config, Domain, Mode, Policy, Profile

UNDEFINED: Final = 0
"""The slot of every profile that isn't defined: it disables everything."""

Slot = tuple[str, int, bool]
"""A namespace, a profile's number, and whether ``Policy.forced_mode`` has no say over its domains."""

_DISABLED: Final = Config(Mode.DISABLED, False, False)
_MANUAL: Final = Config(Mode.ENFORCING, False, False)
"""A manual transition needs its entry in every mode, and is never logged."""


class Profiles:
    """The profiles of a policy in slots: ``rows`` by slot, ``slots`` by what is in them."""

    def __init__(self, policy: Policy) -> None:
        """Raises ValueError for more profiles than there are slots."""
        self._forced = policy.forced_mode
        self.slots: dict[Slot, int] = {}
        self.rows: list[layout.Profile] = [profile_row(None, None)]
        for namespace in policy.namespaces.values():
            for number, profile in sorted(namespace.profiles.items()):
                for free in (False, True) if self._forced is not None else (False,):
                    self.slots[namespace.name, number, free] = len(self.rows)
                    self.rows.append(profile_row(profile, None if free else self._forced))
        if len(self.rows) > layout.PROFILES:
            raise ValueError(f"more than {layout.PROFILES - 1} profiles are too many for the kernel")

    def slot_of(self, domain: Domain) -> int:
        """The slot of the profile that the domain is in."""
        free = domain.chosen and self._forced is not None
        return self.slots.get((domain.namespace, domain.profile, free), UNDEFINED)


def profile_row(profile: Profile | None, forced: Mode | None) -> layout.Profile:
    """The profile, None for one that isn't defined, with every mode but disabled ``forced``, if that is given."""
    row = layout.Profile(defined=int(profile is not None))
    if profile is not None:
        row.penalty = profile.enforcing_penalty
    enabled = {family.name: 0 for family in layout.FAMILIES}
    quiet = {family.name: 0 for family in layout.FAMILIES}
    for keyword, operation in OPERATIONS.items():
        config = _MANUAL if operation.category == "task" else _config(profile, operation.profile, forced)
        row.config[layout.NUMBERS[keyword]] = (
            config.mode | config.grant_log * layout.CONFIG_GRANT_LOG | config.reject_log * layout.CONFIG_REJECT_LOG
        )
        if config.mode is not Mode.DISABLED:
            enabled[layout.FAMILY_OF[keyword].name] |= 1 << layout.BITS[keyword]
        if not config.grant_log:
            quiet[layout.FAMILY_OF[keyword].name] |= 1 << layout.BITS[keyword]
    row.enabled = enabled[layout.NAME.name]
    row.quiet = quiet[layout.NAME.name]
    row.enabled_inet = enabled[layout.INET.name]
    row.enabled_domains = enabled[layout.DOMAIN.name]
    row.enabled_capabilities = enabled[layout.NONE.name]
    return row


def _config(profile: Profile | None, operation: str, forced: Mode | None) -> Config:
    if profile is None:
        return _DISABLED
    config = profile.config(operation)
    if forced is None or config.mode is Mode.DISABLED:
        return config
    return Config(forced, config.grant_log, config.reject_log)
