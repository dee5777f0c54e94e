"""Random lines of policy, right and wrong, and how Sekisho writes them."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.vm.pairs import batches

from sekisho.errors import PolicyError
from sekisho.policy.acl import parse_acl
from sekisho.policy.model import Policy
from sekisho.policy.parse_exception import parse_exception_policy
from sekisho.policy.printer import print_acl, print_exception_policy

ODD: Final = (
    "@G", "/a", "keep", "<kernel>", "0x1f", "007", "08", "1-2", "2-1", "0X1F-0x2a", "::1", "0:0::1", "::FFFF:1.2.3.4",
    "1.2.3.4", "1.2.3.4-1.2.3.9", "task.uid=0", "task.uid==0", "path1.perm=0x1aF", "1-1=task.uid", "exec.realpath=@G",
    'exec.realpath="@G"', 'exec.argv[08]="x"', 'exec.argv[1]="', 'exec.envp["A"]=NULL', "grant_log=yes",
    "grant_log=no", "any", "from", "a.b/c", "/\\{a\\}/", "x=y", "path1.type=file", "00", "0x", "18446744073709551615",
)  # fmt: skip
_STATEMENTS: Final = ("select", "delete", "use_", "<", "quota", "transition")


def lines(seed: int, many: int) -> dict[str, list[str]]:
    """About ``many`` lines of each kind, the same for the same ``seed``."""
    chance = Random(f"{seed} texts")
    made: dict[str, list[str]] = {"entries": [], "exceptions": []}
    for batch in batches(seed, 20):
        made["entries"] += batch["domain_policy"][3:]
        made["exceptions"] += batch["exception"]
    for kind, all_of_it in made.items():
        some = chance.sample(all_of_it, min(many // 2, len(all_of_it)))
        wrong = [mutated(chance, line) for line in some]
        made[kind] = [line for line in dict.fromkeys(some + wrong) if line and not line.startswith(_STATEMENTS)]
    return made


def mutated(chance: Random, line: str) -> str:
    """``line`` with some of its words changed."""
    words = line.split(" ")
    for _ in range(chance.randint(1, 2)):
        place, what = chance.randrange(len(words)), chance.random()
        if what < 0.35:
            words[place] = chance.choice(ODD)
        elif what < 0.6:
            words.insert(chance.randint(1, len(words)), chance.choice(ODD))
        elif what < 0.75 and len(words) > 1:
            del words[place]
        elif what < 0.85:
            words[place] = "/".join(reversed(words[place].split("/")))
        elif what < 0.95:
            words.insert(place, words[place])
        else:
            words[place] = words[place].upper()
    return " ".join(words)


def as_entry(line: str) -> list[str] | None:
    """How Sekisho writes the entry ``line``; None where it is refused."""
    try:
        return [print_acl(parse_acl(line))]
    except PolicyError:
        return None


def as_exception(line: str) -> list[str] | None:
    """How Sekisho writes the line of the exception policy; None where it is refused."""
    policy = Policy()
    try:
        parse_exception_policy(f"{line}\n", policy)
    except PolicyError:
        return None
    return [each for each in print_exception_policy(policy).split("\n") if each]


def unlike(kernel: list[str], here: list[str] | None) -> str:
    """The rule of docs/differences.md that explains what differs, ``unlisted``, or nothing."""
    if here == kernel or (here is None and not kernel):
        return ""
    if here is None:
        return "wrong-lines"
    return "unlisted"
