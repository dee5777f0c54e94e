# quick
printf '#!/bin/sh\ncat /etc/hostname\n' >s
chmod 755 s
./s 'x y'
printf '#!/usr/bin/env python3\nprint(1)\n' >t
chmod 755 t
./t
ln -s s 'link é'
'./link é'
sh s
. ./s
(cd /; exec /work/s)
ulimit -n 64
trap : EXIT
$PWD/s & wait
