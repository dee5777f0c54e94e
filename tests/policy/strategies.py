"""Whole policies for properties: everything the language can say, as values the printer can print."""

from hypothesis import strategies as st
from tests.names.strategies import patterns

from sekisho.names.word import encode, is_correct_path
from sekisho.policy.acl import PREFERENCES
from sekisho.policy.addresses import canonical_address
from sekisho.policy.conditions import OPERANDS
from sekisho.policy.edit import add_entry, ensure_acl_group, ensure_domain, ensure_namespace, in_table_order
from sekisho.policy.grammar import OPERATIONS, Operand
from sekisho.policy.model import (
    AclEntry,
    Address,
    Condition,
    Config,
    Mode,
    Name,
    Number,
    Policy,
    Profile,
    TransitionControl,
)
from sekisho.policy.numbers import canonical_number
from sekisho.policy.parse_profile import CONFIG_NAMES

encoded = st.binary(min_size=1, max_size=8).map(encode)
paths = st.binary(max_size=8).map(lambda raw: encode(b"/" + raw))
group_names = st.sampled_from(["G", "H", "\\040", "a.b"])


_FORMS = st.sampled_from(["{}", "0{:o}", "0x{:X}"])


def _range(low: str, high: str) -> str:
    first, second = sorted((canonical_number(low), canonical_number(high)), key=lambda number: number.low)
    return f"{first.text}-{second.text}"


def _numbers(values: st.SearchStrategy[int]) -> st.SearchStrategy[Number]:
    texts = st.builds(str.format, _FORMS, values)
    return (texts | st.builds(_range, texts, texts)).map(canonical_number)


numbers = _numbers(st.integers(0, 2**64 - 1) | st.integers(0, 65535))
ports = _numbers(st.integers(0, 65535))
addresses = (
    st.ip_addresses().map(str)
    | st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)).map(lambda pair: "-".join(map(str, sorted(pair))))
    | st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6)).map(lambda pair: "-".join(map(str, sorted(pair))))
).map(canonical_address)

_plain_names = (encoded | paths | patterns).filter(lambda text: text[0] != "@").map(Name)
names = _plain_names | group_names.map(lambda group: Name(f"@{group}", group))
group_numbers = group_names.map(lambda group: Number(f"@{group}", group=group))

namespaces = st.sampled_from(["<kernel>", "<kernel>", "<other>", "</bin/\\040>"])
domain_paths = paths | patterns.filter(is_correct_path)
domain_names = st.builds(
    lambda namespace, rest: " ".join([namespace, *rest]), namespaces, st.lists(domain_paths, max_size=3)
)

_strings = st.just('""') | (encoded | patterns).map(lambda text: f'"{text}"')
_numeric = st.sampled_from(sorted(OPERANDS)) | numbers.map(lambda number: number.text)
_clauses = st.one_of(
    st.tuples(_numeric, _numeric | group_numbers.map(lambda number: number.text)),
    st.tuples(st.sampled_from(["exec.realpath", "symlink.target"]), _strings | group_names.map("@{}".format)),
    st.tuples(st.integers(0, 300).map("exec.argv[{}]".format), _strings),
    st.tuples(encoded.filter(lambda name: "=" not in name).map('exec.envp["{}"]'.format), _strings | st.just("NULL")),
    st.just(("task.type", "execute_handler")),
)
conditions = st.lists(
    st.builds(lambda sides, equal: Condition(sides[0], sides[1], equal), _clauses, st.booleans()), max_size=3
).map(tuple)


def _operand(kind: Operand, group: str) -> st.SearchStrategy:
    if kind is Operand.DOMAIN:
        return domain_names.map(Name)
    if group == "env":
        return encoded.filter(lambda name: "=" not in name).map(Name)
    if group in ("handler", "denied handler"):
        return paths.map(Name)
    if kind is Operand.NAME:
        return names
    if kind is Operand.ADDRESS:
        return addresses | group_names.map(lambda name: Address(f"@{name}", group=name))
    return (ports if group.startswith("inet") else numbers) | group_numbers


