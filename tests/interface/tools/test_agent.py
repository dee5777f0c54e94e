"""tomoyo-editpolicy-agent, spoken to as the tools speak to it from another machine."""

from __future__ import annotations

import re
import socket

import pytest
from tests.interface.tools.agent import agent
from tests.interface.tools.conftest import DOMAINS, EXCEPTIONS, Tools
from tests.interface.tools.terminal import PATIENCE

pytestmark = [pytest.mark.root, pytest.mark.needs("tomoyo-loadpolicy", "fusermount3")]


def until_nul(sock: socket.socket) -> str:
    """What comes before the next NUL."""
    text = b""
    while not text.endswith(b"\0"):
        piece = sock.recv(65536)
        assert piece, text
        text += piece
    return text[:-1].decode()


def opened(address: str, name: str) -> socket.socket:
    host, port = address.split(":")
    sock = socket.create_connection((host, int(port)), PATIENCE)
    sock.sendall(name.encode() + b"\0")
    assert "" == until_nul(sock)
    return sock


def asked(sock: socket.socket, text: str = "") -> str:
    """What is read after ``text`` was written."""
    sock.sendall(text.encode() + b"\0")
    return until_nul(sock)


def test_files_are_read_and_written_from_afar(tools: Tools) -> None:
    with agent(tools) as address:
        with opened(address, "exception_policy") as sock:
            assert EXCEPTIONS == asked(sock)
        with opened(address, "domain_policy") as sock:
            assert DOMAINS == asked(sock)
            only = asked(sock, "select domain=<kernel> /usr/sbin/sshd\n")
            assert only.startswith("# select domain=<kernel> /usr/sbin/sshd\n<kernel> /usr/sbin/sshd\nuse_profile 1\n")
            asked(sock, "file read /from/afar\n")
        with opened(address, "version") as sock:
            assert asked(sock).startswith("2.6")
    assert "file read /from/afar\n" in tools.run("tomoyo-savepolicy", "-d")


def test_processes_are_listed_from_afar(tools: Tools) -> None:
    with agent(tools) as address:
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), PATIENCE) as sock:
            sock.sendall(b"proc:all_process_status\0")
            text = ""
            while "\0" not in text[1:]:  # the first one acknowledges the name
                text += sock.recv(65536).decode("utf-8", "replace")

    assert re.search(r"^PID=(\d+) PPID=\d+ NAME=tomoyo-editpoli\n\1 0 <kernel>$", text, re.MULTILINE), text
