"""What the daemon tells of itself."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sekisho.engine.lsm import hooks
from sekisho.engine.lsm.daemon import machine

if TYPE_CHECKING:
    from sekisho.engine.lsm.daemon.service import Service

_COUNTS = ("events", "lost", "repeated", "unnameable", "crowded", "refused", "inconsistent", "homeless", "changed")


def describe(service: Service) -> dict[str, Any]:
    """Everything that ``sekisho system status`` shows."""
    system = service.system
    failures = system.loaded.failures
    domains = service.policy.domains.values()
    profiles = [service.policy.namespaces[domain.namespace].profiles.get(domain.profile) for domain in domains]
    modes = [profile.configs[""].mode.word if profile is not None else "undefined" for profile in profiles]
    return {
        "pid": os.getpid(),
        "since": service.since,
        "directory": str(service.directory.path),
        "active": bool(system.state.active),
        "called": machine.calls_programs(),
        "flavour": system.flavour.value,
        "domains": {mode: modes.count(mode) for mode in dict.fromkeys(modes)},
        "programs": sorted(system.loaded.links),
        "missing": {name: failure.reason for name, failure in sorted(failures.items()) if not failure.absent},
        "absent": sorted(failure.section for failure in failures.values() if failure.absent),
        "lacking": {operation: list(names) for operation, names in hooks.lacking(failures).items()},
        "unprotected": list(hooks.unprotected(failures)),
        "kernel": {name: int(getattr(system.maps.counts, name)) for name in _COUNTS},
        "missed": sum(program.facts().missed for program in system.loaded.programs.values()),
        "events": asdict(service.learner.tally),
        "trouble": dict(system.publisher.trouble),
        "unserved": list(service.beyond.unserved),
        "observers": service.questions.observers,
        "questions": len(service.questions.pending()),
        "unsaved": not service.keeper.is_saved,
        "trial": service.trial.deadline is not None,
    }
