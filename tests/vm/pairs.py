"""Random policies and requests, in batches that the guest asks the kernel about (tests/vm/guest/decide.py)."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from tests.vm.asked import MAKERS, Request, text
from tests.vm.conditions import Subject, conditions
from tests.vm.words import Words

from sekisho.errors import PolicyError
from sekisho.names.word import encode
from sekisho.policy.acl import parse_acl
from sekisho.policy.grammar import NUMERIC, OPERATIONS, Operand

TREE: Final = b"/oracle"
FAMILIES: Final = {
    "files": (
        "file::open file::getattr file::unlink file::rmdir file::truncate file::symlink file::create file::mkdir "
        "file::mkfifo file::mksock file::mkblock file::mkchar file::link file::rename file::chmod file::chown "
        "file::chgrp"
    ),
    "ioctl": "file::ioctl",
    "mounts": "file::chroot file::mount file::unmount file::pivot_root",
    "network": (
        "network::inet_stream_bind network::inet_stream_connect network::inet_dgram_bind network::inet_dgram_send "
        "network::inet_raw_bind network::inet_raw_send network::unix_stream_bind network::unix_stream_connect "
        "network::unix_dgram_bind network::unix_dgram_send network::unix_seqpacket_bind network::unix_seqpacket_connect"
    ),
    "listen": "network::inet_stream_listen network::unix_stream_listen network::unix_seqpacket_listen",
    "execute": "file::execute",
    "environment": "misc::env",
    "transitions": "",
}
"""What each family of batches holds a domain to; everything else is disabled there."""

SHARES: Final = {
    "files": 30, "ioctl": 4, "mounts": 6, "network": 26, "listen": 4, "execute": 14, "environment": 10, "transitions": 6
}  # fmt: skip
"""Of a hundred requests, so many."""
AT_ONCE: Final = {"execute": 25, "environment": 25}
"""Requests in a batch, where not a hundred: few entries at a time, so that not all is granted by some pattern."""


def batches(seed: int, hundreds: int) -> list[dict[str, Any]]:
    """``hundreds`` times a hundred requests, the same for the same ``seed``."""
    made: list[dict[str, Any]] = []
    for family, share in SHARES.items():
        for number in range(max(1, share * hundreds // AT_ONCE.get(family, 100))):
            made.append(Batch(Random(f"{seed} {family} {number}"), family, len(made)).json())
    return made


class Batch:
    """One domain, its policy, and what is asked in it."""

    def __init__(self, chance: Random, family: str, serial: int) -> None:
        """All of it is made."""
        self.chance, self.family = chance, family
        self.words = Words(chance, serial)
        self.domain = f"<kernel> /oracle/domain{serial}"
        self.ids = {kind: [chance.choice((0, 1, 1000, 65534)) for _ in range(4)] for kind in ("uid", "gid")}
        self.files: list[list[Any]] = []
        self.entries: list[str] = []
        self.exception: list[str] = []
        self.shared: list[str] = []
        self.make_files()
        if family == "execute":
            self.control()
        self.requests = [self.request() for _ in range(AT_ONCE.get(family, 100))]

    def json(self) -> dict[str, Any]:
        """As the guest takes it."""
        modes = [f"9-CONFIG::{name}={{ mode=enforcing }}" for name in FAMILIES[self.family].split()]
        use_default = "9-CONFIG={ mode=disabled grant_log=yes reject_log=yes }"
        others = sorted({name for names in FAMILIES.values() for name in names.split()})
        reset = [f"9-CONFIG::{name}={{ mode=disabled }}" for name in others]
        header = ["PROFILE_VERSION=20150505", "0-CONFIG={ mode=disabled }"]
        header.append("9-PREFERENCE={ max_audit_log=100000 max_learning_entry=100000 }")
        lines = [self.domain, "use_profile 9", "use_group 7", *self.entries]
        groups = [f"acl_group 7 {entry}" for entry in self.shared]
        return {
            "family": self.family, "ids": self.ids, "domain": self.domain, "files": self.files,
            "requests": self.requests, "domain_policy": lines, "profile": [*header, use_default, *reset, *modes],
            "exception": [*self.words.groups, *self.exception, *groups],
        }  # fmt: skip

    def make_files(self) -> None:
        """A little tree with files of every kind and owner."""
        directories = [TREE]
        for number in range(12):
            directories.append(self.chance.choice(directories[-3:]) + b"/" + self.words.component() + b"%d" % number)
            self.file(directories[-1], "directory")
        self.directories = directories
        self.existing: dict[bytes, str] = {}
        kinds = ("file", "file", "file", "fifo", "socket", "char", "block", "program", "program", "script")
        for number in range(60):
            path = self.chance.choice(directories) + b"/" + self.words.component() + b".%d" % number
            kind = self.chance.choice(kinds)
            if self.chance.random() < 0.1 and self.existing:
                kind = "->" + text(self.chance.choice(list(self.existing)))
            self.existing[path] = kind
            self.file(path, kind)
        self.existing |= dict.fromkeys(directories[1:], "directory")

    def file(self, path: bytes, kind: str) -> list[Any]:
        """What makes a file of ``kind``."""
        mode = self.chance.choice((0o755, 0o644, 0o4755, 0o2711, 0o1777, 0o600, 0o751))
        made = [text(path), kind, mode | 0o111 if kind in ("program", "script") else mode]
        self.files.append(made + [self.chance.choice((0, 1, 1000, 65534)) for _ in "ug"])
        return self.files[-1]

    def some(self, *kinds: str) -> bytes:
        """An existing file of one of ``kinds``; any but links where none is named."""
        fitting = [path for path, kind in self.existing.items() if (kind in kinds if kinds else kind[0] != "-")]
        return self.chance.choice(fitting) if fitting else self.chance.choice(self.directories[1:])

    def new(self) -> bytes:
        """A name that is free."""
        return (
            self.chance.choice(self.directories) + b"/" + self.words.component() + b"-new%d" % self.chance.randrange(99)
        )

    def word(self, path: bytes, *, directory: bool = False) -> str:
        """The canonical name of what is, or will be, at ``path``."""
        return encode(path + b"/" if directory or self.existing.get(path) == "directory" else path)

    def request(self) -> Request:
        """A request of the batch's family; the policy has entries that may grant it."""
        made: Request = MAKERS[self.family](self)
        operation = OPERATIONS[made["operation"]]
        subject = Subject(self.ids, made, operation)
        for _ in range(self.chance.choice((0, 1, 1, 1, 2, 3))):
            into = self.entries if self.chance.random() < 0.85 else self.shared
            line = self.entry(operation.keyword, made["words"]) + conditions(self.words, subject)
            try:
                parse_acl(line)
            except PolicyError:
                continue
            into.append(line)
        return made

    def entry(self, keyword: str, words: list[Any]) -> str:
        """An entry that may grant ``words``."""
        operation = OPERATIONS[keyword]
        joined = keyword
        if self.chance.random() < 0.2:
            fellows = [each.keyword.split(" ")[-1] for each in OPERATIONS.values() if each.group == operation.group]
            kept = [each for each in fellows if each not in ("accept", "recv")]
            joined = (
                keyword.rpartition(" ")[0]
                + " "
                + "/".join(dict.fromkeys([keyword.split(" ")[-1], *self.chance.sample(kept, 1)]))
            )
        parts = [joined]
        for kind, word in zip(operation.operands, words, strict=True):
            if kind in NUMERIC:
                most = 65535 if operation.group.startswith("inet") else 2**32
                parts.append(self.words.number(word, most=most))
            elif kind is Operand.ADDRESS:
                parts.append(self.words.address(word))
            elif kind is Operand.DOMAIN:
                parts.append(word if self.chance.random() < 0.8 else word + " /x")
            else:
                parts.append(self.words.name(word, groups=operation.group != "env"))
        if joined == "file execute" and self.chance.random() < 0.3:
            chosen = "keep child initialize reset parent".split() + ["<kernel> /oracle/elsewhere", "/oracle/alias"]
            parts.append(self.chance.choice(chosen))
        return " ".join(parts)

    def control(self) -> None:
        """The exception policy says where programs go."""
        for _ in range(self.chance.randrange(5)):
            program = self.chance.choice(("any", self.word(self.some("program", "script")), "/oracle/alias"))
            domain = self.chance.choice(
                ("any", self.domain, "/oracle/domain", "<kernel> /other", self.domain.split()[-1])
            )
            kind = self.chance.choice(("initialize", "initialize", "keep", "keep", "reset"))
            no = self.chance.choice(("", "", "no_"))
            self.exception.append(f"{no}{kind}_domain {program} from {domain}")
        if self.chance.random() < 0.5:
            name = self.word(self.some("program", "script"))
            self.exception.append(f"aggregator {self.words.pattern(name)} /oracle/alias")
