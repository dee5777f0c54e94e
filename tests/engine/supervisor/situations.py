"""The program that test_situations.py runs natively and supervised: each function is one situation.

What a situation returns is printed; nothing in it may differ from run to run.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time

PROGRAM = "/bin/echo"
_LIBC = ctypes.CDLL(None, use_errno=True)


def output(*command, **options):
    """(standard output, status) of a command."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False, **options)
    return done.stdout.decode(), done.stderr.decode(), done.returncode


def write(path, text="text", flags=0):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o644)
    os.write(fd, text.encode())
    os.close(fd)


def read(path, dir_fd=None):
    fd = os.open(path, os.O_RDONLY, dir_fd=dir_fd)
    try:
        return os.read(fd, 4096).decode("latin-1")
    finally:
        os.close(fd)


def failure(function, *arguments, **options):
    """The errno's name, or what came back."""
    try:
        return function(*arguments, **options)
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def in_child(function):
    """What ``function`` returns in a forked process."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, repr(function()).encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    text = b"".join(iter(lambda: os.read(reading, 65536), b"")).decode()
    os.close(reading)
    os.waitpid(child, 0)
    return text


def threads():
    results = {}

    def work(number):
        for turn in range(5):
            write(f"t{number}", str(turn))
            results[number, turn] = read(f"t{number}"), os.stat(f"t{number}").st_size
        os.unlink(f"t{number}")

    started = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for each in started:
        each.start()
    for each in started:
        each.join()
    return sorted(results.items())


def forks():
    write("f")
    return in_child(lambda: in_child(lambda: in_child(lambda: read("f")) + read("f")) + read("f"))


def vfork():
    return [output(PROGRAM, str(number)) for number in range(3)]


def posix_spawn():
    reading, writing = os.pipe()
    child = os.posix_spawn(PROGRAM, [PROGRAM, "spawned"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)])
    os.close(writing)
    text = os.read(reading, 100)
    os.close(reading)
    return text, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def exec_from_thread():
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writing, 1)
        threading.Thread(target=os.execv, args=(PROGRAM, [PROGRAM, "from a thread"])).start()
        while True:
            time.sleep(1)
    os.close(writing)
    text = os.read(reading, 100)
    os.close(reading)
    return text, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def script(name, text):
    write(name, text)
    os.chmod(name, 0o755)


def scripts():
    script("plain", '#!/bin/sh\necho "$0" "$@"\n')
    script("argument", '#! /bin/sh -e\necho "$0" "$@" $-\n')
    script("chained", f"#!{os.getcwd()}/plain one word\n")
    script("chained2", f"#!{os.getcwd()}/chained two\n")
    script("none", "echo no interpreter\n")
    return [output(f"./{name}", "a", "b c") for name in ("plain", "argument", "chained", "chained2")] + [
        failure(output, "./none"),
        output(f"{os.getcwd()}/plain"),
    ]


def static():
    return output("./tiny")


def linked_program():
    os.symlink(PROGRAM, "linked")
    os.symlink("linked", "linked2")
    return output("./linked", "x"), output("./linked2", "y")


def failing_exec():
    write("text.txt", "not a program")
    os.chmod("text.txt", 0o755)
    write("locked")
    names = ("./nothing", "./text.txt", "./locked", ".")
    return [in_child(lambda name=name: failure(os.execv, name, [name])) for name in names], read("locked")


def fexecve():
    def run():
        os.dup2(os.open(PROGRAM, os.O_RDONLY), 70)
        os.execve(70, ["echo", "by descriptor"], {})

    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writing, 1)
        run()
    os.close(writing)
    text = os.read(reading, 100)
    os.close(reading)
    return text, os.waitpid(child, 0)[1]


def relative():
    os.makedirs("sub/inner")
    write("sub/f", "here")
    directory = os.open("sub", os.O_RDONLY)
    inner = os.open("inner", os.O_PATH, dir_fd=directory)
    found = [read("f", dir_fd=directory), read("../f", dir_fd=inner), read("./sub/../sub/inner//../f")]
    os.fchdir(inner)
    found += [read("../f"), read("../../sub/f"), failure(read, "f")]
    os.chdir("../..")
    return found, read("/../" * 5 + os.path.abspath("sub/f"))


def symlinks():
    os.mkdir("sub")
    write("sub/f", "linked")
    os.symlink("sub", "to_sub")
    os.symlink("to_sub/f", "to_f")
    os.symlink(os.path.abspath("to_f"), "absolute")
    os.symlink("../to_sub/../absolute", "sub/back")
    os.symlink("loop", "loop")
    names = ["to_f", "absolute", "sub/back", "to_sub/back", "loop", "to_f/", "loop/x", "to_sub/../to_f"]
    return [failure(read, name) for name in names], os.readlink("to_f"), os.listdir("to_sub/")


def own_proc():
    pid = os.getpid()
    write("f", "proc")
    fd = os.open("f", os.O_RDONLY)
    os.dup2(fd, 80)
    lines = read("/proc/self/status").splitlines()
    found = [
        f"Pid:\t{pid}" in lines,
        os.readlink("/proc/self") == str(pid),
        read("/proc/self/fd/80"),
        read("/dev/fd/80"),
    ]
    os.symlink("/proc/self/fd/80", "elsewhere")
    found += [read("elsewhere"), failure(read, "/proc/self/fd/81")]
    found += [read("/proc/self/cwd/f"), read(f"/proc/{pid}/cwd/f"), read("/proc/self/root" + os.path.abspath("f"))]
    found += [os.readlink("/proc/self/fd/80") == os.path.abspath("f"), "80" in os.listdir("/proc/self/fd")]
    found += [os.readlink("/proc/self/exe") == os.path.realpath(sys.executable), os.stat("/proc/self/fd/80").st_size]
    found += [os.path.samefile("/proc/self/fd/80", "f"), read(f"/proc/{pid}/comm") == read("/proc/self/comm")]
    found += [in_child(lambda: f"Pid:\t{os.getpid()}" in read("/proc/self/status").splitlines())]
    found += [in_child(lambda: f"Pid:\t{pid}" in read(f"/proc/{os.getppid()}/status").splitlines())]
    thread = []
    each = threading.Thread(target=lambda: thread.append(os.readlink("/proc/thread-self")))
    each.start()
    each.join()
    return found, thread[0].startswith(f"{pid}/task/"), thread[0] != f"{pid}/task/{pid}"


def standard_input():
    write("f", "input")
    with open("f") as file:
        done = subprocess.run(["/bin/cat", "/dev/stdin"], stdin=file, capture_output=True, check=False)
    piped = subprocess.run(["/bin/cat", "/dev/stdin"], input=b"piped", capture_output=True, check=False)
    return done.stdout, piped.stdout, isinstance(failure(os.open, "/dev/tty", os.O_RDWR), int)


def to_standard_output():
    return output("/bin/sh", "-c", "echo out >/dev/stdout; echo err >/dev/stderr; echo fd >/dev/fd/1")


def path_only():
    write("f", "path")
    fd = os.open("f", os.O_PATH)
    found = [failure(os.read, fd, 1), os.fstat(fd).st_size, read(f"/proc/self/fd/{fd}"), failure(os.fchmod, fd, 0o600)]
    link = os.open("f", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    return found, fcntl.fcntl(link, fcntl.F_GETFD)


def nameless():
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b"nameless")
    os.link(f"/proc/self/fd/{fd}", "named", src_dir_fd=os.open("/", os.O_PATH), follow_symlinks=True)
    return read("named"), os.stat("named").st_mode, os.fstat(fd).st_nlink


def exclusive():
    write("f")
    os.symlink("made", "dangling")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    found = [failure(os.open, "f", flags), failure(os.open, "dangling", flags)]
    write("dangling", "through")
    os.symlink("sub/none", "broken")
    return found, read("made"), os.path.islink("dangling"), failure(write, "broken")


def deleted():
    write("f", "gone")
    fd = os.open("f", os.O_RDWR)
    os.unlink("f")
    os.ftruncate(fd, 2)
    os.fchmod(fd, 0o640)
    found = [os.fstat(fd).st_size, os.fstat(fd).st_mode, read(f"/proc/self/fd/{fd}"), failure(os.stat, "f")]
    os.mkdir("d")
    os.chdir("d")
    os.rmdir("../d")
    found += [failure(read, "x"), failure(write, "x"), failure(os.listdir, "."), failure(os.mkdir, "x")]
    return found


def fifo():
    os.mkfifo("fifo")
    got = []
    reader = threading.Thread(target=lambda: got.append(read("fifo")))
    reader.start()
    time.sleep(0.1)
    write("other", "not held up")
    write("fifo", "through the fifo")
    reader.join()
    return got, failure(os.open, "fifo", os.O_WRONLY | os.O_NONBLOCK)


def _open_raw(path, flags=os.O_RDONLY):
    fd = _LIBC.open(path.encode(), flags)
    return fd if fd >= 0 else errno.errorcode[ctypes.get_errno()]


def interrupted():
    os.mkfifo("fifo")
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    return _open_raw("fifo")


def restarted():
    os.mkfifo("fifo")
    hits = []
    signal.signal(signal.SIGALRM, lambda *_: hits.append(1))
    signal.siginterrupt(signal.SIGALRM, False)
    writer = subprocess.Popen(["/bin/sh", "-c", "sleep 0.6; echo x >fifo"])
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    fd = _open_raw("fifo")
    got = os.read(fd, 10)
    return isinstance(fd, int), got, hits, writer.wait()


def interrupted_connect():
    server = socket.socket(socket.AF_UNIX)
    server.bind("full")
    server.listen(0)
    first = socket.socket(socket.AF_UNIX)
    first.connect("full")
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    second = socket.socket(socket.AF_UNIX)
    address = b"\1\0full\0"
    result = _LIBC.connect(second.fileno(), address, len(address))
    return result, errno.errorcode[ctypes.get_errno()]


def odd_names():
    names = [
        b"caf\xe9",
        b"\xff\xfe",
        b"a b",
        b"new\nline",
        b"back\\slash",
        b"\\040",
        b"*?[",
        "関所".encode(),
        b"\x01\x7f",
        b"\\*",
    ]
    for name in names:
        write(name, "odd")
    found = [read(name) for name in names], sorted(os.listdir(b"."))
    for name in names:
        os.rename(name, name + b"~")
        os.unlink(name + b"~")
    return found


def long_names():
    write("n" * 255, "long")
    here = os.getcwd()
    path = here + "/" + "./" * 2100
    path = path[: 4095 - 256] + "/" * (4095 - 255 - len(path[: 4095 - 256])) + "n" * 255
    return read("n" * 255), len(path), read(path), failure(read, "/" + path), failure(write, "n" * 256)


def masks():
    before = os.umask(0o077)
    write("private")
    os.mkdir("private_dir")
    os.mkfifo("private_fifo")
    os.umask(0o002)
    write("shared")
    os.mkdir("shared_dir", 0o1777)
    os.umask(before)
    return [oct(os.stat(name).st_mode) for name in ("private", "private_dir", "private_fifo", "shared", "shared_dir")]


def few_descriptors():
    def run():
        import resource

        write("f")
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
        opened: list[int] = []
        while True:
            try:
                opened.append(os.open("f", os.O_RDONLY))
            except OSError as error:
                return errno.errorcode[error.errno or 0], opened[-1]

    return in_child(run)


def flags_kept():
    write("f", "12345")
    os.mkfifo("fifo")
    found = []
    for flags in (
        0,
        os.O_CLOEXEC,
        os.O_APPEND | os.O_WRONLY,
        os.O_NONBLOCK,
        os.O_RDWR | os.O_DSYNC,
        os.O_RDONLY | os.O_DIRECT,
    ):
        fd = _open_raw("f", flags)
        if isinstance(fd, int):
            found.append((fcntl.fcntl(fd, fcntl.F_GETFD), fcntl.fcntl(fd, fcntl.F_GETFL)))
            os.close(fd)
    fd = os.open("f", os.O_WRONLY | os.O_APPEND)
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, b"67")
    made = _open_raw("made", os.O_CREAT | os.O_RDWR | os.O_EXCL | os.O_APPEND)
    made_flags = fcntl.fcntl(made, fcntl.F_GETFL)
    fcntl.fcntl(fd, fcntl.F_SETFL, 0)
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, b"8")
    nonblocking = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK)
    return found, made_flags, read("f"), fcntl.fcntl(nonblocking, fcntl.F_GETFL)


def lowest_descriptor():
    write("f")
    first, second, third = (os.open("f", os.O_RDONLY) for _ in range(3))
    os.close(first)
    again = os.open("f", os.O_RDONLY)
    return again == first, third - second


def inherited():
    write("f", "inherited")
    kept, lost = os.open("f", os.O_RDONLY), os.open("f", os.O_RDONLY)
    os.set_inheritable(kept, True)
    os.dup2(kept, 8)
    os.dup2(lost, 9, inheritable=False)
    return output("/bin/sh", "-c", "cat <&8; (cat <&9) 2>&- || echo closed", close_fds=False)[0]


def streams():
    server = socket.create_server(("127.0.0.1", 0))
    answers = []

    def serve():
        connection, _ = server.accept()
        with connection:
            answers.append(connection.recv(10))
            connection.sendall(b"pong")

    each = threading.Thread(target=serve)
    each.start()
    time.sleep(0.1)
    with socket.create_connection(server.getsockname()) as client:
        client.sendmsg([b"pi", b"ng"])
        got = client.recv(10)
    each.join()
    return got, answers


def unix_sockets():
    server = socket.socket(socket.AF_UNIX)
    server.bind("s")
    server.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect("./s")
    connection, _ = server.accept()
    write("f", "passed along")
    socket.send_fds(client, [b"fd"], [os.open("f", os.O_RDONLY)])
    _, fds, _, _ = socket.recv_fds(connection, 10, 1)
    datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    datagram.bind("d")
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.sendmsg([b"a", b"b"], [], 0, "d")
    with contextlib.closing(sender):
        socket_file = os.stat("d").st_mode
    left, right = socket.socketpair()
    left.sendmsg([b"pair"])
    return os.read(fds[0], 100), datagram.recv(10), oct(socket_file), right.recv(10), client.getpeername()


def lonely_socket():
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    left.close()
    return failure(right.send, b"x"), failure(right.sendmsg, [b"x"])


def broken_pipe():
    def run():
        left, right = socket.socketpair()
        left.close()
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        right.sendmsg([b"x"])

    child = os.fork()
    if not child:
        run()
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def pseudo_terminal():
    leader, follower = pty.openpty()
    os.write(follower, b"to the leader\n")
    return os.read(leader, 100), os.isatty(follower), termios.tcgetattr(follower)[3]


def controlling_terminal():
    pid, leader = pty.fork()
    if not pid:
        fd = os.open("/dev/tty", os.O_RDWR)
        os.write(fd, b"by its name " + str(os.isatty(fd)).encode())
        os._exit(0)
    got = b""
    with contextlib.suppress(OSError):
        while select.select([leader], [], [], 10)[0]:
            more = os.read(leader, 100)
            if not more:
                break
            got += more
    return got, os.waitpid(pid, 0)[1]


def many_children():
    def chain(depth):
        return read("f") if not depth else in_child(lambda: chain(depth - 1))

    write("f", "deep")
    return [in_child(lambda: read("f")) for _ in range(10)], chain(6)


def orphans():
    reading, writing = os.pipe()
    write("f", "orphan")
    child = os.fork()
    if not child:
        if not os.fork():
            while os.getppid() == child:
                time.sleep(0.01)
            time.sleep(0.1)
            os.write(writing, read("f").encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    return os.read(reading, 100)


def double_fork_exec():
    return output("/bin/sh", "-c", "(sleep 0.2; echo later) & (echo sooner; exec /bin/echo exec) ; wait")


def times():
    write("f")
    os.utime("f", (1000000, 2000000))
    status = os.stat("f")
    return status.st_atime, status.st_mtime, os.access("f", os.R_OK), os.access("f", os.X_OK), os.statvfs(".").f_namemax


def renames():
    os.makedirs("a/b")
    write("a/b/f", "moved")
    os.rename("a", "c")
    os.rename("c/b/f", "c/g")
    os.replace("c/g", "c/b/f")
    os.link("c/b/f", "hard")
    return read("hard"), os.stat("hard").st_nlink, failure(os.rename, "c", "c/b/inside"), failure(os.rmdir, "c")


def locked_directory():
    os.mkdir("locked")
    write("locked/f")
    os.chmod("locked", 0o600 if os.getuid() else 0o700)
    found = [failure(read, "locked/f"), failure(lambda: os.stat("locked/f").st_size), failure(write, "locked/new")]
    os.chmod("locked", 0o700)
    return found


def main():
    if sys.argv[1:] == ["nothing"]:
        return
    start = os.getcwd()
    for name in sys.argv[1:]:
        os.mkdir(f"{start}/{name}")
        os.chdir(f"{start}/{name}")
        if name == "static":
            os.link("../tiny", "tiny")
        print(f"{name}\t{in_child(globals()[name])}", flush=True)


if __name__ == "__main__":
    main()
