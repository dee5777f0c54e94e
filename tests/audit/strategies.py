"""Audit records of any kind."""

from __future__ import annotations

from hypothesis import strategies as st

from sekisho.audit.values import Image, Record
from sekisho.decide.request import FileType, Inode, Task
from sekisho.policy.model import Mode

_number = st.integers(0, 2**32)
_word = st.sampled_from(["a", "x\\040y", "\\\\", "K=V", "\\377"])
_words = st.lists(_word, max_size=3).map(tuple)
_inode = st.none() | st.builds(
    Inode, _number, _number, _number, _number, _number, st.integers(0, 0o7777), st.sampled_from(FileType),
    st.none() | _number, st.none() | _number,
)  # fmt: skip

records = st.builds(
    Record,
    time=st.floats(0, 4e9),
    profile=st.integers(0, 255),
    mode=st.sampled_from(Mode),
    granted=st.booleans(),
    domain=st.sampled_from(["<kernel>", "<kernel> /bin/sh"]),
    acl=st.sampled_from(["file read /a", "quota_exceeded"]),
    task=st.builds(Task, *[_number] * 11, st.booleans()),
    path1=_inode,
    path1_parent=_inode,
    path2=_inode,
    path2_parent=_inode,
    execution=st.none() | st.builds(Image, _word, _number, _number, _words, _words),
    symlink_target=st.none() | _word,
)
