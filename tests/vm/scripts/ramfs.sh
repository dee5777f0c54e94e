# quick
mkdir /work/ramfs
mount -t ramfs none /work/ramfs
umask 027
mkdir ramfs/d
echo x >ramfs/f
mkfifo ramfs/p
mknod ramfs/c c 1 3
mkdir -m 700 ramfs/e
umount ramfs
