"""The program that test_peers.py runs natively and supervised: connections and datagrams, each function one situation.

What a situation returns is printed; nothing in it may differ from run to run.
"""

import ctypes
import errno
import fcntl
import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
import time

_LIBC = ctypes.CDLL(None, use_errno=True)
_STREAM, _DGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
_TIMEOUT = struct.pack("qq", 0, 150_000)
_WAITFORONE = 0x10000
_PKTINFO, _RECVERR, _ERRQUEUE = 8, 11, 0x2000


def failure(function, *arguments, **options):
    """The errno's name, or what came back."""
    try:
        return function(*arguments, **options)
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def raw(name, *arguments):
    """A function of the C library; raises OSError."""
    result = getattr(_LIBC, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


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


def listening(path=""):
    """A listening socket: at a UNIX path, or on the loopback device."""
    sock = socket.socket(socket.AF_UNIX if path else socket.AF_INET, _STREAM)
    sock.bind(path or ("127.0.0.1", 0))
    sock.listen(16)
    return sock


def client(of):
    """A socket connected to the listening socket ``of``."""
    sock = socket.socket(of.family, _STREAM)
    sock.connect(of.getsockname())
    return sock


def later(function, seconds=0.1):
    """``function`` runs in another thread, a little later."""
    thread = threading.Timer(seconds, function)
    thread.start()
    return thread


def datagrams(family=socket.AF_INET, host="127.0.0.1"):
    """Two bound datagram sockets."""
    pair = socket.socket(family, _DGRAM), socket.socket(family, _DGRAM)
    for each in pair:
        each.bind((host, 0))
    return pair


def accepted_at_once():
    sock = listening()
    with client(sock) as other:
        connection, peer = sock.accept()
        other.sendall(b"hello")
        return connection.recv(5), peer == other.getsockname(), connection.getpeername() == peer, sock.getblocking()


def accepted_after_waiting():
    sock = listening()
    made = []
    thread = later(lambda: made.append(client(sock)))
    connection, peer = sock.accept()
    thread.join()
    return peer == made[0].getsockname(), connection.getsockname() == sock.getsockname()


def accept_flags():
    sock = listening()
    found: list[object] = []
    for flags in (0, os.O_NONBLOCK, os.O_CLOEXEC, os.O_NONBLOCK | os.O_CLOEXEC, 1):
        with client(sock):
            fd = failure(raw, "accept4", sock.fileno(), None, None, flags)
            if isinstance(fd, str):
                found.append(fd)
                continue
            found.append((fcntl.fcntl(fd, fcntl.F_GETFD), fcntl.fcntl(fd, fcntl.F_GETFL), os.fstat(fd).st_uid))
            os.close(fd)
    return found, fcntl.fcntl(sock.fileno(), fcntl.F_GETFL)


def accept_addresses():
    found: list[object] = []
    address, size = ctypes.create_string_buffer(128), ctypes.c_int(0)
    for sock in (listening(), listening("path")):
        for room in (0, 1, 4, 128, -1):
            with client(sock):
                size = ctypes.c_int(room)
                address = ctypes.create_string_buffer(b"\xee" * 128, 128)
                fd = failure(raw, "accept", sock.fileno(), address, ctypes.byref(size))
                found.append((isinstance(fd, int), size.value, address.raw[:2], address.raw[4:]))
    with client(sock):
        found.append(failure(raw, "accept", sock.fileno(), ctypes.c_void_p(8), ctypes.byref(size)))
    with client(sock):
        found.append(failure(raw, "accept", sock.fileno(), address, ctypes.c_void_p(8)))
    return found


def accept_errors():
    stream, datagram = socket.socket(), socket.socket(type=_DGRAM)
    near, _ = socket.socketpair()
    closed = listening("closed")
    closed.shutdown(socket.SHUT_RD)
    shut = listening()
    shut.shutdown(socket.SHUT_RD)
    numbers = [stream.fileno(), datagram.fileno(), near.fileno(), closed.fileno(), shut.fileno(), 999, 0]
    return [failure(raw, "accept", number, None, None) for number in numbers]


def accept_without_waiting():
    sock = listening()
    sock.setblocking(False)
    found = [failure(sock.accept)]
    with client(sock):
        select.select([sock], [], [], 10)
        found.append(sock.accept()[0].getblocking())
        found.append(failure(sock.accept))
    return found


def accept_for_a_while():
    sock = listening()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEOUT)
    began = time.monotonic()
    found = failure(raw, "accept", sock.fileno(), None, None)
    return found, 0.1 < time.monotonic() - began < 5


