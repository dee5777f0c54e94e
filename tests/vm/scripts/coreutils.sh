ls -la /etc | wc -l
cat /etc/passwd | grep root >out
cp -p out out2
cp -r /etc/apt apt
mkdir -p a/b
chmod 600 out
ln out3 x 2>/dev/null || ln -s 'some x' l
mv out2 a/
rm -r a
chown 1:2 out
touch -d @1 out
stat out
df / >/dev/null
du -s apt
head -c 100 /dev/zero | sha256sum
sort out | uniq | tee copy
id
mktemp -p .
dd if=/dev/zero of=z bs=1k count=4 2>/dev/null; truncate -s 1 z; readlink -f l; sync z; install -m 600 z y; mkfifo p; mknod c c 1 3; timeout 5 true; nice true; env -i /bin/true; tac out; od -c z; split -b 1 z q; date >/dev/null
