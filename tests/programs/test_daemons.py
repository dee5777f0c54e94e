"""Law 3 for daemons that start as root and leave it: nginx, sshd, cron."""

from __future__ import annotations

import pytest
from tests.programs.harness import Place, Program, cases, hold
from tests.programs.test_network import WAIT

NGINX = """
mkdir -p www logs; echo page >www/page; chmod 711 . www; chmod 644 www/page
cat >nginx.conf <<'END'
user www-data;
worker_processes 2;
pid {work}/logs/pid;
error_log {work}/logs/error;
events { worker_connections 16; }
http {
  access_log {work}/logs/access;
  client_body_temp_path {work}/logs/body; proxy_temp_path {work}/logs/proxy; fastcgi_temp_path {work}/logs/fastcgi;
  uwsgi_temp_path {work}/logs/uwsgi; scgi_temp_path {work}/logs/scgi;
  server { listen 127.0.0.1:{port}; root {work}/www; sendfile on; }
}
END
"""

SSHD = """
chmod 755 .
ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f login; cp login.pub authorized
echo "[127.0.0.1]:{port} $(cat host.pub)" >known
mkdir -p /run/sshd
cat >sshd_config <<'END'
ListenAddress 127.0.0.1:{port}
HostKey {work}/host
AuthorizedKeysFile {work}/authorized
PidFile {work}/pid
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin yes
PrintMotd no
PrintLastLog no
# So deep a shell doesn't look at root's own .bashrc.
SetEnv SHLVL=5
END
"""

NGINX_RUN = (
    WAIT
    + """
nginx -t -q -c {work}/nginx.conf -e {work}/logs/error
nginx -c {work}/nginx.conf -e {work}/logs/error
wait_for test -s logs/pid
read -r server <logs/pid
trap 'kill $server' EXIT
listening {port}
curl -s http://127.0.0.1:{port}/page
echo new >www/page
nginx -s reload -c {work}/nginx.conf -e {work}/logs/error
sleep 0.5
curl -s http://127.0.0.1:{port}/page
curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:{port}/absent
nginx -s quit -c {work}/nginx.conf -e {work}/logs/error
wait_for test ! -e logs/pid
trap - EXIT
"""
)

SSHD_RUN = (
    WAIT
    + """
/usr/sbin/sshd -D -f {work}/sshd_config -E log & server=$!
trap 'kill $server' EXIT
wait_for test -s pid
listening {port}
login() { ssh -F none -i login -o UserKnownHostsFile={work}/known -o IdentitiesOnly=yes -p {port} root@127.0.0.1 "$@"; }
login 'id -u; echo $SSH_CONNECTION | cut -d" " -f3'
echo piped | login cat
login exit 5 || echo ended $?
login -tt 'test -t 0 && echo terminal' 2>/dev/null
kill $server
trap - EXIT
wait $server || true
"""
)

PROGRAMS = [
    Program(
        "nginx",
        NGINX_RUN,
        setup=NGINX,
        removes=("nginx", "file read {work}/www/page"),
        needs=("nginx", "curl"),
        survives=True,
        ignores=("access", "error"),
    ),
    Program(
        "sshd",
        SSHD_RUN,
        setup=SSHD,
        removes=("sshd", "file read {work}/authorized"),
        needs=("sshd", "ssh-keygen"),
        ignores=("log", "host", "login", "host.pub", "login.pub", "authorized", "known"),
    ),
]


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_keeps_law_three(program: Program, root_place: Place) -> None:
    hold(program, root_place)
