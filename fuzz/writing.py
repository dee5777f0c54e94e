"""Any bytes written to any interface file, in any pieces: errors are the protocol's, and pieces make no difference."""

from __future__ import annotations

import errno

from fuzz.vocabulary import TODAY, golden
from tests.interface.stage import MANAGER, STRANGER, Stage

from sekisho.interface.files import KINDS
from sekisho.interface.handle import Handle
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy, parse_manager, parse_profile
from sekisho.policy.printer import print_domain_policy, print_exception_policy, print_manager, print_profile

WORDS = (
    *TODAY, "\xff", "select pid=10\n", "select Q=1\n", "select transition_only\n", "A1=1\n", "global-pid 10\n",
    "info 10\n", "Memory used by audit log: 1\n", "manage_by_non_root\n",
)  # fmt: skip
_FILES = tuple(KINDS)
SEEDS = tuple(
    bytes([_FILES.index(name)]) + text for name in ("domain_policy", "exception_policy", "profile", "manager")
    for text in golden(name)
) + (b"\x00A1=1\n", b"\x07" + b"10\n", b"\x09<kernel> /bin/x\n")  # fmt: skip
_ALLOWED = {errno.EPERM, errno.EINVAL, errno.ENOMEM, errno.ENOENT}


def one(data: bytes) -> None:
    """The first byte chooses the file; 0xff ends a write, and an empty one is a read."""
    name = _FILES[data[0] % len(_FILES)] if data else "domain_policy"
    pieces = data[1:].split(b"\xff")
    first, second = _stage(), _stage()
    read = _run(first.open(name), pieces)
    _run(second.open(name), [b"".join(pieces)])
    printed = _printed(first.policy)
    assert printed == _printed(second.policy)
    assert len(read) < 1 << 24
    stranger = _stage()
    before = _printed(stranger.policy)
    _run(stranger.open(name), pieces, stranger=True)
    assert name == "self_domain" or _printed(stranger.policy) == before
    again = Policy()
    parse_profile(printed[2], again)
    parse_exception_policy(printed[1], again)
    parse_domain_policy(printed[0], again)
    parse_manager(printed[3], again)
    assert _printed(again) == printed


def _stage() -> Stage:
    stage = Stage()
    domain = stage.put(10, "<kernel> /bin/x", "/sbin/manager")
    stage.questions.ask(1, "file read /x", domain)
    stage.audit.put("file read /x")
    return stage


def _printed(policy: Policy) -> tuple[str, str, str, str]:
    return print_domain_policy(policy), print_exception_policy(policy), print_profile(policy), print_manager(policy)


def _run(handle: Handle, pieces: list[bytes], *, stranger: bool = False) -> bytes:
    caller = STRANGER if stranger else MANAGER
    read = b""
    for number, piece in enumerate(pieces):
        try:
            if piece:
                assert handle.write(caller, piece) == len(piece)
            else:
                read += handle.read(caller, number * 7 + 1)
            handle.ready()
        except OSError as error:
            assert error.errno in _ALLOWED, error
    for _ in range(50):
        try:
            read += handle.read(caller, 65536)
        except OSError as error:
            assert error.errno in _ALLOWED, error
    handle.close()
    return read
