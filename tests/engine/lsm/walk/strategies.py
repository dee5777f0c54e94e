"""Policies and requests that use everything the language has, of so few words that they often meet."""

from __future__ import annotations

from hypothesis import strategies as st
from tests.decide.support import inode

from sekisho.decide.request import Execution, Facts, FileType, Request, Task
from sekisho.engine.lsm import layout
from sekisho.policy.acl import PREFERENCES, parse_acl
from sekisho.policy.addresses import canonical_address
from sekisho.policy.conditions import MODE_BITS, TYPES
from sekisho.policy.edit import add_entry, ensure_acl_group, ensure_domain, ensure_namespace
from sekisho.policy.grammar import CAPABILITIES, OPERATIONS, Operand
from sekisho.policy.model import Config, Mode, Name, Policy, Profile, TransitionControl
from sekisho.policy.numbers import canonical_number

NAMES = ["/a", "/b", "/tmp/a", "/tmp/ab", "/tmp/a/b", "/tmp/1", "/tmp/", "proc:/1/stat", "/tmp/a\\040b", "A", "\\000x"]
PATTERNS = ["/\\*", "/tmp/\\*", "/tmp/a\\*", "/tmp/\\$", "/\\?", "/\\{\\*\\}/b", "proc:/\\$/stat", "/tmp/\\*/",
            "/tmp/\\*\\-a\\*", "/tmp/\\@", "\\000\\*", "\\?"]  # fmt: skip
GROUPS = ["@G", "@H", "@EMPTY"]
NUMBERS = ["0", "1", "7", "0644", "0x10", "0600-0644", "0-7", "8-18446744073709551615", "0-18446744073709551615",
           "@N", "@M", "@EMPTY"]  # fmt: skip
PORTS = ["0", "80", "1-100", "443", "0-65535", "@N", "@EMPTY"]
ADDRESSES = ["127.0.0.1", "::1", "10.0.0.7", "10.0.0.0-10.0.0.9", "10.0.0.5-10.0.1.0", "::-::2", "0.0.0.0", "@A", "@B",
             "@EMPTY", "0.0.0.0-255.255.255.255", "::7f00:1"]  # fmt: skip
DOMAINS = ["<kernel>", "<kernel> /a", "<kernel> /ab", "<kernel> /a /b", "<kernel> /a /b /c", "<a>", "<kernel> /\\*"]
WHERE = ["/b", "/\\*", "<kernel> /a", "<a> /b"]

name_words = st.sampled_from(NAMES[:4] * 3 + NAMES + PATTERNS + GROUPS * 2)
numbers = st.sampled_from(NUMBERS)

_facts = [f"task.{name}" for name in ("uid", "gid", "euid", "pid", "ppid")]
_facts += ["exec.argc", "exec.envc", "path1.uid", "path1.perm", "path1.type", "path1.dev_major", "path1.parent.perm",
           "path2.ino", "path2.perm", "path2.parent.uid", "path2.parent.perm", "path1.major"]  # fmt: skip
_constants = [*sorted(TYPES), *sorted(MODE_BITS), "0", "1", "0-10", "0644", "10", "1000", "0100000"]
_side = st.sampled_from(_facts * 3 + _constants)
_texts = ["/a", "/\\*", "/tmp/a\\*", "", "a", "\\*", "a=b", "/tmp/\\*/"]
_text = st.sampled_from(_texts).map('"{}"'.format)
_equal = st.sampled_from(["=", "!="])
clauses = st.one_of(
    st.builds("{}{}{}".format, _side, _equal, _side | st.sampled_from(["@N", "@M", "@EMPTY"])),
    st.builds("{}{}{}".format, st.sampled_from(["exec.realpath", "symlink.target"]), _equal, _text),
    st.builds("{}{}{}".format, st.sampled_from(["exec.realpath", "symlink.target"]), _equal, st.sampled_from(GROUPS)),
    st.builds("exec.argv[{}]{}{}".format, st.integers(0, 3), _equal, _text),
    st.builds(
        'exec.envp["{}"]{}{}'.format,
        st.sampled_from(["A", "AB", "\\*", "a\\040b"]),
        _equal,
        _text | st.just("NULL"),
    ),
    st.builds("task.type{}execute_handler".format, _equal),
)
_conditions = st.sampled_from([0, 0, 0, 1, 1, 2]).flatmap(
    lambda number: st.lists(clauses, min_size=number, max_size=number).map(" ".join)
)
_logs = st.sampled_from(["", "", "", "", " grant_log=yes", " grant_log=no"])


