# quick
python3 - <<'END'
import ctypes, fcntl, os, socket, stat, tempfile
open("a", "w").write("x"); open("a", "a").write("y"); open("a", "r+").close(); os.truncate("a", 1)
f = os.open("a", os.O_RDWR | os.O_TRUNC); os.ftruncate(f, 5); os.fchmod(f, 0o640); os.fchown(f, 1, 2); os.close(f)
os.chown("a", -1, 3); os.chown("a", 4, -1); os.symlink("a", "l"); os.lchown("l", 5, 6); os.chmod("a", 0o4755)
os.link("a", "b"); os.link("l", "ll", follow_symlinks=False); os.rename("b", "c"); os.replace("c", "b")
os.mkdir("d", 0o700); os.mkdir("d/e"); os.rename("d", "f"); os.rmdir("f/e"); os.rmdir("f")
os.mkfifo("p", 0o600); os.mknod("s", 0o600 | stat.S_IFSOCK); os.mknod("r", 0o600 | stat.S_IFREG)
os.mknod("ch", 0o600 | stat.S_IFCHR, os.makedev(1, 3)); os.mknod("bl", 0o660 | stat.S_IFBLK, os.makedev(7, 0))
os.open("ch", os.O_RDWR); os.open("d2", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o604)
os.stat("l"); os.lstat("l"); os.readlink("l"); os.access("a", os.R_OK); os.listdir("."); os.utime("a"); os.statvfs(".")
for missing in ("nothing", "nothing/at/all", "a/b"):
    for call in (os.stat, open, os.unlink, os.rmdir, os.listdir):
        try: call(missing)
        except OSError: pass
t = tempfile.TemporaryFile(dir="."); t.write(b"x"); t.flush(); os.stat(f"/proc/self/fd/{t.fileno()}")
open(f"/proc/self/fd/{t.fileno()}").close(); open("/dev/fd/0").close() if os.path.exists("/dev/fd/0") else None
try: fcntl.ioctl(f := os.open("/dev/null", 2), 0x5401, bytes(64))
except OSError: pass
r, w = os.pipe(); fcntl.ioctl(r, 0x541B, bytes(4)); fcntl.ioctl(socket.socket(), 0x8912, bytes(64))
m = os.memfd_create("name"); os.ftruncate(m, 4096); os.fstat(m); open(f"/proc/self/fd/{m}").close()
open("/proc/self/status").read(); open(f"/proc/{os.getpid()}/stat").read(); open("/proc/1/stat").read()
open("/proc/self/task/%d/comm" % os.getpid()).read(); open("/proc/sys/kernel/ostype").read(); os.readlink("/proc/self/exe")
open("/sys/kernel/mm/transparent_hugepage/enabled").read(); open("/dev/shm/x", "w").close(); os.unlink("/dev/shm/x")
os.mkdir("new\nname é \\"); open("new\nname é \\/x y", "w").close(); os.unlink("new\nname é \\/x y")
os.unlink("a"); os.unlink("l"); os.chroot("."); os.listdir("/")
END