def _interrupted(restarts, timeout=b""):
    """What an accept comes to that is signalled first, and then has a client."""
    sock = listening()
    if timeout:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
    caught, made = [], []
    signal.signal(signal.SIGALRM, lambda *_: caught.append(1))
    signal.siginterrupt(signal.SIGALRM, not restarts)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    thread = later(lambda: made.append(client(sock)), 1.2)
    fd = failure(raw, "accept", sock.fileno(), None, None)
    thread.join()
    return fd if isinstance(fd, str) else "accepted", len(caught)


def accept_interrupted():
    return _interrupted(False), _interrupted(True), _interrupted(True, struct.pack("qq", 20, 0))


def accept_without_descriptors():
    sock = listening()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with client(sock) as other:
        spare = os.open("/dev/null", os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare + 1, limits[1]))
        found = failure(raw, "accept", sock.fileno(), None, None)
        os.close(spare)
        connection, _ = sock.accept()
        connection.sendall(b"kept")
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        return found, other.recv(4)


def many_servers():
    sock = listening()

    def serve():
        for _ in range(4):
            connection, _ = sock.accept()
            connection.sendall(connection.recv(10).upper())
            connection.close()

    children = []
    for _ in range(3):
        children.append(os.fork())
        if not children[-1]:
            serve()
            os._exit(0)
    answers = []
    for number in range(12):
        with client(sock) as other:
            other.sendall(b"call %d" % number)
            answers.append(other.recv(10))
    return answers, [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def many_threads():
    """Each datagram from somebody else."""
    near, far = datagrams()
    got: list[bytes] = []

    def receive():
        while (data := near.recvfrom(100)[0]) != b"end":
            got.append(data)

    threads = [threading.Thread(target=receive) for _ in range(4)]
    for each in threads:
        each.start()
    for number in range(60):
        with socket.socket(type=_DGRAM) as sender:
            sender.bind((f"127.0.0.{number + 1}", 0))
            sender.sendto(b"%d" % number, near.getsockname())
    for _ in threads:
        far.sendto(b"end", near.getsockname())
    for each in threads:
        each.join()
    return sorted(got, key=int)


def received():
    found: list[object] = []
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        near, far = datagrams(family, host)
        thread = later(lambda far=far, near=near: far.sendto(b"late", near.getsockname()))
        data, peer = near.recvfrom(100)
        thread.join()
        found.append((data, peer == far.getsockname()))
        for data, size, flags in (
            (b"peeked", 3, socket.MSG_PEEK),
            (b"", 9, 0),
            (b"truncated", 4, socket.MSG_TRUNC),
            (b"all", 100, socket.MSG_WAITALL),
            (b"now", 100, socket.MSG_DONTWAIT),
            (b"nothing", 0, 0),
            (b"x" * 60000, 65536, 0),
        ):
            far.sendto(data, near.getsockname())
            select.select([near], [], [], 10)
            buffer = ctypes.create_string_buffer(65536)
            address, room = ctypes.create_string_buffer(128), ctypes.c_int(128)
            result = failure(raw, "recvfrom", near.fileno(), buffer, size, flags, address, ctypes.byref(room))
            found.append((result, room.value, buffer.raw.rstrip(b"\0")[:20]))
            if flags & socket.MSG_PEEK:
                found.append(near.recv(100))
        found.append(failure(near.recvfrom, 10, socket.MSG_DONTWAIT))
    return found


def receive_for_a_while():
    near = datagrams()[0]
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEOUT)
    began = time.monotonic()
    found = [failure(near.recvfrom, 10), 0.1 < time.monotonic() - began < 5]
    return [*found, failure(near.recvmsg, 10)]


