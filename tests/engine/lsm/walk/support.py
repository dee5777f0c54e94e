"""A policy as tables, and requests as the kernel side has them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from sekisho.decide.decision import Decision
from sekisho.decide.numbers import TYPES
from sekisho.decide.request import Facts, Request
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.book import compile_policy, group_entries, group_set
from sekisho.engine.lsm.compile.interning import Ids, last_word, word_id
from sekisho.engine.lsm.compile.regions import Cells
from sekisho.engine.lsm.walk.request import Answer, RawFacts, RawRequest
from sekisho.engine.lsm.walk.tables import Tables
from sekisho.names.word import decode
from sekisho.policy.grammar import Operand
from sekisho.policy.model import AclEntry, Domain, Policy


@dataclass
class Published:
    """Tables that hold a whole policy, and what the ids in them stand for."""

    policy: Policy
    ids: Ids
    tables: Tables
    entries: dict[int, list[AclEntry]]
    """By the id of a list."""
    incomplete: bool
    """Whether any list has entries that are too large."""

    def domain(self, name: str) -> int:
        """The id of a domain that may be new."""
        number = self.ids.domain(name)
        for each, known in list(self.ids.domains.items()):
            above = each.rpartition(" ")[0]
            parent = self.ids.domains[above] if above else 0
            root = self.ids.domains[each.partition(" ")[0]]
            word = word_id(self.ids, last_word(each))
            self.tables.domains[known] = layout.Domain(parent, root, word, len(each))
        return number


def publish(policy: Policy) -> Published:
    """Everything in ``policy`` stands in tables."""
    ids, regions = Ids(), Cells()
    compiled = compile_policy(policy, ids, regions)
    tables = Tables(ids.names, cells=regions.cells)
    lists = [*compiled.lists.values(), *compiled.shared.values()]
    published = Published(policy, ids, tables, {}, any(each.incomplete for each in lists))
    numbers: dict[object, int] = {}
    for name, own in compiled.lists.items():
        number = numbers[name] = len(numbers) + 1
        tables.publish(number, own)
        published.entries[number] = policy.domains[name].entries
    for groups, shared_list in compiled.shared.items():
        number = numbers[groups] = len(numbers) + 1
        tables.publish(number, shared_list)
        published.entries[number] = group_entries(policy, groups)
    tables.profiles = dict(enumerate(compiled.profiles.rows))
    for domain in policy.domains.values():
        shared = numbers.get(group_set(policy, domain), 0)
        slot = compiled.profiles.slot_of(domain)
        binding = layout.Binding(numbers.get(domain.name, 0), shared, slot)
        tables.bindings[published.domain(domain.name)] = binding
    for name, namespace in compiled.namespaces.items():
        root = published.domain(name)
        tables.controls.update({(root, *key): bits for key, bits in namespace.controls.items()})
        if namespace.aggregators is not None:
            tables.publish(1000 + root, namespace.aggregators)
    return published


def raw_facts(facts: Facts) -> RawFacts:
    """The facts as the kernel side has them."""
    result = RawFacts(handler=int(facts.task.execute_handler))
    for name in layout.TASK_FACTS:
        result.values[layout.FACTS[f"task.{name}"]] = getattr(facts.task, name)
    if facts.execution is not None:
        result.have |= layout.HAVE_EXECUTION
        result.argv, result.envp = facts.execution.argv, facts.execution.envp
        result.realpath = decode(facts.execution.realpath)
        result.values[layout.FACTS["exec.argc"]] = len(result.argv)
        result.values[layout.FACTS["exec.envc"]] = len(result.envp)
    if facts.symlink_target is not None:
        result.have |= layout.HAVE_TARGET
        result.target = decode(facts.symlink_target)
    for place, owner in enumerate(layout.OBJECTS):
        inode = getattr(facts, owner.replace(".", "_"))
        if inode is None:
            continue
        result.have |= layout.HAVE_PATH1 << place
        for name in layout.INODE_FACTS:
            value = getattr(inode, name)
            value = TYPES[value] if isinstance(value, str) else value or 0
            result.values[layout.FACTS[f"{owner}.{name}"]] = value
    return result


def raw_request(published: Published, domain: Domain, request: Request) -> RawRequest:
    """The request as the kernel side has it."""
    operation = request.operation
    family = layout.FAMILY_OF[operation.keyword]
    result = RawRequest(published.domain(domain.name), family, 1 << layout.BITS[operation.keyword])
    result.ignore_first, result.facts = request.ignore_first, raw_facts(request.facts)
    for kind, argument in zip(operation.operands, request.arguments, strict=True):
        if kind is Operand.DOMAIN:
            result.target = published.domain(str(argument))
        elif kind is Operand.NAME:
            result.names += (decode(str(argument)),)
        elif kind is Operand.ADDRESS:
            address = ip_address(str(argument))
            result.version, result.address = address.version, int(address).to_bytes(16, "big")
        elif family is layout.INET:
            result.port = int(argument)
        else:
            result.numbers += (int(argument),)
    return result


def agrees(published: Published, request: RawRequest, answer: Answer, decision: Decision) -> str:
    """What of the answer isn't as the decision says; empty where all is."""
    wrong = []
    if bool(answer.granted) is not decision.granted:
        wrong.append("granted")
    if bool(answer.refused) is not (not decision.granted and bool(decision.mode)):
        wrong.append("refused")
    if bool(answer.logged) is not decision.grant_log:
        wrong.append("logged")
    entry = decision.entry
    if answer.list and published.entries[answer.list][answer.entry] is not entry:
        wrong.append("entry")
    executes = request.family is layout.NAME and request.asked & 1
    # What is granted plainly is granted by an entry that says nothing else.
    says_more = entry is not None and (entry.grant_log is not None or entry.transition is not None or executes)
    if says_more and not answer.list:
        wrong.append("plain")
    if executes and answer.candidate != (word_id(published.ids, decision.matched) if decision.matched else 0):
        wrong.append("candidate")
    if executes and (answer.preference, answer.target) != preferred(published, entry):
        wrong.append("preference")
    if (answer.move_kind, answer.move) != moves(published, entry):
        wrong.append("move")
    return " ".join(wrong)


def preferred(published: Published, entry: AclEntry | None) -> tuple[int, int]:
    """The entry's transition preference as an answer has it."""
    preference = entry.preference if entry is not None else None
    words = {None: 0, "keep": 1, "child": 2, "initialize": 3, "reset": 4, "parent": 5}
    if preference in words:
        return words[preference], 0
    assert preference is not None
    if preference.startswith("<"):
        return layout.PREFER_DOMAIN, published.domain(preference)
    return layout.PREFER_PATH, word_id(published.ids, preference)


def moves(published: Published, entry: AclEntry | None) -> tuple[int, int]:
    """Where the entry sends the caller, as an answer has it."""
    where = entry.transition if entry is not None else None
    if where is None:
        return 0, 0
    if where.startswith("<"):
        return layout.RULE_MOVE_DOMAIN, published.domain(where)
    return layout.RULE_MOVE_CHILD, word_id(published.ids, where)
