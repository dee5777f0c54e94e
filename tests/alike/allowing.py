"""A policy that enforces everything and allows it."""

from __future__ import annotations

from tests.engine.supervisor.supervised import Supervised

from sekisho.policy.grammar import CAPABILITIES, OPERATIONS, Operand

_OPERANDS = {
    Operand.NAME: "@ANYTHING",
    Operand.DOMAIN: "<kernel>",
    Operand.ADDRESS: "@ANYBODY",
    Operand.DECIMAL: "0-0xFFFFFFFFFFFFFFFF",
    Operand.OCTAL: "0-07777",
    Operand.HEX: "0-0xFFFFFFFFFFFFFFFF",
}
_FOLDERS = ("/", "\\*:/", "\\*/", "\\*/\\*/")
_EXCEPTIONS = [
    "keep_domain any from any",
    *(f"path_group ANYTHING {name}" for name in (*_FOLDERS, "\\*", "\\*:\\*")),
    *(f"path_group ANYTHING {folder}{rest}" for folder in _FOLDERS
      for rest in ("\\*", "\\*/", "\\{\\*\\}/\\*", "\\{\\*\\}/")),
    "address_group ANYBODY 0.0.0.0-255.255.255.255",
    "address_group ANYBODY ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
]  # fmt: skip


def entries() -> list[str]:
    """An entry that allows all of it for every operation."""
    rows = [row for row in OPERATIONS.values() if row.category in ("file", "network", "ipc")]
    lines = [" ".join([row.keyword, *(_OPERANDS[operand] for operand in row.operands)]) for row in rows]
    lines = [line.replace("@ANYBODY 0-0xFFFFFFFFFFFFFFFF", "@ANYBODY 0-65535") for line in lines]
    return [*lines, "misc env \\*", *(f"capability {name}" for name in CAPABILITIES)]


def allow_everything(policy: Supervised) -> None:
    """Whatever anybody does is enforced and allowed, in one domain."""
    (policy.path / "exception_policy.conf").write_text("".join(f"{line}\n" for line in _EXCEPTIONS))
    body = "".join(f"{line}\n" for line in entries())
    (policy.path / "domain_policy.conf").write_text(f"<kernel>\nuse_profile 3\nuse_group 0\n\n{body}\n")
