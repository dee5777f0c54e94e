"""The program that the tests of keywords run under supervision.

Its argument names a JSON file: system call numbers, an optional preparation, and steps. A step is a
line of Python and the directory it plays in; what became of each is printed as one line: its name
and 0 or an errno.
"""

import ctypes
import json
import os
import socket
import struct
import sys

AT = -100
EMPTY, NOFOLLOW, FOLLOW, REMOVEDIR = 0x1000, 0x100, 0x400, 0x200
NUMBERS: dict[str, int] = {}
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long
_kept: list[object] = []


def call(name, *arguments):
    """The raw system call; integers pass as longs, bytes and buffers as pointers. Raises OSError."""
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = _LIBC.syscall(ctypes.c_long(NUMBERS[name]), *passed)
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result


def buffer(data):
    """Bytes in memory that a structure may point to."""
    made = ctypes.create_string_buffer(data, len(data))
    _kept.append(made)
    return made


def address(data):
    return ctypes.addressof(buffer(data))


def how(flags, mode=0, resolve=0):
    return buffer(struct.pack("QQQ", flags, mode, resolve))


def room(size=256):
    return buffer(bytes(size))


def unix(path):
    return buffer(struct.pack("H", socket.AF_UNIX) + path + b"\0")


def abstract(name):
    return buffer(struct.pack("H", socket.AF_UNIX) + b"\0" + name)


def inet(port, host="127.0.0.1"):
    return buffer(struct.pack("H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host)))


def inet6(port, host="::1"):
    family = struct.pack("H", socket.AF_INET6)
    return buffer(family + struct.pack("!HI16sI", port, 0, socket.inet_pton(socket.AF_INET6, host), 0))


def sock(family, kind, protocol=0):
    return socket.socket(family, kind, protocol).detach()


UNIX, INET, INET6 = socket.AF_UNIX, socket.AF_INET, socket.AF_INET6
STREAM, DGRAM, SEQPACKET, RAW = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW
NONBLOCK, DONTWAIT = socket.SOCK_NONBLOCK, socket.MSG_DONTWAIT


def message(to, payload=b"x"):
    """A struct msghdr with a destination."""
    vector = address(struct.pack("QQ", address(payload), len(payload)))
    return struct.pack("QIxxxxQQQQixxxx", ctypes.addressof(to), len(to), vector, 1, 0, 0, 0)


def message_with(to, level, kind, data):
    """The same with one control message."""
    control = struct.pack("Qii", 16 + len(data), level, kind) + data
    head = struct.unpack("QIxxxxQQQQixxxx", message(to))
    return struct.pack("QIxxxxQQQQixxxx", *head[:4], address(control), len(control), 0)


def vector(*words):
    """A NULL-terminated array of strings."""
    return buffer(struct.pack(f"{len(words) + 1}Q", *(address(word + b"\0") for word in words), 0))


def execute(name, *arguments):
    """The exec's errno, or 0 when the program ran and ended well."""
    child = os.fork()
    if not child:
        try:
            call(name, *arguments)
        except OSError as failure:
            os._exit(failure.errno or 99)
        finally:
            os._exit(99)
    check(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def inside(code, scope):
    """``code`` runs in a child, so that what it does to itself ends with it."""
    child = os.fork()
    if not child:
        os._exit(attempt(code, scope))
    check(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def check(code):
    if code:
        raise OSError(code, os.strerror(code) if code > 0 else f"signal {-code}")


_children: list[int] = []


def sleeper(group=False):
    """A child that stays until the step is over, in a process group of its own if so asked."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    if group:
        os.setpgid(child, child)
    _children.append(child)
    return child


def information(number):
    """A siginfo_t as sigqueue(3) makes it."""
    return buffer(struct.pack("iii", number, 0, -1) + bytes(116))


def attempt(code, scope):
    try:
        exec(code, scope)
    except OSError as failure:
        return failure.errno
    return 0


def main():
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    NUMBERS.update(plan["numbers"])
    exec(plan.get("before", ""), globals())
    os.umask(0)
    for name, code, directory, number, port in plan["steps"]:
        scope = {
            **globals(),
            "UID": os.getuid(),
            "GID": os.getgid(),
            "d": os.fsencode(directory),
            "number": number,
            "port": port,
        }
        os.chdir(directory)
        print(name, attempt(code, scope), sep="\t", flush=True)
        _kept.clear()
        os.closerange(3, 64)
        while _children:
            os.waitpid(_children.pop(), 0)


if __name__ == "__main__":
    main()
