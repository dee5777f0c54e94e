mkdir w
echo x >w/f
python3 -m http.server -b 127.0.0.1 -d w 8082 >log 2>&1 & s=$!
listening 8082
curl -s http://127.0.0.1:8082/f
curl -s -o saved http://localhost:8082/f
curl -sI http://127.0.0.1:8082/none
curl -s file:///etc/hostname
kill $s
wait $s || true
