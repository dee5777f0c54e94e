"""An audit record as TOMOYO writes it: a line of facts, the domain, the request (spec g.6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sekisho.audit.values import Image, Record
from sekisho.decide.request import Inode

_TASK: Final = ("pid", "ppid", "uid", "gid", "euid", "egid", "suid", "sgid", "fsuid", "fsgid")


def format_text(record: Record) -> str:
    """The record's three lines, each ended by a newline. Times are UTC."""
    time = datetime.fromtimestamp(int(record.time), UTC)
    task = " ".join(f"{name}={getattr(record.task, name)}" for name in _TASK)
    if record.task.execute_handler:
        task += " type=execute_handler"
    facts = [
        f"#{time:%Y/%m/%d %H:%M:%S}# profile={record.profile} mode={record.mode.word}",
        f"granted={'yes' if record.granted else 'no'} (global-pid={record.task.global_pid}) task={{ {task} }}",
    ]
    for name, inode in (("path1", record.path1), ("path2", record.path2)):
        if inode is not None:
            facts.append(f"{name}={{ {_object(inode)} }}")
        parent = record.path1_parent if name == "path1" else record.path2_parent
        if parent is not None:
            facts.append(
                f"{name}.parent={{ uid={parent.uid} gid={parent.gid} ino={parent.ino} perm=0{parent.perm:o} }}"
            )
    if record.execution is not None:
        facts.append(f"exec={{ {_image(record.execution)} }}")
    elif record.symlink_target is not None:
        facts.append(f'symlink.target="{record.symlink_target}"')
    return f"{' '.join(facts)}\n{record.domain}\n{record.acl}\n"


def _object(inode: Inode) -> str:
    text = (
        f"uid={inode.uid} gid={inode.gid} ino={inode.ino} major={inode.major} minor={inode.minor} "
        f"perm=0{inode.perm:o} type={inode.type}"
    )
    if inode.dev_major is not None and inode.dev_minor is not None:
        text += f" dev_major={inode.dev_major} dev_minor={inode.dev_minor}"
    return text


def _image(image: Image) -> str:
    argv, envp = _words(image.argv, image.argc), _words(image.envp, image.envc)
    return f'realpath="{image.realpath}" argc={image.argc} envc={image.envc} argv[]={{ {argv}}} envp[]={{ {envp}}}'


def _words(words: tuple[str, ...], count: int) -> str:
    quoted = "".join(f'"{word}" ' for word in words)
    return quoted if len(words) == count else f"{quoted}... "
