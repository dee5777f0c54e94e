"""What deny_rewrite covers."""

import pytest

from sekisho.convert.overwriting import Covered, Overwriting


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("/var/log/messages", Covered.YES),
        ("/var/log/a/b", Covered.NO),
        ("/var/run/utmp", Covered.YES),
        ("/var/run/x", Covered.NO),
        (r"/var/log/\*", Covered.YES),
        (r"/var/log/\*.log", Covered.UNKNOWN),
        (r"/var/\*", Covered.UNKNOWN),
        (r"/var/\*/", Covered.NO),
        (r"/tmp/\*", Covered.NO),
        ("@LOGS", Covered.YES),
        ("@MIXED", Covered.UNKNOWN),
        ("@TEMPORARY", Covered.NO),
        ("@NOWHERE", Covered.NO),
        (r"/bad\q", Covered.NO),
    ],
)
def test_what_is_denied(name, covered):
    groups = {"LOGS": ["/var/log/a", "/var/log/b"], "MIXED": ["/var/log/a", "/x"], "TEMPORARY": [r"/tmp/\*"]}
    overwriting = Overwriting([r"/var/log/\*", "/var/run/utmp", r"/\q"], groups)

    assert overwriting.is_denied(name) is covered


def test_a_group_may_be_what_covers():
    overwriting = Overwriting([], {"LOGS": ["/var/log/a", r"/var/log/b\*"]})

    assert overwriting.covered("/var/log/a", ["@LOGS"]) is Covered.YES
    assert overwriting.covered("/var/log/bc", ["@LOGS"]) is Covered.YES
    assert overwriting.covered("/var/log/c", ["@LOGS"]) is Covered.NO