@st.composite
def lines(draw: st.DrawFn, keywords: st.SearchStrategy[str]) -> str:
    """An entry as text, for one of the keywords and maybe more operations."""
    keyword = draw(keywords)
    operation = OPERATIONS[keyword]
    words = [keyword]
    if keyword.startswith("file ") and keyword != "file execute" and draw(st.booleans()):
        others = [row.keyword for row in OPERATIONS.values() if row.group == operation.group and row.keyword != keyword]
        if others:
            words = [f"{keyword}/{draw(st.sampled_from(others)).removeprefix('file ')}"]
    for kind in operation.operands:
        words.append(draw(_operand(kind, keyword)))
    if keyword == "file execute":
        words.append(draw(st.sampled_from(["", "", *sorted(PREFERENCES), "/p", "<kernel> /a", "/\\*"])))
    words.append(draw(_conditions))
    text = " ".join(word for word in words if word) + draw(_logs)
    if operation.category != "task" and "file execute" not in text and "/execute" not in text and draw(_rarely):
        text += f' auto_domain_transition="{draw(st.sampled_from(WHERE))}"'
    return text


_rarely = st.integers(0, 9).map(lambda number: number == 0)
_often = ["file read", "file read", "file write", "file execute", "file execute", "file rename", "file create",
          "file mkchar", "file mount", "network inet stream connect", "network inet stream connect",
          "network inet stream bind", "ipc signal", "ipc ptrace", f"capability {CAPABILITIES[0]}",
          "task manual_domain_transition", "misc env"]  # fmt: skip
_keywords = st.sampled_from(_often * 4 + list(OPERATIONS))
few_keywords = st.lists(_keywords, min_size=1, max_size=3).map(st.sampled_from)
"""A strategy for keywords, of which there are so few that entries and requests meet."""


def _operand(kind: Operand, keyword: str) -> st.SearchStrategy[str]:
    if keyword == "misc env":
        return st.sampled_from(["A", "AB", "\\*", "\\?"])
    if keyword.endswith("_handler"):
        return st.sampled_from(["/a", "/h"])
    if kind is Operand.NAME:
        return name_words
    if kind is Operand.DOMAIN:
        return st.sampled_from(DOMAINS)
    if kind is Operand.ADDRESS:
        return st.sampled_from(["10.0.0.7", "127.0.0.1"] * 4 + ADDRESSES)
    return st.sampled_from(["80"] * 5 + PORTS) if keyword.startswith("network inet") else numbers


_members = st.lists(st.sampled_from(NAMES + PATTERNS), max_size=4, unique=True).map(
    lambda texts: [Name(text) for text in texts]
)
_number_members = st.lists(st.sampled_from(NUMBERS[:9]), max_size=3, unique=True).map(
    lambda texts: [canonical_number(text) for text in texts]
)
_address_members = st.lists(
    st.sampled_from([text for text in ADDRESSES if text[0] != "@"]), max_size=3, unique=True
).map(lambda texts: [canonical_address(text) for text in texts])
_configs = st.builds(
    Config, st.sampled_from([*Mode, Mode.ENFORCING, Mode.ENFORCING]), st.booleans(), st.booleans()
)  # fmt: skip
_controls = st.builds(
    TransitionControl,
    st.sampled_from(
        "initialize_domain no_initialize_domain keep_domain no_keep_domain reset_domain no_reset_domain".split()
    ),
    st.none() | st.sampled_from(["/a", "/b", "/\\*"]),
    st.none() | st.sampled_from(["/a", "/b", "/\\*", *DOMAINS]),
)
DOMAIN = "<kernel> /a"


@st.composite
def policies(draw: st.DrawFn, keywords: st.SearchStrategy[str] = _keywords) -> Policy:
    """A policy whose domain DOMAIN has entries and groups."""
    policy = Policy()
    namespace = ensure_namespace(policy, "<kernel>")
    ensure_namespace(policy, "<a>")
    namespace.path_groups = {"G": draw(_members), "H": draw(_members)}
    namespace.number_groups = {"N": draw(_number_members), "M": draw(_number_members)}
    namespace.address_groups = {"A": draw(_address_members), "B": draw(_address_members)}
    namespace.transitions = draw(st.lists(_controls, max_size=4, unique=True))
    namespace.aggregators = draw(
        st.lists(st.tuples(st.sampled_from(NAMES + PATTERNS), st.sampled_from(["/a", "/b", "/c"])), max_size=4)
    )
    configs = {"": draw(_configs), "file::execute": draw(_configs)}
    namespace.profiles[3] = Profile(enforcing_penalty=draw(st.integers(0, 3)), configs=configs)
    policy.forced_mode = draw(st.sampled_from([None, None, None, Mode.PERMISSIVE]))
    domain = ensure_domain(policy, DOMAIN)
    domain.profile = draw(st.sampled_from([3, 3, 3, 3, 4]))
    domain.chosen = draw(st.booleans())
    for line in draw(st.lists(lines(keywords), min_size=2, max_size=8)):
        add_entry(domain, parse_acl(line))
    for number in (0, 5):
        if draw(st.booleans()):
            domain.groups.add(number)
        for line in draw(st.lists(lines(keywords), max_size=3)):
            add_entry(ensure_acl_group(namespace, number), parse_acl(line))
    return policy


