from __future__ import annotations

import pytest
from tests.decide.support import request

from sekisho.decide.request import Request
from sekisho.decide.text import request_text
from sekisho.policy.grammar import OPERATIONS


@pytest.mark.parametrize(
    "text",
    [
        "file read /etc/passwd",
        "file create /tmp/x 0644",
        "file mkchar /tmp/n 0600 1 3",
        "file chown /a 1000",
        "file mount none /m/ tmpfs 0x0",
        "network inet stream connect ::1 8082",
        "network unix stream bind /tmp/s",
        "misc env PATH",
        "task manual_domain_transition <kernel> /bin/sh",
    ],
)
def test_requests_read_as_policy(text: str) -> None:
    assert text == request_text(request(text))


def test_hexadecimal_numbers_have_capitals() -> None:
    assert request_text(Request(OPERATIONS["file ioctl"], ("pipe:[1]", 0x541B))) == "file ioctl pipe:[1] 0x541B"


def test_octal_zero_keeps_its_radix() -> None:
    assert request_text(Request(OPERATIONS["file chmod"], ("/a", 0))) == "file chmod /a 00"
