mkdir www; echo page >www/page; chmod -R a+rX .
cat >conf <<'END'
server.document-root = "/work/www"
server.bind = "127.0.0.1"
server.port = 8081
server.modules = ("mod_accesslog")
accesslog.filename = "/work/access"
END
#--- run
lighttpd -D -f conf 2>log & s=$!
listening 8081
curl -s http://127.0.0.1:8081/page
kill $s
wait $s || true
