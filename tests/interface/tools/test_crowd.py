"""Many at once: readers that read while a writer writes, each through a file of its own."""

from __future__ import annotations

import re

import pytest
from tests.interface.tools.conftest import Tools
from tests.interface.tools.tree import SHELL, learn, running

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]

READERS = 10
DOMAINS = 300
CROWD = f"""
import subprocess, threading
failures, done = [], threading.Event()

def read():
    seen = 0
    while not done.is_set():
        text = subprocess.run(["tomoyo-savepolicy", "-d"], capture_output=True, text=True, check=True).stdout
        count = text.count("\\n<kernel> /crowd/")
        if count < seen or not text.endswith("\\n\\n"):
            failures.append(text)
        seen = count

readers = [threading.Thread(target=read) for _ in range({READERS})]
for reader in readers:
    reader.start()
for number in range({DOMAINS}):
    line = f"<kernel> /crowd/{{number}}\\nfile read /x\\n"
    subprocess.run(["tomoyo-loadpolicy", "-d"], input=line, text=True, check=True)
done.set()
for reader in readers:
    reader.join()
print("failures:", len(failures))
"""


def crowd(tools: Tools) -> None:
    assert "failures: 0\n" == tools.run("python3", "-c", CROWD)
    text = tools.run("tomoyo-savepolicy", "-d")
    found = re.findall(r"^<kernel> /crowd/(\d+)\nuse_profile 0\n\nfile read /x$", text, re.MULTILINE)
    assert set(range(DOMAINS)) == set(map(int, found))


def test_on_a_directory(tools: Tools) -> None:
    crowd(tools)
    assert DOMAINS == tools.file("domain_policy.conf").count("<kernel> /crowd/")


def test_on_a_running_tree(tools: Tools) -> None:
    learn(tools, "/etc/hostname")
    with running(tools) as tree:
        crowd(tools)
        tree.ask("/etc/hostname")
        assert "allowed" == tree.answer()
    assert f"{SHELL}\n" in tools.run("tomoyo-savepolicy", "-d")
    assert DOMAINS == tools.file("domain_policy.conf").count("<kernel> /crowd/")
