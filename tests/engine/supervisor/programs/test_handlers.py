"""Execute handlers in a real tree; how they are brought about is in test_injection.py, attacks in tests/bypass/."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.engine.supervisor.handled import SHELL, Handled
from tests.engine.supervisor.supervised import domain

from sekisho.interface.client import RunningTree, Service, trees
from sekisho.interface.inquiry import parse_inquiry

_REPLACE = """#!/bin/sh
echo "$1: $4" >> {log}
program=$4 count=$5 variables=$6
shift 7
while [ $count -gt 1 ]; do set -- "$@" "$1"; shift; count=$((count - 1)); done
shift $variables
exec "$program" "$@"
"""
"""Tells what was asked for, and executes it."""


@pytest.fixture
def handled(tmp_path: Path) -> Handled:
    return Handled(tmp_path)


def _told(text: str) -> list[str]:
    return [line[1:-1] for line in text.splitlines() if line.startswith("[")]


@pytest.mark.parametrize("enforced", [False, True])
def test_it_runs_whatever_is_executed(handled: Handled, enforced: bool) -> None:
    handled.put(f"task auto_execute_handler {handled.script()}", SHELL)
    code = "exec env -i A=1 B='two words' /bin/echo x ''"
    done = handled.shell(code)
    if enforced:
        handled.enforce()
        done = handled.shell(code, enforced=True)
    name, program, ids, *asked = _told(done.out)

    assert (domain(SHELL), os.path.realpath(SHELL)) == (name, program)
    assert [f"uid={os.getuid()}", f"fsgid={os.getgid()}"] == [ids.split()[1], ids.split()[-1]]
    assert ["pid", "uid", "gid", "euid", "egid", "suid", "sgid", "fsuid", "fsgid"] == [
        word.partition("=")[0] for word in ids.split()
    ]
    assert ["/usr/bin/env", "7"] == asked[:2], done.err
    assert ["env", "-i", "A=1", "B=two words", "/bin/echo", "x", ""] == asked[3:10]
    assert int(asked[2]) == len(asked[10:]) == len([word for word in asked[10:] if "=" in word]) > 0


def test_its_environment_is_empty_and_its_name_the_first_argument(handled: Handled) -> None:
    handler = handled.script('#!/bin/sh\ntr "\\\\0" "\\\\n" < /proc/$$/environ | wc -c; echo "$0"\n')
    handled.put(f"task auto_execute_handler {handler}", SHELL)

    assert f"0\n{handler}\n" == handled.shell("exec true").out


def test_a_shell_is_replaced_that_logs_and_goes_on(handled: Handled) -> None:
    """A program that runs commands in a shell runs them in one that writes down who wanted it."""
    log = handled.folder / "log"
    handled.put(f"task auto_execute_handler {handled.script(_REPLACE.format(log=log))}", sys.executable)
    code = "import os; print(os.popen('echo hello; exit 7').read()); os.system('echo again')"
    for _ in range(2):
        handled.python(code)
    handled.enforce()
    log.unlink()
    done = handled.python(code, enforced=True)

    assert "hello\n\nagain\n" in done.out.replace("again\nhello\n\n", "hello\n\nagain\n")
    assert [f"{domain(sys.executable)}: /bin/sh"] * 2 == log.read_text().splitlines()
    assert 0 == done.status, done.err


def test_what_policy_denies_is_handled_and_nothing_else(handled: Handled) -> None:
    handled.shell("/bin/echo allowed; true")
    handled.put(f"task auto_execute_handler {handled.script()}", SHELL)
    handled.shell("/bin/echo handled; true")
    handled.rewrite("auto_execute_handler", "denied_execute_handler")
    handled.enforce()
    handled.supervised.forget_records()

    done = handled.shell("/bin/echo allowed; /bin/cat /dev/null; echo $?", enforced=True)

    assert done.out.startswith("allowed\n[")
    assert "/bin/cat" in _told(done.out)
    assert done.out.endswith("\n0\n")
    assert [line.split(" exec.")[0] for line in handled.supervised.rejected()] == ["file execute /usr/bin/cat"]


def test_what_the_administrator_refuses_is_denied(handled: Handled) -> None:
    """Somebody who is there is asked first; only a no brings the handler."""
    handled.shell("/bin/echo x; true")
    handled.put(f"task auto_execute_handler {handled.script()}", SHELL)
    handled.shell("/bin/echo x; true")
    handled.rewrite("auto_execute_handler", "denied_execute_handler")
    handled.enforce()
    words = handled.supervised.arguments("run", SHELL, "-c", "read word; /bin/cat /dev/null; echo $?")
    environment = handled.supervised.environment()
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    try:
        service = _service(handled.supervised.path)
        query = service.open("query", administrator=True)
        assert not query.readable()
        assert process.stdin is not None
        process.stdin.write(b"go on\n")
        process.stdin.flush()
        assert query.wait_readable(30)
        asked = parse_inquiry(query.read(65536))
        assert "file execute /usr/bin/cat" == asked.acl
        query.write(b"A%d=2\n" % asked.serial)
        out, _ = process.communicate(timeout=30)
        query.close()
        service.close()
    finally:
        process.kill()
        process.wait()

    assert "/bin/cat" in _told(out.decode())
    assert out.endswith(b"\n0\n")


def _service(path: Path) -> Service:
    """The files of the tree that has just been started."""
    end = time.monotonic() + 30
    while not (running := trees(path)):
        assert time.monotonic() < end
        time.sleep(0.01)
    return RunningTree(running[0].path)


@pytest.mark.parametrize("mode", ["disabled", "permissive"])
def test_the_mode_doesnt_matter(handled: Handled, mode: str) -> None:
    handled.put(f"task auto_execute_handler {handled.script()}", SHELL)

    assert "/usr/bin/true" in _told(handled.supervised.run(SHELL, "-c", "exec /usr/bin/true", mode=mode).out)


@pytest.mark.parametrize("mode", ["disabled", "permissive", "learning"])
def test_what_isnt_refused_isnt_denied(handled: Handled, mode: str) -> None:
    handled.put(f"task denied_execute_handler {handled.script()}", SHELL)

    assert "x\n" == handled.supervised.run(SHELL, "-c", "/bin/echo x; true", mode=mode).out


def test_its_own_children_are_not_handled_but_theirs_are(handled: Handled) -> None:
    """They are handlers until they execute something; what that executes is anybody's business again."""
    handler = handled.script(f'#!/bin/sh\necho "for $7"\n{SHELL} -c "/bin/echo inner; true"\n')
    line = f"task auto_execute_handler {handler}"
    for chain in ((SHELL,), (SHELL, handler), (SHELL, handler, SHELL)):
        handled.put(line, *chain)

    done = handled.shell("/bin/true; true")
    assert ["for /bin/true", "for /bin/echo"] == done.out.splitlines()[:2]


