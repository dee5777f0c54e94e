"""Entries and requests from so few words that they often meet."""

from __future__ import annotations

from hypothesis import strategies as st
from tests.decide.support import facts, inode, request

CHANGES = ["add", "add to group", "delete", "delete first"]

_NAMES = ["/a", "/b", "/tmp/a", "/tmp/ab", "/tmp/a/b", "/tmp/1", "/tmp/", "proc:/1/stat"]
_PATTERNS = [
    "/\\*",
    "/tmp/\\*",
    "/tmp/a\\*",
    "/tmp/\\$",
    "/\\?",
    "/\\{\\*\\}/b",
    "proc:/\\$/stat",
    "/tmp/\\*/",
    "@G",
    "@EMPTY",
]
_ADDRESSES = ["127.0.0.1", "::1", "10.0.0.7"]
_CONDITIONS = [
    "",
    "",
    "",
    " task.uid=1000",
    " task.uid=0",
    " path1.uid=10",
    " path1.uid!=10 task.gid=1001",
    " grant_log=no",
]

members = st.sampled_from([*_NAMES, *(text for text in _PATTERNS if text[0] != "@")])
_operand = st.sampled_from(_NAMES + _PATTERNS)
_number = st.sampled_from(["0644", "0600-0644", "1", "0-7"])
_flags = st.sampled_from(["0x0", "0-7"])
_condition = st.sampled_from(_CONDITIONS)

_DOMAINS = ["<kernel>", "<kernel> /a", "<kernel> /ab", "<kernel> /a /b", "<kernel> /a /b /c", "<a>"]
_domain = st.sampled_from(_DOMAINS)
_signal = st.sampled_from(["9", "15", "1-9", "0x9", "@SIGNALS"])
_capability = st.sampled_from(["SYS_TIME", "use_bpf"])

entries = st.one_of(
    st.builds(
        "file {} {}{}".format, st.sampled_from(["read", "read/getattr", "execute", "unlink"]), _operand, _condition
    ),
    st.builds(
        "file {} {} {}{}".format, st.sampled_from(["rename", "link", "link/rename"]), _operand, _operand, _condition
    ),
    st.builds("file {} {} {}{}".format, st.sampled_from(["create", "mkdir", "chmod"]), _operand, _number, _condition),
    st.builds("file mkchar {} {} {} {}{}".format, _operand, _number, _number, _number, _condition),
    st.builds("file mount {} {} tmpfs {}{}".format, _operand, _operand, _flags, _condition),
    st.builds(
        "network inet stream {} {} {}{}".format,
        st.sampled_from(["bind", "connect", "bind/connect"]),
        st.sampled_from([*_ADDRESSES, "10.0.0.0-10.0.0.9", "::-::2", "@NONE"]),
        st.sampled_from(["80", "1-100"]),
        st.sampled_from(["", " task.uid=0", " task.uid=1000"]),
    ),
    st.builds("misc env {}".format, st.sampled_from(["A", "AB", "\\*", "A\\?"])),
    st.builds("ipc signal {} {}{}".format, _signal, _domain, _condition),
    st.builds("ipc {} {}{}".format, st.sampled_from(["ptrace", "read_memory/ptrace"]), _domain, _condition),
    st.builds("capability {}{}".format, _capability, _condition),
    st.builds("network unix stream {} {}".format, st.sampled_from(["accept", "connect/accept"]), _operand),
    st.builds(
        "network inet dgram recv {} {}".format,
        st.sampled_from([*_ADDRESSES, "::-::2"]),
        st.sampled_from(["80", "0-99"]),
    ),
    st.builds('file getattr {} auto_domain_transition="{}"'.format, _operand, st.sampled_from(["/b", "<kernel> /c"])),
)
"""Entries as text."""

_name = st.sampled_from(_NAMES)
_asked_number = st.sampled_from(["0644", "0600", "1", "0"])
_texts = st.one_of(
    st.builds("file {} {}".format, st.sampled_from(["read", "getattr", "execute", "unlink"]), _name),
    st.builds("file {} {} {}".format, st.sampled_from(["rename", "link"]), _name, _name),
    st.builds("file {} {} {}".format, st.sampled_from(["create", "mkdir", "chmod"]), _name, _asked_number),
    st.builds("file mkchar {} {} {} {}".format, _name, _asked_number, _asked_number, _asked_number),
    st.builds("file mount {} {} tmpfs {}".format, _name, _name, st.sampled_from(["0x0", "0x1"])),
    st.builds(
        "network inet stream {} {} {}".format,
        st.sampled_from(["bind", "connect"]),
        st.sampled_from(_ADDRESSES),
        st.sampled_from(["80", "443"]),
    ),
    st.builds("misc env {}".format, st.sampled_from(["A", "AB", "C"])),
    st.builds("ipc signal {} {}".format, st.sampled_from([9, 15]), _domain),
    st.builds("ipc {} {}".format, st.sampled_from(["ptrace", "read_memory"]), _domain),
    st.builds("capability {}".format, _capability),
    st.builds("network unix stream {} {}".format, st.sampled_from(["accept", "connect"]), _name),
    st.builds("network inet dgram recv {} {}".format, st.sampled_from(_ADDRESSES), st.sampled_from(["80", "443"])),
)
_facts = st.sampled_from([facts(), facts(path1=inode()), facts(path1=inode(uid=11))])

requests = st.builds(request, _texts, _facts)
