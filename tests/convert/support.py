"""What tests of converting have in common."""

from sekisho.convert.dialect import Dialect
from sekisho.convert.entries import Scope
from sekisho.convert.overwriting import Overwriting
from sekisho.convert.remark import Notes, Remark


class Noted(Notes):
    """Notes that keep what was said as (fate, reason)."""

    def __init__(self):
        self.remarks: list[Remark] = []
        super().__init__("f", self.remarks)

    @property
    def said(self):
        return [(str(remark.fate), remark.reason) for remark in self.remarks]


def scope(dialect=Dialect.V23, *, denied=(), groups=None, writes=(), rewrites=(), domain="<kernel> /a"):
    overwriting = Overwriting(list(denied), dict(groups or {}))
    return Scope(dialect, Noted(), overwriting, domain, list(writes), list(rewrites))