_inodes = st.none() | st.builds(
    lambda uid, perm, kind, device: inode(uid=uid, perm=perm, type=kind, dev_major=device),
    st.sampled_from([0, 10, 1000]),
    st.sampled_from([0o644, 0o4755, 0]),
    st.sampled_from(FileType),
    st.none() | st.integers(0, 10),
)
_strings = [b"", b"a", b"/a", b"/tmp/ab", b"A=", b"A=a", b"A=/a", b"A=/tmp/x/", b"AB=a", b"A", b"a b=a", b"A=a=b"]
_execution = st.builds(
    Execution,
    st.sampled_from([name for name in NAMES if name[0] == "/"]),
    st.lists(st.sampled_from(_strings), max_size=3).map(tuple),
    st.lists(st.sampled_from(_strings), max_size=3).map(tuple),
)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Facts with any of the objects that there may be."""
    result = Facts()
    number = st.sampled_from([0, 1, 1000])
    result.task = Task(
        pid=100,
        ppid=draw(number),
        uid=draw(number),
        gid=draw(number),
        euid=draw(number),
        execute_handler=draw(st.booleans()),
    )
    for name in ("path1", "path1_parent", "path2", "path2_parent"):
        setattr(result, name, draw(_inodes))
    result.execution = draw(st.none() | _execution)
    result.symlink_target = draw(st.none() | st.sampled_from(NAMES))
    return result


_asked_addresses = st.sampled_from(
    ["127.0.0.1", "10.0.0.7", "127.0.0.1", "::1", "10.0.0.7", "10.0.0.9", "::7f00:1", "10.0.0.10"]
)
_asked_ports = st.sampled_from([0, 80, 80, 80, 443])
_asked_numbers = st.sampled_from([0, 1, 7, 0o644, 0o640, 16, 2**64 - 1])


@st.composite
def requests(draw: st.DrawFn, keywords: st.SearchStrategy[str] = _keywords) -> Request:
    """Any request."""
    keyword = draw(keywords)
    arguments: list[str | int] = []
    inet = keyword.startswith("network inet")
    for kind in OPERATIONS[keyword].operands:
        if kind is Operand.NAME:
            names = ["A", "AB", "C"] if keyword == "misc env" else [*NAMES[:4] * 3, *NAMES, "/c", "/tmp/2", "/tmp/abc"]
            arguments.append(draw(st.sampled_from(names)))
        elif kind is Operand.DOMAIN:
            arguments.append(draw(st.sampled_from([*DOMAINS, "<kernel> /z", "<a> /a"])))
        elif kind is Operand.ADDRESS:
            arguments.append(
                draw(st.sampled_from(["127.0.0.1", "::1", "10.0.0.7", "10.0.0.9", "::7f00:1", "10.0.0.10"]))
            )
        else:
            arguments.append(
                draw(st.sampled_from([0, 80, 80, 80, 443] if inet else [0, 1, 7, 0o644, 0o640, 16, 2**64 - 1]))
            )
    ignore = keyword == "file mount" and draw(st.booleans())
    return Request(OPERATIONS[keyword], tuple(arguments), draw(facts()), ignore)


@st.composite
def cases(
    draw: st.DrawFn, sets: st.SearchStrategy[st.SearchStrategy[str]] = few_keywords
) -> tuple[Policy, list[Request]]:
    """A policy, and requests that are about what it is about; the keywords of both come from one of ``sets``."""
    keywords = draw(sets)
    policy = draw(policies(keywords))
    asked = draw(st.lists(requests(keywords), min_size=1, max_size=12))
    return policy, [request for request in asked if layout.FAMILY_OF[request.operation.keyword] is not layout.STANDING]
