"""The two policies that take turns under load: what both allow is never refused, what both refuse never allowed.

No request sees half of each.
"""

from __future__ import annotations

from pathlib import Path

from tests.engine.lsm import managed
from tests.engine.lsm.managed import POLICY

from sekisho.store import files
from sekisho.store.defaults import profiles

HOME = Path("/run/endure")
WORKER, LEARNER = f"<kernel> {HOME}/bin/worker", f"<kernel> {HOME}/bin/learner"
KNOWN = f"{WORKER} {HOME}/bin/known"
CONTROL = f"""\
initialize_domain {HOME}/bin/worker from any
initialize_domain {HOME}/bin/learner from any
{managed.ADMINISTRATOR}\
acl_group 1 file read {HOME}/data/always
"""
COMMON = """\
file read data/always
file read data/p-\\$.txt
file read data/condition task.uid=0
file create out/\\* 0-0777
file write out/\\*
file truncate out/\\*
file unlink out/\\*
file rename out/one-\\* out/two-\\*
file execute bin/known
file execute bin/n-\\$
network inet stream connect 127.0.0.1 9
network inet stream connect 127.0.0.1 2000-2099
"""
_FIRST = """\
file read data/first
file read data/a-\\$.dat
file read data/torn
file read data/halved
file read/write data/moved
"""
_SECOND = """\
file read data/second
file read data/b-\\$.dat
file write data/torn
file write data/halved
"""
OWN = (_FIRST, _SECOND)
GROUPS = (
    "acl_group 1 file write data/halved\n",
    "acl_group 1 file read data/halved\nacl_group 1 file read/write data/moved\n",
)


def there(text: str) -> str:
    """Names of the test as they are in the machine."""
    for folder in ("data/", "out/", "bin/"):
        text = text.replace(f" {folder}", f" {HOME}/{folder}")
    return text


def sections(text: str) -> dict[str, str]:
    """By domain what a domain policy says of it."""
    found: dict[str, str] = {}
    name = ""
    for line in filter(None, text.splitlines()):
        name = line if line.startswith("<") else name
        found[name] = f"{found[name]}\n{line}" if name in found else line
    return found


def change(which: int) -> None:
    """Policy on disk is one of the two, with what was learned; nobody finds half of it."""
    lines = profiles().splitlines()
    lines += [f"4{line[1:]}" for line in lines if line.startswith("3-")]
    # Without the second one the others have other places in the kernel.
    profile = "".join(f"{line}\n" for line in lines if not which or not line.startswith("2-"))
    with files.opened(POLICY) as fd, files.locked(fd, POLICY):
        found = sections((POLICY / "domain_policy.conf").read_text())
        found[WORKER] = f"{WORKER}\nuse_profile {3 + which}\nuse_group 1\n{there(COMMON + OWN[which])}".rstrip()
        found.setdefault(KNOWN, f"{KNOWN}\nuse_profile 3\nuse_group 1")
        found.setdefault(LEARNER, f"{LEARNER}\nuse_profile 1\nuse_group 0")
        text = "".join(f"{block}\n\n" for block in found.values())
        for name, content in (
            ("profile.conf", profile),
            ("exception_policy.conf", CONTROL + there(GROUPS[which])),
            ("domain_policy.conf", text),
        ):
            files.replace(fd, POLICY, name, content)
