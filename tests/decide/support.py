"""Policies, requests and facts for tests, and the rule of deciding written as the plain scan it means."""

from __future__ import annotations

from sekisho.decide.conditions import compile_condition
from sekisho.decide.operands import test_for as operand_test
from sekisho.decide.request import Execution, Facts, FileType, Inode, Request, Task
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, ensure_acl_group, ensure_domain
from sekisho.policy.grammar import NUMERIC, OPERATIONS, Operand
from sekisho.policy.model import AclEntry, Config, Domain, Mode, Policy, Profile

DOMAIN = "<kernel> /usr/bin/program"

TASK = Task(
    pid=100, ppid=99, uid=1000, gid=1001, euid=1002, egid=1003, suid=1004, sgid=1005, fsuid=1006, fsgid=1007,
    global_pid=4100,
)  # fmt: skip


def inode(**fields: int | FileType | None) -> Inode:
    values: dict[str, object] = {
        "uid": 10, "gid": 20, "ino": 30, "major": 8, "minor": 1, "perm": 0o644, "type": FileType.FILE,
    }  # fmt: skip
    return Inode(**{**values, **fields})  # type: ignore[arg-type]


def facts(**given: object) -> Facts:
    result = Facts()
    result.task = TASK
    for name, value in given.items():
        setattr(result, name, value)
    return result


def execution(*argv: bytes, envp: tuple[bytes, ...] = (), realpath: str = "/usr/bin/true") -> Facts:
    return facts(execution=Execution(realpath, argv, envp), path1=inode(perm=0o755), path1_parent=inode(perm=0o755))


def request(text: str, about: Facts | None = None) -> Request:
    """The request that ``text``, such as ``file mkdir /d/ 0700``, is the ACL text of."""
    keyword = max((keyword for keyword in OPERATIONS if f"{text} ".startswith(f"{keyword} ")), key=len)
    operation = OPERATIONS[keyword]
    many = len(operation.operands)
    words = text[len(keyword) + 1 :].split(" ", many - 1 if Operand.DOMAIN in operation.operands else -1)[:many]
    arguments = tuple(
        (int(word, 0) if word.startswith("0x") else int(word, 8 if word.startswith("0") else 10))
        if kind in NUMERIC
        else word
        for kind, word in zip(operation.operands, words, strict=True)
    )
    return Request(operation, arguments, about or facts())


def policy(
    *lines: str, mode: Mode = Mode.ENFORCING, groups: dict[int, list[str]] | None = None
) -> tuple[Policy, Domain]:
    """A policy whose domain DOMAIN has these entries, profile 3 with ``mode``, and uses these acl_groups."""
    result = Policy()
    namespace = result.namespaces["<kernel>"]
    namespace.profiles[3] = Profile(configs={"": Config(mode, True, True)})
    domain = ensure_domain(result, DOMAIN)
    domain.profile = 3
    for line in lines:
        add_entry(domain, parse_acl(line))
    for number, entries in (groups or {}).items():
        domain.groups.add(number)
        for line in entries:
            add_entry(ensure_acl_group(namespace, number), parse_acl(line))
    return result, domain


def covers(domain: str, asked: str | int, category: str) -> bool:
    """Whether an entry that names ``domain`` is about ``asked``."""
    return domain == asked or (category == "ipc" and str(asked).startswith(f"{domain} "))


def scan(policy: Policy, domain: Domain, request: Request) -> AclEntry | None:
    """The entry that grants the request: the first that fits, asked one after the other."""
    namespace = policy.namespaces[domain.namespace]
    lists = [domain.entries]
    lists += [namespace.acl_groups[n].entries for n in sorted(domain.groups) if n in namespace.acl_groups]
    for entry in (entry for entries in lists for entry in entries):
        fits = request.operation in entry.operations and all(
            (position == 0 and request.ignore_first)
            or (
                covers(operand.text, argument, request.operation.category)
                if kind is Operand.DOMAIN
                else operand_test(operand)(argument, namespace)
            )
            for position, (kind, operand, argument) in enumerate(
                zip(request.operation.operands, entry.operands, request.arguments, strict=True)
            )
        )
        if fits and all(compile_condition(clause)(request.facts, namespace) for clause in entry.conditions):
            return entry
    return None
