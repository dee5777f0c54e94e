ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f login; mkdir -p /run/sshd
chmod 755 /work; cp login.pub authorized; echo "[127.0.0.1]:2222 $(cat host.pub)" >known
cat >conf <<'END'
Port 2222
ListenAddress 127.0.0.1
HostKey /work/host
AuthorizedKeysFile /work/authorized
PidFile /work/pid
UsePAM yes
StrictModes no
PermitRootLogin yes
Subsystem sftp internal-sftp
END
#--- run
/usr/sbin/sshd -D -f /work/conf -E log & server=$!
listening 2222
login() { ssh -F none -i login -o UserKnownHostsFile=known -o IdentitiesOnly=yes -p 2222 root@127.0.0.1 "$@"; }
login 'id -u; echo $SSH_CONNECTION'
login -tt 'test -t 0 && echo terminal'
echo 'put known copied' | sftp -q -F none -i login -o UserKnownHostsFile=known -P 2222 root@127.0.0.1
kill $server
wait $server || true
