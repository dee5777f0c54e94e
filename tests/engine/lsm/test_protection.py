from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.lsm.guest_protection import BY_MANAGER, HARMLESS
from tests.engine.lsm.kernel import sample
from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_object import bpf
from tests.vm.machine import PLAIN, Machine

REPOSITORY = Path(__file__).resolve().parents[3]
built = pytest.mark.needs(*sample.COMPILER)
WITHOUT_BPF = "landlock,lockdown,yama,apparmor"
"""What programs run as modify-return with."""
PREPARED = "mount -t bpf bpf /sys/fs/bpf; mount -t securityfs securityfs /sys/kernel/security; "


def run(kernel: str, guest: str, folder: Path, lsm: str = PLAIN) -> dict[str, str]:
    """What the script ``guest`` tells in a virtual machine, with the kernel side as its sources are."""
    image = folder / "sekisho.bpf.o"
    bpf.build(image)
    command = f"{{ {PREPARED} }} 2>/dev/null; PYTHONPATH=src:. python3 -B -m tests.engine.lsm.{guest} {image}"
    ended = Machine(kernel, lsm).run(command, timeout=600, directory=REPOSITORY)
    assert ended.status == 0, ended.stdout + ended.stderr
    return dict(line.split(": ", 1) for line in ended.stdout.splitlines())


@built
@pytest.mark.parametrize("lsm", [PLAIN, pytest.param(WITHOUT_BPF, marks=pytest.mark.every)])
@on_each("6.12")
def test_root_can_do_nothing_to_the_engine_from_a_domain_that_is_no_managers(
    kernel: str, lsm: str, tmp_path: Path
) -> None:
    told = run(kernel, "guest_protection", tmp_path, lsm)
    managed = {name: told.pop(f"manager, {name}") for name in BY_MANAGER}

    assert told.pop("nothing in force") == "ok"
    assert {name for name, outcome in told.items() if outcome not in ("EPERM", "EACCES")} == set(HARMLESS)
    assert set(managed.values()) == {"ok"}
