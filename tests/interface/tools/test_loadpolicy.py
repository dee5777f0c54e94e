"""tomoyo-loadpolicy and tomoyo-savepolicy: every switch, on the directory, on a running tree, and through the agent."""

from __future__ import annotations

import pytest
from tests.interface.tools.agent import agent
from tests.interface.tools.conftest import DOMAINS, EXCEPTIONS, PROFILES, Tools
from tests.interface.tools.tree import SHELL, learn, running

pytestmark = [pytest.mark.root, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]

NEW_DOMAIN = "<kernel> /usr/sbin/cron\nuse_profile 2\nuse_group 0\n\nfile read /etc/crontab\n\n"


def saved(tools: Tools, switch: str) -> str:
    return tools.run("tomoyo-savepolicy", switch)


def test_what_is_saved_is_what_is_on_disk(tools: Tools) -> None:
    assert DOMAINS == saved(tools, "-d")
    assert EXCEPTIONS == saved(tools, "-e")
    assert PROFILES == saved(tools, "-p")
    assert tools.file("manager.conf") == saved(tools, "-m")
    assert "Memory used by policy:" in saved(tools, "-s")


def test_d_adds_and_deletes(tools: Tools) -> None:
    tools.run(
        "tomoyo-loadpolicy", "-d", text=f"{NEW_DOMAIN}select <kernel> /usr/sbin/sshd\ndelete file read /etc/passwd\n"
    )

    assert DOMAINS.replace("file read /etc/passwd\n", "") + NEW_DOMAIN == saved(tools, "-d")


def test_df_leaves_what_is_given_and_nothing_else(tools: Tools) -> None:
    given = DOMAINS.partition("<kernel> /usr/sbin/sshd /bin/bash")[0].replace("/etc/passwd", "/etc/group") + NEW_DOMAIN
    tools.run("tomoyo-loadpolicy", "-df", text=given)

    sort = "tomoyo-sortpolicy"
    assert tools.run(sort, text=given) == tools.run(sort, text=saved(tools, "-d"))


def test_e_adds_and_deletes(tools: Tools) -> None:
    tools.run("tomoyo-loadpolicy", "-e", text="aggregator /bin/a /bin/b\ndelete number_group PORTS 80-88\n")
    expected = EXCEPTIONS.replace("number_group PORTS 80-88\n", "") + "aggregator /bin/a /bin/b\n"

    assert sorted(expected.splitlines()) == sorted(saved(tools, "-e").splitlines())


def test_ef_leaves_what_is_given_and_nothing_else(tools: Tools) -> None:
    tools.run("tomoyo-loadpolicy", "-ef", text="aggregator /bin/a /bin/b\nacl_group 7 misc env HOME\n")

    assert "aggregator /bin/a /bin/b\nacl_group 7 misc env HOME\n" == saved(tools, "-e")


def test_p_changes_profiles(tools: Tools) -> None:
    tools.run("tomoyo-loadpolicy", "-p", text="3-CONFIG::network={ mode=permissive }\n")

    assert PROFILES + "3-CONFIG::network={ mode=permissive grant_log=yes reject_log=yes }\n" == saved(tools, "-p")


def test_m_changes_managers(tools: Tools) -> None:
    before = saved(tools, "-m")
    tools.run("tomoyo-loadpolicy", "-m", text="/usr/bin/one\n<kernel> /usr/bin/two\ndelete /usr/sbin/tomoyo-queryd\n")
    expected = before.replace("/usr/sbin/tomoyo-queryd\n", "") + "/usr/bin/one\n<kernel> /usr/bin/two\n"

    assert sorted(expected.splitlines()) == sorted(saved(tools, "-m").splitlines())


def test_s_sets_quotas(tools: Tools) -> None:
    tools.run("tomoyo-loadpolicy", "-s", text="Memory used by query message: 1048576\n")

    assert "(Quota:    1048576)" in saved(tools, "-s")


def test_lines_that_are_wrong_are_left_out(tools: Tools) -> None:
    text = (
        f"{NEW_DOMAIN}select <kernel> /usr/sbin/cron\nfile nonsense /x\nfile read relative task.uid==0\nfile write /y\n"
    )
    tools.run("tomoyo-loadpolicy", "-d", text=text)

    assert DOMAINS + NEW_DOMAIN[:-1] + "file write /y\n\n" == saved(tools, "-d")


def test_without_a_switch_it_explains_itself(tools: Tools) -> None:
    tools.run("tomoyo-loadpolicy", status=1)


def test_savepolicy_keeps_what_was_there_before(tools: Tools) -> None:
    folder = tools.path / "tomoyo/policy"
    tools.run("tomoyo-savepolicy")
    first = (folder / "current").readlink()
    tools.run("tomoyo-loadpolicy", "-d", text="delete <kernel> /usr/sbin/sshd\n")
    # It names folders after the second, and takes none that is there.
    tools.shell("until tomoyo-savepolicy; do sleep 0.1; done 2> /dev/null")

    assert first == (folder / "previous").readlink()
    assert DOMAINS == (folder / "previous/domain_policy.conf").read_text()
    assert "<kernel> /usr/sbin/sshd\n" not in (folder / "current/domain_policy.conf").read_text()
    assert EXCEPTIONS == (folder / "current/exception_policy.conf").read_text()
    assert PROFILES == (folder / "current/profile.conf").read_text()


@pytest.mark.slow
def test_through_the_agent(tools: Tools) -> None:
    with agent(tools) as address:
        for switch in ("-d", "-e", "-p", "-m", "-s"):
            assert saved(tools, switch) == tools.run("tomoyo-savepolicy", switch, address)
        tools.run("tomoyo-loadpolicy", "-d", address, text=NEW_DOMAIN)
        assert DOMAINS + NEW_DOMAIN == saved(tools, "-d")
        tools.run("tomoyo-loadpolicy", "-df", address, text=DOMAINS)
        assert DOMAINS == saved(tools, "-d")
        tools.run("tomoyo-loadpolicy", "-ef", address, text="aggregator /bin/a /bin/b\n")
        assert "aggregator /bin/a /bin/b\n" == saved(tools, "-e")


@pytest.mark.slow
def test_a_running_tree_is_held_to_what_is_loaded(tools: Tools) -> None:
    learn(tools, "/etc/hostname")
    with running(tools) as tree:
        tree.ask("/etc/group")
        assert "refused" == tree.answer()
        tools.run("tomoyo-loadpolicy", "-d", text=f"select {SHELL}\nfile read /etc/group\n")
        tree.ask("/etc/group")
        assert "allowed" == tree.answer()
        tools.run("tomoyo-loadpolicy", "-d", text=f"select {SHELL}\ndelete file read /etc/group\n")
        tree.ask("/etc/group")
        assert "refused" == tree.answer()


@pytest.mark.slow
def test_a_running_tree_listens_to_managers_only(tools: Tools) -> None:
    (tools.path / "manager.conf").write_text("/usr/sbin/tomoyo-setprofile\n")
    learn(tools, "/etc/hostname")
    with running(tools) as tree:
        tools.run("tomoyo-loadpolicy", "-d", text=f"select {SHELL}\nfile read /etc/group\n", status=1)
        tree.ask("/etc/group")
        assert "refused" == tree.answer()
