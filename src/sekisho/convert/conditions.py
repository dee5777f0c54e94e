"""Conditions of TOMOYO 1.7: what stands after ``if``, and what ``; set`` says."""

from __future__ import annotations

from sekisho.convert.dialect import Dialect
from sekisho.convert.names import name
from sekisho.convert.remark import LeftOut, Notes

_REALPATH = ("exec.realpath=", "exec.realpath!=")


def split_conditions(words: list[str]) -> tuple[list[str], list[str], list[str]]:
    """The entry, the words after ``if``, and those after ``; set``."""
    setting = words[words.index(";") + 1 :] if ";" in words else []
    words = words[: words.index(";")] if ";" in words else words
    clauses = words[words.index("if") + 1 :] if "if" in words else []
    words = words[: words.index("if")] if "if" in words else words
    return words, clauses, setting[1:] if setting[:1] == ["set"] else setting


def conditions(clauses: list[str], setting: list[str], dialect: Dialect, notes: Notes) -> list[str]:
    """The suffixes that say the same today.

    Raises:
        LeftOut: a clause asks for a state variable: without it the entry would grant more.
    """
    found = [_clause(clause, dialect, notes) for clause in clauses]
    for word in setting:
        key, _, value = word.partition("=")
        if key in ("audit", "grant_log") and value in ("yes", "no"):
            found.append(f"grant_log={value}")
        elif key.startswith("task.state["):
            notes.changed(
                "there are no state variables today: the entry grants, and sets nothing",
                f"to go on in another domain from here, add {_INSTEAD}",
            )
        else:
            notes.changed(f"{word!r} after set means nothing today and is gone")
    return found


_INSTEAD = 'auto_domain_transition="<kernel> //NAME" and write what holds from then on into that domain'


def _clause(clause: str, dialect: Dialect, notes: Notes) -> str:
    if "task.state[" in clause:
        raise LeftOut(
            "there are no state variables today",
            f"give the entry that set the variable {_INSTEAD}, this entry among it",
        )
    for left in _REALPATH:
        if clause.startswith(left + '"') and clause.endswith('"') and len(clause) > len(left) + 1:
            return f'{left}"{name(clause[len(left) + 1 : -1], dialect, notes)}"'
    return clause