@st.composite
def entries(draw: st.DrawFn) -> AclEntry:
    """Any ACL entry in canonical form."""
    group = draw(st.sampled_from(sorted({operation.group for operation in OPERATIONS.values()})))
    members = [operation for operation in OPERATIONS.values() if operation.group == group]
    operations = in_table_order(draw(st.lists(st.sampled_from(members), min_size=1)))
    operands = tuple(draw(_operand(kind, group)) for kind in operations[0].operands)
    preference = None
    if [operation.keyword for operation in operations] == ["file execute"]:
        preference = draw(st.none() | st.sampled_from(sorted(PREFERENCES)) | domain_names | domain_paths)
    grant_log = draw(st.sampled_from([None, None, True, False]))
    moves = operations[0].category != "task" and operations[0].keyword != "file execute"
    transition = draw(st.none() | domain_names | domain_paths) if moves else None
    return AclEntry(operations, operands, preference, draw(conditions), grant_log, transition)


configs = st.builds(Config, st.sampled_from(Mode), st.booleans(), st.booleans())
profiles = st.builds(
    lambda comment, audit, learning, penalty, default, others: Profile(
        comment, audit, learning, penalty, {"": default, **dict(sorted(others.items()))}
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Z"]), max_size=10),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.just(0) | st.integers(0, 2**32 - 1),
    configs,
    st.dictionaries(st.sampled_from(CONFIG_NAMES), configs, max_size=4),
)
small = st.integers(0, 255)


def _unique(items: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(items, max_size=3, unique=True)


controls = st.builds(
    TransitionControl,
    st.sampled_from(
        "initialize_domain no_initialize_domain keep_domain no_keep_domain reset_domain no_reset_domain".split()
    ),
    st.none() | domain_paths,
    st.none() | domain_paths | domain_names,
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A policy as reading its text makes it: no empty groups, entries merged."""
    policy = Policy(manage_by_non_root=draw(st.booleans()))
    policy.managers = draw(_unique(paths | domain_names))
    for name in draw(st.lists(namespaces, max_size=2)):
        namespace = ensure_namespace(policy, name)
        namespace.profiles = draw(st.dictionaries(small, profiles, max_size=2))
        namespace.transitions = draw(_unique(controls))
        namespace.aggregators = draw(_unique(st.tuples(encoded | patterns, paths)))
        namespace.path_groups = draw(_members(encoded.map(Name) | patterns.map(Name)))
        namespace.number_groups = draw(_members(numbers))
        namespace.address_groups = draw(_members(addresses))
        namespace.denied_ports = draw(_unique(ports))
        for number, entry in draw(st.lists(st.tuples(small, entries()), max_size=3)):
            add_entry(ensure_acl_group(namespace, number), entry)
    for name in draw(st.lists(domain_names, max_size=2)):
        domain = ensure_domain(policy, name)
        domain.profile = draw(small)
        domain.groups = draw(st.sets(small, max_size=2))
        domain.quota_exceeded, domain.transition_failed = draw(st.booleans()), draw(st.booleans())
        for entry in draw(st.lists(entries(), max_size=4)):
            add_entry(domain, entry)
    return policy


def _members(items: st.SearchStrategy) -> st.SearchStrategy:
    return st.dictionaries(group_names, st.lists(items, min_size=1, max_size=3, unique=True), max_size=2)


def facts(policy: Policy) -> object:
    """Everything a policy says, as a value that can be compared."""
    return (
        [
            (d.name, d.profile, sorted(d.groups), d.quota_exceeded, d.transition_failed, d.entries)
            for d in policy.domains.values()
        ],
        [
            (
                n.name,
                n.profile_version,
                n.profiles,
                n.transitions,
                n.aggregators,
                n.path_groups,
                n.number_groups,
                n.address_groups,
                n.denied_ports,
                {number: holder.entries for number, holder in n.acl_groups.items()},
            )
            for n in policy.namespaces.values()
        ],
        policy.managers,
        policy.manage_by_non_root,
    )
