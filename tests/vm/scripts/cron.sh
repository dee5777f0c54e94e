echo '* * * * * root touch /work/ran' >/etc/cron.d/oracle
chmod 644 /etc/cron.d/oracle
cron -f & s=$!
sleep 3
kill $s
wait $s || true
crontab -l || true
echo '1 2 3 4 5 true' | crontab -
crontab -l
crontab -r
