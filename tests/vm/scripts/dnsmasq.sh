dnsmasq -k -p 5353 -a 127.0.0.1 -A /test.example/10.1.2.3 --conf-file=/dev/null -x /work/pid -u nobody & s=$!
wait_for test -s pid
python3 -c "import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.settimeout(20);s.sendto(b'\0\1\1\0\0\1\0\0\0\0\0\0\4test\7example\0\0\1\0\1',('127.0.0.1',5353));print(len(s.recv(99)))"
kill $s
wait $s || true
