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
)
_facts = st.sampled_from([facts(), facts(path1=inode()), facts(path1=inode(uid=11))])

requests = st.builds(request, _texts, _facts)
