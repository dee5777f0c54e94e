# quick
su nobody -s /bin/sh -c 'id; cat /etc/shadow' || true
su - -c 'pwd'
runuser -u daemon -- id
setpriv --reuid=1 --clear-groups id
