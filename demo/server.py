"""A small web server with two bugs in it, as a program to be learned, held to what was learned, and attacked.

It is Python's own http.server, which follows symbolic links wherever they lead, with two pages
more: /system, and a calculator that believes whatever it is told.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Handler(SimpleHTTPRequestHandler):
    """Files of the folder, and the two pages."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/system":
            self.reply(200, subprocess.run(["uname", "-sm"], capture_output=True, text=True, check=True).stdout)
        elif address.path == "/sum":
            self.calculate(parse_qs(address.query)["of"][0])
        else:
            super().do_GET()

    def calculate(self, expression: str) -> None:
        try:
            self.reply(200, f"{eval(expression)}\n")  # noqa: S307 - the bug
        except Exception as error:
            self.reply(500, f"{error}\n")

    def reply(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it here."""


def main(folder: str, port: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ThreadingHTTPServer(("127.0.0.1", int(port)), lambda *args: Handler(*args, directory=folder)) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
