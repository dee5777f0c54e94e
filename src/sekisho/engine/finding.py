"""What was found out about the machine, by any engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. Something Sekisho can do without is ``ok`` with a ``detail`` that says what is lost."""

    name: str
    ok: bool
    detail: str
    hint: str
