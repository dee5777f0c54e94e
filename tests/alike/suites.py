"""Well-known suites under a policy that allows everything, beside the same natively: ``python -m tests.alike.suites``.

Only what is new is told: tests that come out otherwise than natively. Tests that need the network or rights that the
machine doesn't give fail or are left out both ways. A test that comes out otherwise is run again, alone, both ways.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.alike.compare import HERE, Comparison

PYTHON_TESTS = ("test_os", "test_posix", "test_subprocess", "test_socket", "test_tempfile", "test_shutil")
OUTCOMES = str(HERE / "outcomes.py")
_PATIENCE = 1800
_BAD = ("failed", "error", "unexpected")


class Suites:
    """The Python at ``interpreter``, whose standard library's tests are run in ``comparison``'s world."""

    def __init__(self, comparison: Comparison, interpreter: str) -> None:
        self.comparison = comparison
        self.interpreter = interpreter
        self.place = comparison.root / "play"

    def run(self, names: tuple[str, ...], *, supervised: bool) -> dict[str, str]:
        """The outcome of each test, by its id."""
        self.place.chmod(0o1777)
        command = ["env", f"TMPDIR={self.place}", "sh", "-c", 'cd "$TMPDIR"; exec "$@"', "sh"]
        command += [self.interpreter, "-W", "ignore", OUTCOMES, *names]
        policy = self.comparison.policy
        if supervised:
            result = policy.run(*command, timeout=_PATIENCE)
        else:
            result = policy.native(*self.comparison.before, *command, timeout=_PATIENCE)
        found = dict(line.rsplit("\t", 1) for line in result.out.splitlines() if "\t" in line)
        return found | ({} if result.status == 0 else {"the run itself": f"failed: {result.err[-1000:]}"})

    def differences(self, name: str) -> tuple[dict[str, str], dict[str, tuple[str | None, str | None]]]:
        """(native outcomes, (natively, supervised) of what comes out otherwise twice)."""
        native, other = (self.run((name,), supervised=way) for way in (False, True))
        odd = {test for test in native.keys() | other.keys() if native.get(test) != other.get(test)}
        found = {}
        for test in sorted(odd):
            words = (test.removeprefix("test."),) if test.startswith(f"test.{name}.") else (name,)
            again = [self.run(words, supervised=way).get(test) for way in (False, True)]
            if again[0] != again[1]:
                found[test] = (again[0], again[1])
        return native, found


def main() -> int:
    """Tells a line for each suite, and every test that comes out otherwise."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default=shutil.which("python3", path="/usr/local/bin:/usr/bin") or sys.executable)
    parser.add_argument("--user", action="store_true", help="run the suites and their supervisor as a user")
    parser.add_argument("names", nargs="*", default=PYTHON_TESTS)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="sekisho-", suffix=".d"))
    new = 0
    try:
        suites = Suites(Comparison(root, user=options.user), options.python)
        version = subprocess.run([options.python, "--version"], capture_output=True, text=True, check=True).stdout
        print(version.strip(), "by a user" if options.user else "by root")
        print("| suite | tests | fail natively | left out natively | come out otherwise |\n|---|---|---|---|---|")
        for name in options.names:
            native, found = suites.differences(name)
            bad = sum(word.startswith(_BAD) for word in native.values())
            skipped = sum(word == "skipped" for word in native.values())
            print(f"| {name} | {len(native)} | {bad} | {skipped} | {len(found)} |", flush=True)
            for test, (here, there) in found.items():
                print(f"{test}: natively {here}, supervised {there}", flush=True)
            new += len(found)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return bool(new)


if __name__ == "__main__":
    sys.exit(main())