def receive_interrupted():
    near, far = datagrams()
    caught = []
    signal.signal(signal.SIGALRM, lambda *_: caught.append(1))
    found: list[object] = []
    for restarts in (False, True):
        signal.siginterrupt(signal.SIGALRM, not restarts)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        thread = later(lambda: far.sendto(b"later", near.getsockname()), 0.6)
        buffer, room = ctypes.create_string_buffer(100), ctypes.c_int(0)
        found.append(failure(raw, "recvfrom", near.fileno(), buffer, 100, 0, buffer, ctypes.byref(room)))
        thread.join()
        found.append(failure(near.recv, 10, socket.MSG_DONTWAIT))
    return found, len(caught)


def receive_errors():
    near, far = datagrams()
    gone = far.getsockname()
    far.close()
    near.connect(gone)
    near.send(b"to nobody")
    found = [failure(near.recvfrom, 10)]
    near.send(b"to nobody")
    found.append(failure(near.recvmsg, 10))
    room = ctypes.c_int(-1)
    buffer = ctypes.create_string_buffer(100)
    near, far = datagrams()
    for number in (999, 0):
        found.append(failure(raw, "recvfrom", number, buffer, 100, 0, buffer, ctypes.byref(room)))
    for address, size in ((buffer, ctypes.byref(room)), (buffer, None), (ctypes.c_void_p(8), ctypes.c_void_p(8))):
        far.sendto(b"x", near.getsockname())
        found.append(failure(raw, "recvfrom", near.fileno(), buffer, 100, 0, address, size))
    far.sendto(b"x", near.getsockname())
    room.value = 100
    found.append(failure(raw, "recvfrom", near.fileno(), ctypes.c_void_p(8), 100, 0, buffer, ctypes.byref(room)))
    found.append(failure(raw, "recvmsg", near.fileno(), ctypes.c_void_p(8), 0))
    return found


def receive_after_shutdown():
    near, far = datagrams()
    near.connect(far.getsockname())
    near.shutdown(socket.SHUT_RD)
    one, _other = socket.socketpair(socket.AF_UNIX, _DGRAM)
    one.shutdown(socket.SHUT_RD)
    return [failure(each.recvfrom, 10, flags) for each in (near, one) for flags in (0, socket.MSG_DONTWAIT)]


def receive_messages():
    near, far = datagrams()
    near.setsockopt(socket.IPPROTO_IP, _PKTINFO, 1)
    found: list[object] = []
    for data, rooms, control in (
        (b"scattered", (3, 100), 0),
        (b"cut short", (2, 2), 100),
        (b"", (5,), 100),
        (b"t", (1,), 8),
    ):
        far.sendto(data, near.getsockname())
        buffers = [bytearray(room) for room in rooms]
        size, ancillary, flags, peer = near.recvmsg_into(buffers, control)
        kinds = [(level, kind, len(body)) for level, kind, body in ancillary]
        found.append((size, buffers, kinds, flags, peer == far.getsockname()))
    return found


def _with_descriptors(sock, flags=0):
    """(data, descriptors, flags, peer): socket.recv_fds(3.11) forgets its flags."""
    data, ancillary, out, peer = sock.recvmsg(10, socket.CMSG_LEN(20), flags)
    return data, [fd for _, _, body in ancillary for (fd,) in struct.iter_unpack("i", body)], out, peer


def receive_descriptors():
    one, other = socket.socketpair(socket.AF_UNIX, _DGRAM)
    found: list[object] = []
    for flags in (0, socket.MSG_CMSG_CLOEXEC, socket.MSG_PEEK):
        reading, writing = os.pipe()
        socket.send_fds(one, [b"data"], [writing, writing])
        data, fds, out, peer = _with_descriptors(other, flags)
        for fd in fds:
            os.write(fd, b"through")
        found.append((data, os.read(reading, 100), out, peer, [fcntl.fcntl(fd, fcntl.F_GETFD) for fd in fds]))
        if flags & socket.MSG_PEEK:
            other.recv(10)
        for fd in (*fds, reading, writing):
            os.close(fd)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    reading, writing = os.pipe()
    socket.send_fds(one, [b"data"], [writing] * 3)
    resource.setrlimit(resource.RLIMIT_NOFILE, (writing + 2, limits[1]))
    _, fds, out, _ = _with_descriptors(other)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    return found, len(fds), out


def receive_credentials():
    one, other = socket.socketpair(socket.AF_UNIX, _DGRAM)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    one.send(b"me")
    data, ancillary, flags, _ = other.recvmsg(10, 100)
    mine = struct.pack("iii", os.getpid(), os.getuid(), os.getgid())
    return data, flags, [(level, kind, body == mine) for level, kind, body in ancillary]


