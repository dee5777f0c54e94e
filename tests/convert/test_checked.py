"""What each version could check."""

import pytest

from sekisho.convert.checked import checked_operations
from sekisho.convert.dialect import Dialect
from sekisho.policy.grammar import PROFILE_OPERATIONS


@pytest.mark.parametrize(
    ("operation", "since"),
    [
        ("file::open", "1.7 1.8 2.2 2.3 2.4 2.5 2.6 today"),
        ("file::chmod", "1.7 1.8 2.2 2.3 2.4 2.5 2.6 today"),
        ("file::getattr", "1.8 2.4 2.5 2.6 today"),
        ("misc::env", "1.7 1.8 2.5 2.6 today"),
        ("network::inet_stream_bind", "1.7 1.8 2.5 2.6 today"),
        ("network::inet_stream_accept", "1.7 1.8 today"),
        ("network::unix_stream_bind", "1.8 2.5 2.6 today"),
        ("network::unix_dgram_recv", "1.8 today"),
        ("ipc::signal", "1.7 1.8 today"),
        ("ipc::ptrace", "today"),
        ("capability::SYS_PTRACE", "1.7 1.8 today"),
        ("capability::use_bpf", "today"),
    ],
)
def test_versions_of_an_operation(operation, since):
    assert " ".join(dialect for dialect in Dialect if operation in checked_operations(dialect)) == since


def test_all_are_operations_of_today():
    assert all(checked_operations(dialect) <= set(PROFILE_OPERATIONS) for dialect in Dialect)
    assert checked_operations(Dialect.TODAY) == set(PROFILE_OPERATIONS)
