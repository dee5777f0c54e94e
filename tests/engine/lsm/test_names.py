"""What our hooks are asked for is what the kernel's TOMOYO is asked for, to the last byte of each name."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.engine.lsm.kernel import sample
from tests.engine.lsm.kernels import on_each
from tests.vm.machine import Machine
from tests.vm.tomoyo import with_tomoyo

REPOSITORY = Path(__file__).resolve().parents[3]
STAGE = """
mount -t tmpfs none /t
mkdir -p /t/elsewhere/sub /t/bound /t/lower/sub /t/upper /t/work
for file in elsewhere/sub/file another boundfile lower/lower; do echo "$file" >/t/$file; done
mount --bind /t/elsewhere /t/bound
mount --bind /t/another /t/boundfile
mount -t overlay -o lowerdir=/t/lower,upperdir=/t/upper,workdir=/t/work none /ov
"""


@pytest.mark.needs(*sample.COMPILER)
@on_each("6.12")
def test_names_are_those_of_tomoyo(kernel: str, tmp_path: Path) -> None:
    image = built(tmp_path)
    machine = with_tomoyo(Machine(kernel=kernel, share=(image.parent,), memory=2048))
    command = f"mkdir -p /t /ov{STAGE}cd {REPOSITORY}; .venv/bin/python -m tests.engine.lsm.deeds {image}"
    ended = machine.run(command, timeout=400)
    assert ended.status == 0, f"{ended.stderr[-3000:]}\n{ended.console[-2000:]}"
    scenes = json.loads(ended.stdout)
    for name, found in scenes.items():
        assert found == {"error": "", "same": found["same"], "kernel": [], "ours": []}, name
    assert sum(found["same"] for found in scenes.values()) > 800


def built(directory: Path) -> Path:
    """The hooks with a judge that tells what it is asked."""
    image = directory / "files.bpf.o"
    words = ["clang", "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Wno-unused-function", "-c"]
    subprocess.run([*words, "bpf/trial/files.bpf.c", "-o", str(image)], check=True, cwd=REPOSITORY)
    return image
