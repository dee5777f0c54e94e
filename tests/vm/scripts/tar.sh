cp -r /etc/default d
ln -s d e
tar czf a.tgz d e
rm -r d e
tar xzf a.tgz
tar tf a.tgz >list
tar cJf a.txz d
tar --delete -f a.tgz x 2>/dev/null || true
gzip -k list
xz list
zcat list.gz | cmp - list.gz || true
