# world.sh FOLDER COMMAND...: COMMAND runs where nothing it does reaches the machine, but what is in FOLDER/play and
# FOLDER/policy: with a root directory, devices, a network and process ids of its own. To be run by `unshare -mnp --fork`.
set -e
folder=$1
shift
mount --make-rprivate /
mount -t tmpfs tmpfs "$folder/upper"
mkdir "$folder/upper/up" "$folder/upper/work"
world=$folder/world
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper/up,workdir=$folder/upper/work" "$world"
mount -t proc proc "$world/proc"
mount -t tmpfs -o mode=755 tmpfs "$world/dev"
mknod -m 666 "$world/dev/null" c 1 3
mknod -m 666 "$world/dev/zero" c 1 5
mknod -m 666 "$world/dev/full" c 1 7
mknod -m 666 "$world/dev/urandom" c 1 9
mknod -m 666 "$world/dev/tty" c 5 0
ln -s /proc/self/fd "$world/dev/fd"
ln -s pts/ptmx "$world/dev/ptmx"
mkdir "$world/dev/pts" "$world/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$world/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$world/dev/shm"
for part in play policy; do mount --bind "$folder/$part" "$world$folder/$part"; done
touch "$world/alone"
chmod 755 "$world"
ip link set lo up
# No port is kept back after its connection is over.
echo 0 >/proc/sys/net/ipv4/tcp_max_tw_buckets
# Nobody has to be told that core dumps are held back.
ulimit -c 0
cd "$world"
pivot_root . .
umount -l .
cd /
exec "$@"
