ps aux >/dev/null
ps -ef --forest >/dev/null
top -b -n1 >/dev/null
free >/dev/null
uptime >/dev/null
pgrep -l sh
w >/dev/null
vmstat >/dev/null
pkill -0 sh
kill -0 $$
sysctl kernel.ostype
pidof sh || true
