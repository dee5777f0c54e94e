from __future__ import annotations

import tracemalloc

import pytest
from tests.interface.stage import Stage, write

from sekisho.decide.index import index_of
from sekisho.interface.memory import Meter
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy, parse_profile

LINES = {
    "plain": "file read/write /usr/share/some/directory/name{}\n",
    "conditions": 'file execute /usr/share/dir/name{0} exec.realpath="/usr/share/dir/name{0}" exec.argv[0]="name{0}"\n',
    "domains": "<kernel> /usr/sbin/some/program{}\n",
}


@pytest.mark.parametrize("text", LINES.values(), ids=LINES)
def test_it_is_about_what_the_policy_takes(text: str) -> None:
    text = "<kernel> /x\n" + "".join(text.format(number) for number in range(2000))
    tracemalloc.start()
    try:
        policy = Policy()
        parse_domain_policy(text, policy)
        for domain in policy.domains.values():
            index_of(domain)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 0.5 < Meter().measure(policy) / taken < 2


@pytest.mark.parametrize(
    "text",
    ["path_group G /a\n", "number_group G 1\n", "address_group G 1.2.3.4\n", "initialize_domain /a\n",
     "aggregator /a /b\n", "deny_autobind 1\n", "acl_group 1 file read /a\n"],
)  # fmt: skip
def test_everything_counts_and_is_given_back(text: str) -> None:
    policy, meter = Policy(), Meter()
    parse_exception_policy(f"{text}delete {text}", policy)
    before = meter.measure(policy)
    parse_exception_policy(text, policy)

    assert meter.measure(policy) > before
    parse_exception_policy(f"delete {text}", policy)
    assert meter.measure(policy) == before


def test_profiles_and_managers_count() -> None:
    policy, meter = Policy(), Meter()
    sizes = [meter.measure(policy)]
    parse_profile("1-COMMENT=\n", policy)
    sizes.append(meter.measure(policy))
    policy.managers.append("/a")
    sizes.append(meter.measure(policy))

    assert sizes == sorted(set(sizes))


def test_a_change_is_noticed_however_it_is_made() -> None:
    stage, meter = Stage().holds("<kernel> /a\nfile read /a\n"), Meter()
    before = meter.measure(stage.policy)
    write(stage.open("domain_policy"), "<kernel> /a\nfile write /b\n")
    grown = meter.measure(stage.policy)
    write(stage.open("domain_policy"), "<kernel> /a\ndelete file write /b\n")

    assert grown > before == meter.measure(stage.policy)
