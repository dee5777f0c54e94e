"""A real service whose shells aren't: an execute handler answers whoever logs in through sshd."""

from __future__ import annotations

import subprocess

import pytest
from tests.engine.supervisor.supervised import Supervised
from tests.programs.harness import Place
from tests.programs.test_daemons import SSHD

_HANDLER = """#!/bin/sh
echo "$2 wanted $4: $9" >> {work}/seen
echo "there is nothing here"
"""

_VISIT = """
rm -f {work}/pid
/usr/sbin/sshd -D -f {work}/sshd_config -E {work}/log & server=$!
trap 'kill $server' EXIT
tries=0
while ! test -s {work}/pid && test $tries -lt 300; do sleep 0.1; tries=$((tries + 1)); done
login="ssh -F none -i {work}/login -o UserKnownHostsFile={work}/known -o IdentitiesOnly=yes -p {port} root@127.0.0.1"
$login 'id -u > {work}/taken'
"""


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.needs("sshd", "ssh-keygen")
def test_whoever_logs_in_meets_the_handler(root_place: Place) -> None:
    work = root_place.base

    def filled(text: str) -> str:
        return text.replace("{work}", str(work)).replace("{port}", root_place.words["port"])

    subprocess.run(["sh", "-ec", filled(SSHD)], cwd=work, check=True, timeout=60)
    handler = work / "handler"
    handler.write_text(filled(_HANDLER))
    handler.chmod(0o755)
    supervised = Supervised(work / "policy", plainly=False)
    with open(supervised.path / "exception_policy.conf", "a") as exceptions:
        exceptions.write(f'acl_group 0 task auto_execute_handler {handler} exec.realpath="/usr/bin/bash"\n')
    visit = filled(_VISIT)
    for _ in range(2):
        supervised.learn("/bin/sh", "-c", visit, cwd=work)
    (work / "seen").write_text("")
    done = supervised.run("/bin/sh", "-c", visit, cwd=work)

    assert "there is nothing here" in done.out, done.err
    assert not (work / "taken").exists()
    (line,) = (work / "seen").read_text().splitlines()
    assert line.startswith("/usr/")
    assert line.endswith(f"sh: id -u > {work}/taken")
    assert "/sshd" in line
