nc -l -s 127.0.0.1 -p 8083 >got & s=$!
listening 8083
echo hello | nc -N 127.0.0.1 8083
wait $s
cat got
socat -u UNIX-LISTEN:/work/u,fork - >got2 & s=$!
wait_for test -S u
echo hi | socat - UNIX-CONNECT:/work/u
socat -T1 - UDP4:127.0.0.1:9 </dev/null || true
kill $s
wait $s || true
