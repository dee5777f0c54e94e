"""Manager text into a policy: who may change policy through the kernel-style interface.

::

    /usr/sbin/tool                       a program
    <kernel> /usr/sbin/sshd              a domain
    manage_by_non_root                   not only root
    delete …                             any of them no more
"""

from __future__ import annotations

from sekisho.names.pattern import is_pattern
from sekisho.policy.lines import Fault, expect_end, expect_word, read_lines, words_of
from sekisho.policy.model import Policy
from sekisho.policy.operands import domain_at, path_at

NON_ROOT = "manage_by_non_root"


def parse_manager(text: str, policy: Policy, *, source: str = "manager.conf") -> None:
    """Everything that ``text`` says is in ``policy``; if any of it is wrong, nothing is.

    Raises:
        PolicyError: the first wrong line, with the others in ``others``.
    """
    changes: list[tuple[str, bool]] = []

    def read(raw: str) -> None:
        words = words_of(raw)
        deletes = words[0] == "delete"
        changes.append((_manager(words, int(deletes)), not deletes))

    read_lines(text, source, read)
    managers = dict.fromkeys(policy.managers)
    for manager, add in changes:
        if manager == NON_ROOT:
            policy.manage_by_non_root = add
        elif add:
            managers.setdefault(manager)
        else:
            managers.pop(manager, None)
    policy.managers[:] = managers


def _manager(words: list[str], at: int) -> str:
    word = expect_word(words, at, "a program, a domainname or manage_by_non_root")
    if word[0] == "<":
        manager, end = domain_at(words, at)
    elif word == NON_ROOT:
        manager, end = word, at + 1
    else:
        manager, end = path_at(words, at, "a program"), at + 1
        if is_pattern(manager):
            raise Fault(at, f"a manager is one program, not a pattern, found {manager}", "write a line for each")
    expect_end(words, end)
    return manager
