mkdir -p p/DEBIAN p/usr/share/oracle
echo hello >p/usr/share/oracle/file
chmod -R go-w p
printf 'Package: oracle\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n' >p/DEBIAN/control
printf '#!/bin/sh\nset -e\ntouch /usr/share/oracle/made\n' >p/DEBIAN/postinst
chmod 755 p/DEBIAN/postinst
dpkg-deb -b p oracle.deb >/dev/null
#--- run
dpkg -i oracle.deb
dpkg -L oracle
dpkg -S /usr/share/oracle/file
dpkg -r oracle
dpkg -P oracle
dpkg -l | wc -l
dpkg-query -W dpkg
