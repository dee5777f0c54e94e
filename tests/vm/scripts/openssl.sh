openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=localhost -days 2 2>/dev/null
echo page >page
openssl s_server -accept 127.0.0.1:8443 -cert cert -key key -naccept 1 -WWW </dev/null >served 2>&1 & s=$!
listening 8443
printf 'GET /page HTTP/1.0\r\n\r\n' | openssl s_client -connect 127.0.0.1:8443 -CAfile cert -quiet 2>/dev/null
wait $s || true
openssl dgst -sha256 page
openssl rand -hex 4
