printf -- '--- f\n+++ f\n@@ -1 +1 @@\n-x\n+y\n' >p
#--- run
echo x >f
zip -q a.zip f
unzip -qo a.zip
find f | cpio -o 2>/dev/null >c
cpio -t <c 2>/dev/null
patch -s f <p
diff f a.zip | wc -l
file f
m4 f
bc </dev/null
jq -n 1
lua5.4 -e 'io.open("y","w"):write(1)'
strace -o tr true
setfacl -m u:1:r f
getfacl f >/dev/null
setfattr -n user.x -v y f
logrotate -s st /dev/null
