"""Policy files of older versions, read from wherever they are; a directory of converted ones, written whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from sekisho.convert.remark import Fate, Remark
from sekisho.convert.whole import KINDS, Source, kind_of
from sekisho.errors import UserError
from sekisho.store import files
from sekisho.store.defaults import KERNEL_DOMAIN, MANAGERS, profiles

_QUOTAS: Final = ("meminfo.conf", "meminfo", "stat.conf", "stat")


def default_texts() -> dict[str, str]:
    """What each kind of file is where there is nothing to convert it from."""
    return {
        "profile": profiles(),
        "exception_policy": "",
        "domain_policy": KERNEL_DOMAIN,
        "manager": MANAGERS,
    }


def read_sources(paths: Iterable[str]) -> tuple[list[Source], list[Remark]]:
    """The policy files that ``paths`` name, directories searched, and what of those isn't read."""
    sources: dict[str, Source] = {}
    remarks: list[Remark] = []
    for path in map(Path, paths):
        found = _in_directory(path, remarks) if path.is_dir() else [path]
        for file in found:
            text = _text(file)
            kind = kind_of(file.name, text)
            if kind in sources:
                hint = "convert one policy at a time"
                raise UserError(f"{file} and {sources[kind].name} are both {kind} files", hint)
            sources[kind] = Source(kind, str(file), text)
    return list(sources.values()), remarks


def write_directory(path: Path, texts: Mapping[str, str]) -> None:
    """``path`` is a policy directory with these files (names without ``.conf``); on an error there is nothing.

    Raises:
        UserError: it isn't empty, or can't be written.
    """
    path = Path(os.path.abspath(path))
    try:
        if path.is_symlink() or (path.exists() and any(path.iterdir())):
            raise UserError(f"{path} isn't empty", "name a directory that isn't there yet, nothing was changed")
        fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise UserError(f"cannot make {path}: {error.strerror}", "choose another directory with -o") from None
    try:
        with files.opened(fresh) as fd:
            for name, text in texts.items():
                files.replace(fd, fresh, f"{name}.conf", text)
        os.rename(fresh, path)
    except BaseException as error:
        shutil.rmtree(fresh, ignore_errors=True)
        if isinstance(error, OSError):
            raise UserError(f"cannot make {path}: {error.strerror}", "choose another directory with -o") from None
        raise


def _in_directory(directory: Path, remarks: list[Remark]) -> list[Path]:
    found = []
    for kind in KINDS:
        candidates = [directory / f"{kind}.conf", directory / kind]
        present = [path for path in candidates if path.is_file()]
        found += present[:1]
        for path in present[1:]:
            reason = f"{present[0]} is read"
            remarks.append(Remark(str(path), 0, Fate.LEFT_OUT, "the file", reason, "name it to have it converted"))
    if not found:
        raise UserError(f"{directory} has no policy files", f"they are called {' '.join(f'{k}.conf' for k in KINDS)}")
    for name in _QUOTAS:
        if (directory / name).is_file():
            reason = "memory quotas and counters aren't carried over"
            remarks.append(Remark(str(directory / name), 0, Fate.LEFT_OUT, "the file", reason))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("ascii", "surrogateescape")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
