apt-cache policy >/dev/null
apt-cache show dpkg >/dev/null
apt-get -qq check
apt-get update 2>/dev/null || true
apt-get -s remove ed | tail -1
apt-config dump >/dev/null
apt list --installed 2>/dev/null | wc -l
