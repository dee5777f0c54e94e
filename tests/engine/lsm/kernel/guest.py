"""Runs in a virtual machine: the sample's hooks, in the flavour that this kernel's list of LSMs takes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sekisho.engine.lsm.kernel import object as objects
from sekisho.engine.lsm.kernel.kinds import Flavour
from sekisho.engine.lsm.kernel.loader import Loaded, Loader, Options

HOOKS = {"opened", "committed", "opened_slowly"}


def main() -> None:
    """Prints what came of it."""
    listed = Path("/sys/kernel/security/lsm").read_text().strip().split(",")
    flavour = Flavour.LSM if "bpf" in listed else Flavour.MODIFY_RETURN
    image = objects.read(Path(sys.argv[1]).read_bytes())
    loaded = Loader().load(image, Options(flavour=flavour, log=20, threads=2))
    loaded.attach()
    assert set(loaded.links) >= HOOKS, loaded.failures
    assert {"nowhere", "careless"} == set(loaded.failures), loaded.failures
    assert loaded.links["opened"].program == loaded.programs["opened"].facts().id
    with tempfile.NamedTemporaryFile() as file:
        words = [refuses(loaded, file.name), executes(loaded)]
        loaded.close()
        Path(file.name).read_bytes()
    print(f"{flavour.value}: {', '.join(words)}, left alone")


def refuses(loaded: Loaded, name: str) -> str:
    """One file is refused to this task, and to no other."""
    loaded.maps["tasks"].update_task(os.getpid(), os.stat(name).st_ino)
    subprocess.run(["cat", name], check=True)
    try:
        Path(name).read_bytes()
    except PermissionError:
        return "refused"
    return "NOT REFUSED"


def executes(loaded: Loaded) -> str:
    """A hook without a verdict runs, too."""
    before = int.from_bytes(loaded.maps[".bss"].lookup(0) or b"", "little")
    subprocess.run(["true"], check=True)
    after = int.from_bytes(loaded.maps[".bss"].lookup(0) or b"", "little")
    return "executed" if after == before + 100 else f"EXECUTED {before} {after}"


if __name__ == "__main__":
    main()
