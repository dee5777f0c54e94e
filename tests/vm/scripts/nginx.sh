mkdir -p www logs; echo page >www/page; chmod -R a+rX .
cat >conf <<'END'
user www-data; worker_processes 2; pid /work/logs/pid; error_log /work/logs/error;
events { worker_connections 16; }
http { access_log /work/logs/access; server { listen 127.0.0.1:8080; root /work/www; sendfile on; } }
END
#--- run
nginx -t -q -c /work/conf -e logs/error
nginx -c /work/conf -e logs/error
wait_for test -s logs/pid
listening 8080
curl -s http://127.0.0.1:8080/page
curl -s -o /dev/null http://127.0.0.1:8080/absent
nginx -s reload -c /work/conf -e logs/error
sleep 2
curl -s http://127.0.0.1:8080/page
nginx -s quit -c /work/conf -e logs/error
wait_for test ! -e logs/pid
