# quick
python3 - <<'END'
import socket
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
    try: socket.socket(socket.AF_UNIX, kind).connect("/work/nobody")
    except OSError: pass
    socket.socket(socket.AF_UNIX, kind).bind(f"\0{kind}")
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM): socket.socket(socket.AF_INET, kind).bind(("127.0.0.1", 8095))
END
