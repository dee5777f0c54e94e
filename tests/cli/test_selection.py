from __future__ import annotations

import pytest

from sekisho.cli.selection import find_domain
from sekisho.errors import UserError
from sekisho.policy.edit import delete_domain, ensure_domain
from sekisho.policy.model import Policy


@pytest.fixture
def policy() -> Policy:
    policy = Policy()
    for name in ("/bin/a", "/bin/a /bin/b", "/bin/c /bin/b", "/usr/bin/a"):
        ensure_domain(policy, f"<kernel> {name}")
    return policy


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<kernel>", "<kernel>"),
        ("<kernel> /bin/a", "<kernel> /bin/a"),
        ("  /bin/a   /bin/b ", "<kernel> /bin/a /bin/b"),
        ("/usr/bin/a", "<kernel> /usr/bin/a"),
    ],
)
def test_found(policy: Policy, text: str, name: str) -> None:
    assert name == find_domain(policy, text).name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/bin/x", "there is no domain /bin/x; see: sekisho domains"),
        ("in/a", "there is no domain in/a; see: sekisho domains"),
        ("", "there is no domain ''; see: sekisho domains"),
        (
            "/bin/b",
            "2 domains end with /bin/b: '<kernel> /bin/a /bin/b', '<kernel> /bin/c /bin/b'; give more of the name",
        ),
    ],
)
def test_not_found(policy: Policy, text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        find_domain(policy, text)

    assert said == str(caught.value)


def test_a_deleted_domain_is_not_found(policy: Policy) -> None:
    delete_domain(policy, "<kernel> /bin/a /bin/b")

    assert "<kernel> /bin/c /bin/b" == find_domain(policy, "/bin/b").name
