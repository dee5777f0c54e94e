"""Law 3 for programs that talk over the network, both ends in one tree."""

from __future__ import annotations

import pytest
from tests.programs.harness import Place, Program, cases, hold

WAIT = """
wait_for() { sleep 0; n=0; until "$@" >/dev/null 2>&1; do n=$((n + 1)); test $n -lt 100; sleep 0.1; done; }
listening() { wait_for grep -q ":$(printf %04X $1) 00000000:0000 0A" /proc/net/tcp; }
"""
"""Waits until a command succeeds, or a port is listened on; asks for the same whether it has to wait or not."""

PROGRAMS = [
    Program(
        "ssh-keygen",
        "ssh-keygen -q -t ed25519 -N '' -C c -f key; ssh-keygen -q -t rsa -b 2048 -N secret -f rsa; ssh-keygen -p -P secret -N '' -f rsa "
        ">/dev/null; ssh-keygen -lf key.pub | cut -c1-4; ssh-keygen -yf rsa | cut -c1-7; echo data >data; "
        "ssh-keygen -q -Y sign -f key -n file data; ls",
        removes=("ssh-keygen", "file create {work}/key.pub 0644"),
        needs=("ssh-keygen",),
    ),
    Program(
        "openssl",
        WAIT
        + "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=localhost -days 2 2>/dev/null\n"
        "echo page >page\n"
        "openssl s_server -accept 127.0.0.1:{port} -cert cert -key key -naccept 1 -WWW </dev/null >served 2>&1 & server=$!\n"
        "listening {port}\n"
        "printf 'GET /page HTTP/1.0\\r\\n\\r\\n' | "
        "openssl s_client -connect 127.0.0.1:{port} -CAfile cert -quiet -verify_return_error 2>/dev/null\n"
        "wait $server || true; openssl dgst -sha256 page; echo x | openssl enc -aes-128-cbc -k y -pbkdf2 | wc -c",
        removes=("openssl", "file read {work}/page"),
        needs=("openssl",),
    ),
    Program(
        "curl",
        WAIT + "mkdir www; echo content >www/file\n"
        "/usr/bin/python3 -m http.server -b 127.0.0.1 -d www {port} >log 2>&1 & server=$!\n"
        "trap 'kill $server' EXIT\n"
        "listening {port}\n"
        "curl -s http://127.0.0.1:{port}/file; curl -s -o got -w '%{http_code}\\n' http://127.0.0.1:{port}/absent\n"
        "curl -sf http://127.0.0.1:{port}/file -o saved; cat saved; trap - EXIT; kill $server; wait $server 2>/dev/null || echo ended $?",
        removes=("python3", "file read {work}/www/file"),
        needs=("curl", "/usr/bin/python3"),
        ignores=("log",),
    ),
    Program(
        "socat datagrams",
        WAIT + "heard() { wait_for grep -q ${1} /proc/net/udp; }\n"
        "socat -u UDP-RECVFROM:{port},bind=127.0.0.1 CREATE:heard & server=$!\n"
        "heard :$(printf %04X {port})\n"
        "echo by udp | socat -u - UDP-SENDTO:127.0.0.1:{port}; wait $server; cat heard\n"
        "socat -u UNIX-RECVFROM:socket CREATE:logged & server=$!\n"
        "wait_for test -S socket\n"
        "echo by name | socat -u - UNIX-SENDTO:socket; wait $server; cat logged",
        removes=("cat", "file read {work}/heard"),
        needs=("socat",),
    ),
    Program(
        "dnsmasq",
        WAIT
        + "dnsmasq -k -p {port} -a 127.0.0.1 -z -C /dev/null -R -h -A /seven.example/192.0.2.7 --user= -x {work}/pid & server=$!\n"
        "trap 'kill $server' EXIT\n"
        "wait_for test -s pid\n"
        'ask() { dig @127.0.0.1 -p {port} +short +tries=1 +time=20 +noedns "$@"; }\n'
        "ask seven.example; ask +tcp seven.example; ask one.seven.example\n"
        "trap - EXIT; kill $server; wait $server || echo ended $?",
        removes=("dnsmasq", "network inet dgram recv 127.0.0.1 32768-60999"),
        needs=("dnsmasq", "dig"),
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_keeps_law_three(program: Program, place: Place) -> None:
    hold(program, place)