def receive_by_name():
    one, other = socket.socket(socket.AF_UNIX, _DGRAM), socket.socket(socket.AF_UNIX, _DGRAM)
    one.bind("one")
    found: list[object] = []
    for bound in (False, True):
        if bound:
            other.bind("other")
        other.sendto(b"text", "one")
        found.append(one.recvfrom(10))
        other.sendto(b"text", "one")
        found.append(one.recvmsg(10))
    return found


def _several(sock, count, flags, timeout=None):
    """What recvmmsg(2) does with room for ``count`` datagrams: (result, the datagrams)."""
    buffers = [ctypes.create_string_buffer(20) for _ in range(count)]
    vectors = [ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(each), 20), 16) for each in buffers]
    heads = b"".join(
        struct.pack("QIxxxxQQQQixxxxIxxxx", 0, 0, ctypes.addressof(each), 1, 0, 0, 0, 0) for each in vectors
    )
    block = ctypes.create_string_buffer(heads, len(heads))
    result = failure(raw, "recvmmsg", sock.fileno(), block, count, flags, timeout)
    sizes = [struct.unpack_from("I", block.raw, 64 * number + 56)[0] for number in range(count)]
    return result, [each.raw[:size] for each, size in zip(buffers, sizes, strict=True)]


def receive_several():
    near, far = datagrams()

    def send(*words):
        for word in words:
            far.sendto(word, near.getsockname())
        select.select([near], [], [], 10)

    send(b"one", b"two", b"three")
    found = [_several(near, 2, 0), _several(near, 4, _WAITFORONE)]
    thread = later(lambda: send(b"late"))
    found.append(_several(near, 4, _WAITFORONE))
    thread.join()
    send(b"first")
    thread = later(lambda: send(b"second"))
    found.append(_several(near, 2, 0))
    thread.join()
    send(b"a", b"b")
    found += [_several(near, 3, socket.MSG_DONTWAIT), _several(near, 3, socket.MSG_DONTWAIT), _several(near, 0, 0)]
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEOUT)
    send(b"only")
    found += [_several(near, 3, 0), _several(near, 3, 0)]
    send(b"c", b"d")
    return [*found, _several(near, 3, 0, ctypes.create_string_buffer(struct.pack("qq", 0, 0), 16))]


def error_queue():
    near, far = datagrams()
    gone = far.getsockname()
    far.close()
    near.setsockopt(socket.IPPROTO_IP, _RECVERR, 1)
    near.connect(gone)
    near.send(b"to nobody")
    data, ancillary, flags, peer = near.recvmsg(100, 200, _ERRQUEUE)
    found = [data, [(level, kind) for level, kind, _ in ancillary], flags, peer == gone]
    near.send(b"to nobody")
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEOUT)
    return [*found, failure(near.recvfrom, 10), failure(near.recvfrom, 10)]


def mapped():
    sock = socket.socket(socket.AF_INET6, _DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", 0))
    other = socket.socket(socket.AF_INET, _DGRAM)
    other.bind(("127.0.0.1", 0))
    other.sendto(b"x", ("127.0.0.1", sock.getsockname()[1]))
    data, peer = sock.recvfrom(10)
    return data, peer[0], peer[1] == other.getsockname()[1], peer[2:]


def _answers(near, far, send):
    """What ``near``, which doesn't ask who answers, reads when it has asked ``far``."""
    near.settimeout(5)
    send(b"question")
    far.sendto(b"answer", far.recvfrom(99)[1])
    return os.read(near.fileno(), 99), failure(near.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR)


def answers_read():
    found = []
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET, "0.0.0.0")):
        far = socket.socket(family, _DGRAM)
        far.bind((host, 0))
        with socket.socket(family, _DGRAM) as near, far:
            near.connect((host, far.getsockname()[1]))
            found.append(_answers(near, far, near.send))
        if host != "0.0.0.0":
            near, far = datagrams(family, host)
            found.append(_answers(near, far, lambda data, near=near, far=far: near.sendto(data, far.getsockname())))
    return found


