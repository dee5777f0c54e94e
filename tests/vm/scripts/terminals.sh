script -qc 'stty -a; tty' /dev/null >/dev/null
tmux -f /dev/null -S /work/t new-session -d 'sleep 1'
tmux -S /work/t ls
tmux -S /work/t kill-server || true
setsid true
getent passwd root
locale >/dev/null
logger x 2>/dev/null || true
flock l true
mesg || true
who
last -f /dev/null >/dev/null || true
