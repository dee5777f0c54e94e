# quick
python3 - <<'END'
import ctypes, os, shutil
libc, at_empty = ctypes.CDLL(None), 0x1000
def run(*words, at=None, flags=0, env={}):
    pid = os.fork()
    if pid == 0:
        try:
            if at is None: os.execve(words[0], words[1:] or words[:1], env)
            array = (ctypes.c_char_p * 2)(b"x", None)
            libc.syscall(322, at, words[0], array, (ctypes.c_char_p * 1)(None), flags)
            os._exit(99)
        except OSError as error: os._exit(error.errno)
    print(words[0][:20], os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
def script(name, first, rest=""):
    open(name, "w").write(f"#!{first}\n{rest}"); os.chmod(name, 0o755)
for name in ("plain", "a b", "é", "t\tb", "x" * 200, "*", "a\\b", "@G", "{}", b"\xff\xfe", "<x>", "."*3):
    shutil.copy("/bin/true", name); run(name)
os.symlink("plain", "link"); os.symlink("link", "link2"); os.link("plain", "hard"); os.mkdir("d"); os.symlink("d", "dl")
shutil.copy("/bin/true", "d/p"); run("link"); run("link2"); run("hard"); run("./plain"); run("dl/p"); run("d/../plain"); run("/proc/self/cwd/plain")
script("s1", "./plain"); script("s2", "/bin/sh -e", "exit 3"); script("s3", "/work/s2"); script("s4", "link"); script("s5", " /usr/bin/env  sh", "./plain")
script("s6", "/work/none"); script("s 7", "/bin/sh", "exec /work/link"); script("s8", "x" * 300)
for name in ("s1", "s2", "s3", "s4", "s5", "s6", "s 7", "s8", "none", "d", "s1/x"): run(name)
open("empty", "w").close(); open("garbage", "w").write("zz"); os.chmod("garbage", 0o755); run("empty"); run("garbage")
here = os.open(".", os.O_RDONLY); plain = os.open("plain", os.O_RDONLY); o_path = os.open("plain", os.O_PATH); s2 = os.open("s2", os.O_RDONLY)
run(b"plain", at=here); run(b"", at=plain, flags=at_empty); run(b"", at=o_path, flags=at_empty); run(b"", at=s2, flags=at_empty); run(b"link", at=here, flags=0x100)
run(f"/proc/self/fd/{plain}"); run(f"/dev/fd/{plain}"); os.unlink("plain"); run(f"/proc/self/fd/{plain}"); run(b"", at=plain, flags=at_empty)
memory = os.memfd_create("prog"); os.write(memory, open("/bin/true", "rb").read()); run(b"", at=memory, flags=at_empty); run(f"/proc/self/fd/{memory}")
os.rename("hard", "moved"); run("moved"); run("moved", "argv zero", "é", ""); run("moved", env={"ODD NAME": "v", "é": "", "A": "1"})
os.posix_spawn("moved", ["moved"], {}); os.wait(); os.chmod("moved", 0o644); run("moved")
deep = "/work/" + "/".join("y" * 240 for _ in range(8)); os.makedirs(deep); shutil.copy("/bin/sh", deep + "/sh")
run(deep + "/sh", "sh", "-c", f"{deep}/sh -c '{deep}/sh -c true; true'; true")
END