def made():
    """Flags, numbers and errors of sockets that are made."""
    found = []
    for kind in (_DGRAM, _DGRAM | socket.SOCK_NONBLOCK, _DGRAM | socket.SOCK_CLOEXEC):
        for family, protocol in (
            (socket.AF_INET, 0),
            (socket.AF_INET6, 17),
            (socket.AF_INET, 6),
            (socket.AF_INET, 999),
        ):
            number = failure(raw, "socket", family, kind, protocol)
            found.append(number)
            if isinstance(number, int):
                found += [fcntl.fcntl(number, command) for command in (fcntl.F_GETFL, fcntl.F_GETFD)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))
    return found, [failure(raw, "socket", socket.AF_INET, _DGRAM, protocol) for protocol in (0, 6)]


def filters():
    """A filter of the program's own, as DHCP clients have it; what it leaves is received."""
    near, far = datagrams()
    near.setblocking(False)
    found = []
    # Keeps what begins with an A.
    codes = (0x50, 0, 0, 8), (0x15, 0, 1, 65), (6, 0, 0, 0xFFFFFFFF), (6, 0, 0, 0)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in codes))
    program = struct.pack("HxxxxxxQ", len(codes), ctypes.addressof(code))

    def receive():
        for data in (b"A1", b"B1", b"", b"A2"):
            far.sendto(data, near.getsockname())
        return [failure(near.recv, 99) for _ in range(4)]

    for option, value in ((27, bytes(4)), (26, program), (26, program[:9]), (26, bytes(16)), (27, b""), (27, bytes(4))):
        found += [failure(near.setsockopt, socket.SOL_SOCKET, option, value), receive()]
        while failure(near.recv, 99) != "EAGAIN":
            pass
    near.setsockopt(socket.SOL_SOCKET, 26, program)
    near.setsockopt(socket.SOL_SOCKET, 44, 1)
    found += [failure(near.setsockopt, socket.SOL_SOCKET, option, program) for option in (26, 27, 44)]
    return found, failure(near.setsockopt, socket.SOL_SOCKET, 44, 0), receive()


def groups():
    """A multicast group on this machine."""
    near, far = socket.socket(socket.AF_INET, _DGRAM), socket.socket(socket.AF_INET, _DGRAM)
    near.bind(("239.1.2.3", 0))
    near.settimeout(1)
    member = socket.inet_aton("239.1.2.3") + socket.inet_aton("127.0.0.1")
    joined = failure(near.setsockopt, socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    far.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    far.bind(("127.0.0.1", 0))
    failure(far.sendto, b"to all", ("239.1.2.3", near.getsockname()[1]))
    return joined, failure(lambda: near.recvfrom(99)[0])


def echoes():
    """ping(8) without privilege."""
    sock = failure(socket.socket, socket.AF_INET, _DGRAM, socket.IPPROTO_ICMP)
    if isinstance(sock, str):
        return sock
    sock.settimeout(5)
    sock.sendto(struct.pack(">BBHHH", 8, 0, 0, 0, 1) + b"echo", ("127.0.0.1", 0))
    data, sender = sock.recvfrom(99)
    sock.sendto(struct.pack(">BBHHH", 8, 0, 0, 0, 2) + b"again", ("127.0.0.1", 0))
    return data[8:], sender, os.read(sock.fileno(), 99)[8:]


def many_in_one():
    """UDP segments that are sent and received as one."""
    near, far = datagrams()
    asked = failure(near.setsockopt, socket.IPPROTO_UDP, 104, 1), failure(far.setsockopt, socket.IPPROTO_UDP, 103, 100)
    far.sendto(b"x" * 1000, near.getsockname())
    return asked, near.recvmsg(9999, 99)[:3]


def many_on_streams():
    one, other = socket.socketpair()
    one.sendall(b"stream" * 20)
    found = [other.recvmsg(6) for _ in range(3)] + [other.recvfrom(6)]
    socket.send_fds(one, [b""], [])
    packets = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    packets[0].send(b"packet")
    return found, packets[1].recvmsg(10)


def main():
    start = os.getcwd()
    for name in sys.argv[1:]:
        os.mkdir(f"{start}/{name}")
        os.chdir(f"{start}/{name}")
        print(f"{name}\t{in_child(globals()[name])}", flush=True)


if __name__ == "__main__":
    main()
