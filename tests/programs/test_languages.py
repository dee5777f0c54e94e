"""Law 3 for interpreters and what they do with processes, threads and sockets."""

from __future__ import annotations

import pytest
from tests.programs.harness import Place, Program, cases, hold

PYTHON = """
import concurrent.futures, multiprocessing, os, socket, sqlite3, subprocess, sys, tempfile, threading
print(subprocess.run(["echo", "child"], capture_output=True, text=True, check=True).stdout, end="")
print(subprocess.check_output("echo shell | tr a-z A-Z", shell=True, executable="/bin/bash", text=True), end="")
with subprocess.Popen(["cat"], stdin=-1, stdout=-1, process_group=0, pass_fds=[2]) as cat:
    print(cat.communicate(b"piped")[0])
def write(number):
    with open(f"thread{number}", "w") as file:
        file.write(str(number))
    return os.stat(file.name).st_size + (os.spawnlp(os.P_WAIT, "true", "true"))
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(write, range(40))))
with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as named, tempfile.TemporaryFile() as nameless:
    named.write(b"x"); nameless.write(b"y"); open(f"{folder}/in", "w").close()
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    peer, _ = server.accept(); client.sendall(b"tcp"); print(peer.recv(9)); peer.close()
with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
    server.bind("unix"); server.listen(); client.connect("unix"); peer, _ = server.accept()
    socket.send_fds(client, [b"fd"], [2]); print(socket.recv_fds(peer, 9, 1)[0]); peer.close()
with socket.socket(type=socket.SOCK_DGRAM) as server, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
    server.bind(("127.0.0.1", 0)); server.sendto(b"udp", server.getsockname()); print(server.recv(9))
    six.bind(("::1", 0)); six.connect(six.getsockname()); six.send(b"six"); print(six.recv(9))
left, right = socket.socketpair(); left.send(b"pair"); print(right.recv(9)); left.close(); right.close()
def child(queue): queue.put(os.getpid() != os.getppid())
queue = multiprocessing.Queue(); process = multiprocessing.Process(target=child, args=(queue,)); process.start()
print(queue.get(), process.join(), multiprocessing.get_context("spawn").Pool(2).map(abs, [-1, -2]))
pid = os.fork()
if not pid:
    os.setsid(); os._exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), os.getuid() == os.geteuid())
""".replace("\n", "\n")

PERL = """
use strict; use warnings; use File::Temp qw(tempfile); use File::Find; use IO::Socket::INET; use Fcntl qw(:flock);
my ($fh, $name) = tempfile(UNLINK => 1); print $fh "text"; close $fh; print -s $name, "\\n";
open(my $out, ">", "made") or die $!; flock($out, LOCK_EX); print $out "x" x 10; close $out; chmod 0600, "made"; utime 1, 1, "made";
print `echo from a shell; cat made`; open(my $pipe, "-|", "sort", "made") or die $!; print <$pipe>; close $pipe;
find(sub { print "$_\\n" if -f }, "."); rename "made", "renamed"; symlink "renamed", "link"; print readlink "link", "\\n";
my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die $@;
if (my $pid = fork) { my $c = $server->accept; print scalar <$c>; waitpid $pid, 0 } else {
    my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $server->sockport); print $c "hello\\n"; exit 0 }
unlink "link"; mkdir "d"; opendir(my $d, ".") or die $!; print join(" ", sort readdir $d), "\\n"; exec "true";
"""

PROGRAMS = [
    Program(
        "perl",
        f"cat >p.pl <<'END'\n{PERL}\nEND\nperl p.pl",
        removes=("perl", "file rename {work}/made {work}/renamed"),
        needs=("perl",),
        survives=True,
    ),
    Program(
        "python",
        f"cat >p.py <<'END'\nif __name__ == '__main__':\n{''.join('    ' + line + chr(10) for line in PYTHON.splitlines())}\nEND\n"
        "/usr/bin/python3 p.py",
        removes=("python3", "file mksock {work}/unix 0755"),
        needs=("/usr/bin/python3",),
    ),
    Program(
        "python's venv",
        "/usr/bin/python3 -m venv v; v/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)'; . v/bin/activate; "
        "python -m compileall -q v/lib >compiled 2>&1 || true; python -m pip --version | cut -c1-3; python -c 'import ensurepip, json, email'",
        removes=("python3", "file create {work}/v/pyvenv.cfg 0666"),
        needs=("/usr/bin/python3",),
    ),
    Program(
        "sqlite3",
        "sqlite3 base.db 'create table t(a); insert into t values (1), (2); select sum(a) from t;'; "
        "sqlite3 base.db 'pragma journal_mode=wal; insert into t values (3); select count(*) from t; vacuum; create index i on t(a)'; "
        "sqlite3 base.db .dump | sqlite3 copy.db; sqlite3 copy.db '.backup again.db'; sqlite3 again.db 'pragma integrity_check'",
        removes=("sqlite3", "file create {work}/base.db-journal 0644"),
        needs=("sqlite3",),
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_keeps_law_three(program: Program, place: Place) -> None:
    hold(program, place)
