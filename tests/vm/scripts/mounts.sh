# quick
mkdir m n o
mount -t tmpfs none m
touch m/x
mount --bind m n
mount -o remount,ro,bind n
mount --make-private m
mount --make-rshared m
mount --move n o 2>/dev/null || true
umount o 2>/dev/null || umount n
umount -l m
mount -t proc proc m
umount m
unshare -m sh -c 'mount -t tmpfs t m && ls m'
mount -o loop nothing m 2>/dev/null || true
