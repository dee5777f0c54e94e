"""Audit records: who asked for what, and what policy said of it (spec g.6). ``text`` and ``jsonl`` write them down."""

from __future__ import annotations

from sekisho.audit.image import image_of
from sekisho.audit.jsonl import format_json, parse_json
from sekisho.audit.text import format_text
from sekisho.audit.values import Image, Record
from sekisho.decide.decision import Decision
from sekisho.decide.request import Facts, Request
from sekisho.decide.text import request_text
from sekisho.policy.model import Domain, Mode

__all__ = ["Image", "Record", "format_json", "format_text", "make_notice", "make_record", "parse_json"]


def make_record(time: float, domain: Domain, request: Request, decision: Decision) -> Record:
    """The record of ``decision`` on ``request``, made in ``domain`` at ``time``."""
    return _record(time, domain, decision.mode, decision.granted, request_text(request), request.facts)


def make_notice(time: float, domain: Domain, mode: Mode, line: str, facts: Facts) -> Record:
    """A record that says something of ``domain`` itself, such as ``quota_exceeded``."""
    return _record(time, domain, mode, False, line, facts)


def _record(time: float, domain: Domain, mode: Mode, granted: bool, acl: str, facts: Facts) -> Record:
    execution = facts.execution
    return Record(
        time=time,
        profile=domain.profile,
        mode=mode,
        granted=granted,
        domain=domain.name,
        acl=acl,
        task=facts.task,
        path1=facts.path1,
        path1_parent=facts.path1_parent,
        path2=facts.path2,
        path2_parent=facts.path2_parent,
        execution=image_of(execution) if execution is not None else None,
        symlink_target=facts.symlink_target,
    )
