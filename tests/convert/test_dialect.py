"""The version is told by what stands in the text."""

import pytest

from sekisho.convert.dialect import VERSIONS, Dialect, detect

ONE_LINE = [
    ("PROFILE_VERSION=20090903", "2.3"),
    ("PROFILE_VERSION=20100903", "2.4"),
    ("PROFILE_VERSION=20110903", "2.5"),
    ("<kernel> PROFILE_VERSION=20110903", "2.5"),
    ("PROFILE_VERSION=20150505", "today"),
    ("", "today"),
    ("# allow_read /x if", "today"),
    ("<kernel>\nfile read /etc/allow_read", "today"),
    ("1-MAC_FOR_FILE=learning", "2.2"),
    ("alias /bin/bash /bin/sh", "2.2"),
    ("6 /dev/null", "2.2"),
    ("allow_create /tmp/x", "2.2"),
    ("allow_mount /proc/", "2.2"),
    ("allow_create /tmp/x 0644", "2.3"),
    ("allow_read /x", "2.3"),
    ("delete allow_read /x", "2.3"),
    (" \tallow_read/write /x", "2.3"),
    ("file_pattern /x", "2.3"),
    ("deny_rewrite /x", "2.3"),
    ("ignore_global_allow_read", "2.3"),
    ("PREFERENCE::learning={ max_entry=1 }", "2.3"),
    ("1-PREFERENCE::learning={ max_entry=1 }", "2.3"),
    ("PROFILE_VERSION=20100903\nPREFERENCE::audit={ max_grant_log=1 }", "1.7"),
    ("PROFILE_VERSION=20090903\n1-CONFIG::network={ mode=learning }", "1.7"),
    ("PROFILE_VERSION=20090903\n1-CONFIG::file={ mode=learning }", "2.3"),
    ("allow_network TCP bind 0.0.0.0 80", "1.7"),
    ("allow_env PATH", "1.7"),
    ("allow_capability SYS_KILL", "1.7"),
    ("allow_signal 9 <kernel>", "1.7"),
    ("allow_transit //x", "1.7"),
    ("execute_handler /x", "1.7"),
    ("denied_execute_handler /x", "1.7"),
    ("allow_read /x if task.uid=0", "1.7"),
    ("allow_read /x ; set task.state[0]=1", "1.7"),
    ("allow_read /x\nignore_global_allow_env", "1.7"),
    ("allow_read /x\naddress_group A 10.0.0.1", "1.7"),
    ("allow_read /x\n/usr/sbin/ccs-loadpolicy", "1.7"),
    ("PROFILE_VERSION=20100903\nipc signal 1 <kernel>", "1.8"),
    ("PROFILE_VERSION=20110903\ncapability SYS_TIME", "1.8"),
    ("PROFILE_VERSION=20100903\nnetwork inet stream bind/accept 10.0.0.1 1", "1.8"),
    ("PROFILE_VERSION=20100903\nacl_group 0 network inet dgram recv 10.0.0.1 1", "1.8"),
    ("PROFILE_VERSION=20100903\ntask auto_execute_handler /x", "1.8"),
    ("PROFILE_VERSION=20100903\ndeny_autobind 80", "1.8"),
    ("PROFILE_VERSION=20100903\n/usr/sbin/ccs-loadpolicy", "1.8"),
    ("PROFILE_VERSION=20100903\n1-PREFERENCE={ max_audit_log=1 enforcing_penalty=0 }", "1.8"),
    ("PROFILE_VERSION=20110903\n<kernel>\nfile read /x", "2.5"),
    ("PROFILE_VERSION=20150505\nipc signal 1 <kernel>", "today"),
    ("<kernel>\ntask manual_domain_transition <kernel> /x", "today"),
]


@pytest.mark.parametrize(("text", "version"), ONE_LINE)
def test_one_text(text, version):
    assert detect([text]) == version


def test_all_texts_of_a_policy_are_looked_at():
    texts = ["allow_read /x", "PROFILE_VERSION=20090903", "/usr/sbin/ccs-editpolicy"]

    assert [detect(texts[:1]), detect(texts[:2]), detect(texts)] == ["2.3", "2.3", "1.7"]


def test_versions():
    assert set(VERSIONS) == {"1.7", "1.8", "2.2", "2.3", "2.4", "2.5", "2.6"}
    assert [dialect for dialect in Dialect if dialect.has_allow_lines] == ["1.7", "2.2", "2.3"]