def test_conditions_know_it(handled: Handled) -> None:
    handler = handled.script("#!/bin/sh\n/bin/echo mine\n/bin/sh -c '/bin/echo theirs; true'\n")
    handled.put(f"task auto_execute_handler {handler}", SHELL)
    for _ in range(2):
        handled.shell("/bin/true; true")
    for line in handled.supervised.domains()[domain(SHELL, handler)]:
        if line.startswith("file execute /usr/bin/echo "):
            handled.rewrite(line, f"{line} task.type=execute_handler")
    handled.enforce()
    handled.supervised.forget_records()
    done = handled.shell("/bin/true; true", enforced=True)

    assert "mine\n" == done.out
    refused = [record for record in handled.supervised.records() if not record["granted"]]
    assert [domain(SHELL, handler, SHELL)] == [record["domain"] for record in refused]


def test_a_link_is_known_by_its_own_name(handled: Handled) -> None:
    handled.script()
    link = handled.folder / "link"
    link.symlink_to("handler")
    handled.put(f"task auto_execute_handler {link}", SHELL)

    assert "true" in _told(handled.shell("exec true").out)
    assert domain(SHELL, link) in handled.supervised.domains()


def test_another_name_for_it_is_no_handler(handled: Handled) -> None:
    """Nobody can put a directory in its way."""
    (handled.folder / "elsewhere").mkdir()
    handled.script(name="elsewhere/handler")
    (handled.folder / "linked").symlink_to("elsewhere")
    handled.put(f"task auto_execute_handler {handled.folder}/linked/handler", SHELL)
    done = handled.shell("/bin/true; echo $?")

    assert "126\n" == done.out
    assert f"execute handler {handled.folder}/linked/handler: is {handled.folder}/elsewhere/handler" in done.err


@pytest.mark.parametrize(("name", "code"), [("/nowhere/x", errno.ENOENT), ("/etc/passwd", errno.EACCES)])
@pytest.mark.parametrize("enforced", [False, True])
def test_without_it_nothing_is_executed(handled: Handled, name: str, code: int, enforced: bool) -> None:
    handled.put(f"task auto_execute_handler {name}", sys.executable)
    script = "import os\ntry: os.execv('/bin/true', ['true'])\nexcept OSError as e: print(e.errno)"
    done = handled.python(script)
    if enforced:
        handled.enforce()
        done = handled.python(script, enforced=True)

    assert f"{code}\n" == done.out
    assert f"execute handler {name}: {os.strerror(code)}" in done.err


@pytest.mark.parametrize(("path", "code"), [("/nowhere/x", errno.ENOENT), ("/etc/passwd", errno.EACCES)])
def test_what_cant_be_executed_isnt_handled(handled: Handled, path: str, code: int) -> None:
    handled.put(f"task auto_execute_handler {handled.script()}", sys.executable)
    done = handled.python(f"import os\ntry: os.execv({path!r}, ['x'])\nexcept OSError as e: print(e.errno)")

    assert f"{code}\n" == done.out


def test_a_descriptor_is_told_as_the_kernel_would(handled: Handled) -> None:
    handled.put(f"task auto_execute_handler {handled.script()}", sys.executable)
    done = handled.python("import os; os.execve(os.open('/bin/true', os.O_RDONLY), ['x'], {'A': '1'})")

    told = _told(done.out)[3:]
    assert ("/dev/fd/", ["1", "1", "x", "A=1"]) == (told[0].rstrip("0123456789"), told[1:])


def test_an_interpreter_is_read_in_its_domain(handled: Handled) -> None:
    handler = handled.script()
    handled.put(f"task auto_execute_handler {handler}", SHELL)
    handled.shell("/bin/true; true")
    assert f"file read {os.path.realpath(SHELL)}" in handled.supervised.domains()[domain(SHELL, handler)]


@pytest.mark.root
@pytest.mark.needs("unshare")
def test_below_another_root_it_is_sought_there_by_its_whole_name(handled: Handled) -> None:
    """A program can't bring a handler of its own along."""
    (handled.folder / "root" / "bin").mkdir(parents=True)
    handled.script("#!/bin/sh\necho fake\n", name="root/handler")
    handled.put("task auto_execute_handler /handler", sys.executable)
    done = handled.python(
        f"import os\nos.chroot({str(handled.folder / 'root')!r})\ntry: os.execv('/handler', ['x'])\n"
        "except OSError as e: print(e.errno)"
    )

    assert f"{errno.ENOENT}\n" == done.out, done.err
