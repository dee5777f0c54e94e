redis-server --port 6380 --dir /work --daemonize no --save '' --unixsocket /work/s >log & s=$!
listening 6380
redis-cli -p 6380 set a b
redis-cli -s s get a
redis-cli -p 6380 save
redis-cli -p 6380 shutdown nosave
wait $s || true
