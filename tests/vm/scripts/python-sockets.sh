# quick
python3 - <<'END'
import os, socket
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((address, 8090)); s.listen(1)
    c = socket.create_connection((address, 8090)); a, _ = s.accept(); a.sendall(b"x"); c.recv(1)
    for each in (a, c, s): each.close()
    u = socket.socket(family, socket.SOCK_DGRAM); u.bind((address, 8091))
    v = socket.socket(family, socket.SOCK_DGRAM); v.sendto(b"x", (address, 8091)); u.recvfrom(9)
    v.connect((address, 8091)); v.send(b"y"); v.sendmsg([b"z"]); u.recv(9)
    u.close(); v.close()
r = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); r.bind(("127.0.0.1", 0))
r.sendto(b"\x08\0\xf7\xff\0\0\0\0", ("127.0.0.1", 0)); r.close()
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
    for name in (f"sock{int(kind)}", f"\0abstract{int(kind)}"):
        s = socket.socket(socket.AF_UNIX, kind); s.bind(name); s.listen(1)
        c = socket.socket(socket.AF_UNIX, kind); c.connect(name); a, _ = s.accept(); a.send(b"x"); c.recv(1)
        for each in (a, c, s): each.close()
d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.bind("dgram")
e = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); e.sendto(b"x", "dgram"); e.connect("dgram"); e.send(b"y"); d.recv(9)
x, y = socket.socketpair(); x.send(b"x"); y.recv(1)
END
