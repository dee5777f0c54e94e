atd -f -l 99 & s=$!
sleep 1
echo 'touch /work/ran' | at now 2>&1 | wc -l
wait_for test -e ran
atq
kill $s
wait $s || true
