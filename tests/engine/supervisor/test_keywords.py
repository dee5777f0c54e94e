"""Every ACL keyword, asked for by every system call that can, under the real engine.

Each row is learned (exactly its lines), allowed when policy has them, denied with a record of the
missing line when policy lacks one of them, and permitted with a record in permissive mode.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.campaign import NUMBERS, Campaign, Variant, bare, played
from tests.engine.supervisor.keywords import ORDINARY, PRIVILEGED, Row, keyword

from sekisho.policy.grammar import OPERATIONS

NOBODY = 65534
_NAMESPACE = """
call('unshare', 0x10000000)
for kind, line in ('setgroups', 'deny'), ('uid_map', f'{u} {u} 1'), ('gid_map', f'{g} {g} 1'):
    fd = os.open('/proc/self/' + kind, os.O_WRONLY)
    os.write(fd, line.encode())
    os.close(fd)
"""
OWN = Variant("own")
NAMESPACE = Variant("namespace", "u, g = os.getuid(), os.getgid()" + _NAMESPACE)
DROPPED = Variant("dropped", f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})", NOBODY, NOBODY)
_MOUNT_NAMESPACE = "inside(\"call('unshare', 0x20000)\", globals())"
"""So that every policy has the capability."""
MOUNTS = Variant("mounts", _MOUNT_NAMESPACE, prefix=("unshare", "--mount", "--propagation", "private"))


def _known(row: Row) -> bool:
    """Whether this architecture has the call (aarch64 has only the newer ones)."""
    names = [part.split("'")[1] for part in row.code.replace('"', "'").split("call(")[1:]]
    return all(name in NUMBERS for name in names)


def _each(*parts: str) -> pytest.MarkDecorator:
    """Over every variant and row that has these ``parts``."""
    values = [
        pytest.param(variant, row, id=f"{variant.name}-{row.name}", marks=marks)
        for variant, marks in VARIANTS
        for row in ROWS[variant.name]
        if _known(row) and set(parts) <= set(row.parts)
    ]
    return pytest.mark.parametrize(("variant", "row"), values)


ROWS = {"own": ORDINARY, "namespace": ORDINARY, "dropped": ORDINARY, "mounts": PRIVILEGED}
VARIANTS: list[tuple[Variant, tuple[pytest.MarkDecorator, ...]]] = [
    (OWN, ()),
    (NAMESPACE, ()),
    (DROPPED, (pytest.mark.root,)),
    (MOUNTS, (pytest.mark.root, pytest.mark.needs("unshare"))),
]


@pytest.fixture(scope="module")
def campaigns() -> Iterator[dict[str, Campaign]]:
    """The campaigns played so far, by variant."""
    played_so_far: dict[str, Campaign] = {}
    yield played_so_far


@pytest.fixture
def campaign(campaigns: dict[str, Campaign], variant: Variant) -> Campaign:
    """The campaign of ``variant``, played once."""
    if variant.name not in campaigns:
        root = Path(tempfile.mkdtemp(prefix="sekisho-", suffix=".d"))
        root.chmod(0o755)
        try:
            with played(root, variant, [row for row in ROWS[variant.name] if _known(row)]) as found:
                campaigns[variant.name] = found
        finally:
            shutil.rmtree(root, ignore_errors=True)
    return campaigns[variant.name]


def _missing_in_kernel(row: Row, outcome: int | None) -> bool:
    return row.optional and outcome == errno.ENOSYS


@_each()
def test_what_is_learned_is_exactly_what_was_asked(campaign: Campaign, variant: Variant, row: Row) -> None:
    assert _shown(campaign.first[row.name].outcome) == "done" or row.optional, campaign.said
    learned, wanted = campaign.learned[row.name]

    assert learned == wanted


@_each("allow")
def test_policy_that_has_all_lines_allows(campaign: Campaign, variant: Variant, row: Row) -> None:
    outcome = campaign.allowed[row.name].outcome

    assert _missing_in_kernel(row, outcome) or _shown(outcome) == "done", campaign.said


@_each("deny")
def test_policy_that_lacks_one_line_denies_that(campaign: Campaign, variant: Variant, row: Row) -> None:
    for index in range(len(row.lines)):
        case, records = campaign.denied[row.name, index]
        if _missing_in_kernel(row, case.outcome):
            continue

        line = bare(case.lines[index][1])
        # Whoever is refused is somebody else: the call goes on without it.
        refusal = "EAGAIN" if keyword(line).endswith((" accept", " recv")) else "EPERM"
        assert (_shown(case.outcome), records) == (refusal, [line]), campaign.said


@_each("permit")
def test_permissive_mode_lets_it_happen_and_records_it(campaign: Campaign, variant: Variant, row: Row) -> None:
    case, records = campaign.permitted[row.name]
    if _missing_in_kernel(row, case.outcome):
        return

    assert (_shown(case.outcome), records) == ("done", list(dict.fromkeys(bare(line) for _, line in case.lines)))


@pytest.mark.parametrize("variant", [OWN, NAMESPACE], ids=lambda variant: variant.name)
def test_nothing_else_is_asked_for(campaign: Campaign, variant: Variant) -> None:
    assert campaign.noise == []


def test_every_keyword_is_shown() -> None:
    shown = {word for row in (*ORDINARY, *PRIVILEGED) for word in row.keywords}

    elsewhere = ("task ", "ipc ", "capability ")
    assert {keyword for keyword in OPERATIONS if not keyword.startswith(elsewhere)} == shown


def _shown(outcome: int | None) -> str:
    return {0: "done", None: "no answer"}.get(outcome, errno.errorcode.get(outcome or 0, str(outcome)))
