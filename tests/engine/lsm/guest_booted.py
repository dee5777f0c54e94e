"""In a virtual machine that boots Debian: what is done to its disk beforehand, and what is done when it is up.

``install TREE OBJECT`` and ``enforce`` are for the time before systemd, ``scene`` prints ``what: outcome`` lines, and
``settled`` waits until what was done is learned.
"""

from __future__ import annotations

import compileall
import json
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from tests.engine.lsm.managed import tell

POLICY = Path("/etc/sekisho")
UNITS = Path("/usr/lib/systemd/system")
PACKAGES = Path("/usr/lib/python3/dist-packages")
DRIVER = "<kernel> /run/local/serve"
KEY = Path("/root/.ssh/key")
TREE = Path(__file__).resolve().parents[3]
IN_GUEST = f"PYTHONPATH=/host{TREE}/src:/host{TREE} python3 -B -m tests.engine.lsm.guest_booted"
"""How to run this in a machine that boots; to be read outside it."""
UNASKED = "systemd.mask=apt-daily.timer systemd.mask=apt-daily-upgrade.timer"
FEW = 50
"""Events that are always under way."""
TICK = Path("/var/tmp/tick")
SITE = """\
server {
    listen 127.0.0.1:80 default_server;
    root /var/www/html;
    location /taken-over {
        perl 'sub {
            my $r = shift; my $code = $r->args; $code =~ s/%(..)/chr hex $1/ge;
            my $said = eval $code; $said = "died: $@" if $@;
            $r->send_http_header("text/plain"); $r->print($said); return OK;
        }';
    }
}
"""
"""A page, and a hole: whoever asks for it has his Perl run by the process that serves."""
EXECUTING = (
    r'pipe(R, W); my $p = fork; if (!$p) { exec {%s; syswrite(W, "" . ($! + 0)); syscall(231, 0); } '
    r'close(W); my $said = ""; sysread(R, $said, 9); waitpid($p, 0); $said eq "" ? "done" : $said'
)
"""A child executes something, or says why it can't; it may be waited for by nginx itself."""
INTERNET, LOCAL = "socket(S, 2, 1, 0) && ", "socket(S, 1, 1, 0) && "
ATTACKS = {
    "reads /etc/shadow": r'open(F, "<", "/etc/shadow") ? "done" : 0+$!',
    "reads somebody's key": r'open(F, "<", "/root/.ssh/key") ? "done" : 0+$!',
    "makes a file in /etc": r'open(F, ">", "/etc/cron.d/mine") ? "done" : 0+$!',
    "appends to /etc/passwd": r'open(F, ">>", "/etc/passwd") ? "done" : 0+$!',
    "makes a link": r'link("/etc/shadow", "/var/www/html/s") ? "done" : 0+$!',
    "makes a symlink": r'symlink("/etc/shadow", "/var/www/html/t") ? "done" : 0+$!',
    "opens the disk": r'open(F, "+<", "/dev/vda") ? "done" : 0+$!',
    "executes a shell": EXECUTING % r'"/bin/sh"} "sh", "-c", "exit 0"',
    "executes a loader": EXECUTING % r'"/lib64/ld-linux-x86-64.so.2"} "ld", "/bin/true"',
    "connects to sshd": INTERNET + r'connect(S, pack("Sna4x8", 2, 22, pack("C4", 127,0,0,1))) ? "done" : 0+$!',
    "connects out": INTERNET + r'connect(S, pack("Sna4x8", 2, 443, pack("C4", 192,0,2,1))) ? "done" : 0+$!',
    "listens elsewhere": INTERNET + r'bind(S, pack("Sna4x8", 2, 4444, pack("C4", 127,0,0,1))) ? "done" : 0+$!',
    "asks systemd": LOCAL + r'connect(S, pack("Sa*", 1, "/run/systemd/private\0")) ? "done" : 0+$!',
    "asks dbus": LOCAL + r'connect(S, pack("Sa*", 1, "/run/dbus/system_bus_socket\0")) ? "done" : 0+$!',
    "kills cron": r'kill(9, CRON) ? "done" : 0+$!',
    "kills process 1": r'kill(15, 1) ? "done" : 0+$!',
    "kills the engine's daemon": r'kill(9, DAEMON) ? "done" : 0+$!',
    "traces cron": r'syscall(101, 16, CRON, 0, 0) == 0 ? "done" : 0+$!',
    "writes process 1's memory": r'open(F, "+<", "/proc/1/mem") ? "done" : 0+$!',
    "mounts": r'my ($s, $t, $f) = ("none", "/mnt", "tmpfs"); syscall(165, $s, $t, $f, 0, 0) == 0 ? "done" : 0+$!',
    "loads a BPF program": r'my $a = "\0" x 120; syscall(321, 5, $a, 120) >= 0 ? "done" : 0+$!',
    "makes a BPF map": r'my $a = pack("LLLL", 1, 4, 4, 1) . "\0" x 104; syscall(321, 0, $a, 120) >= 0 ? "done" : 0+$!',
    "makes a user namespace": r'syscall(272, 0x10000000) == 0 ? "done" : 0+$!',
    "makes a mount namespace": r'syscall(272, 0x20000) == 0 ? "done" : 0+$!',
    "loads a module": r'my ($a, $b) = ("x", ""); syscall(175, $a, 1, $b) == 0 ? "done" : 0+$!',
    "reboots": r'syscall(169, 0xfee1dead, 0x28121969, 0x89ABCDEF, 0) == 0 ? "done" : 0+$!',
    "chroots": r'chroot("/var/www") ? "done" : 0+$!',
    "takes links away": r'unlink("/sys/fs/bpf/sekisho/1/links/file_open") ? "done" : 0+$!',
    "changes policy": r'open(F, ">>", "/etc/sekisho/domain_policy.conf") ? "done" : 0+$!',
    "asks for panic": LOCAL + r'connect(S, pack("Sa*", 1, "/run/sekisho/system.sock\0")) ? "done" : 0+$!',
}  # fmt: skip
"""What a process of nginx's that has been taken over tries, in Perl; a number is an errno."""
INSISTS = (
    "my ($made, $done, $end) = (0, 0, time + 2); while (time < $end) { $made++; "
    '$done++ if open(F, "<", "/etc/shadow"); select(undef, undef, undef, 0.025); } "$made $done"'
)
"""The same attempt again and again: how often, and how often successfully."""


def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, text=True, capture_output=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def install(tree: Path, image: Path) -> None:
    """The project is on the disk as its package would have it there, learning; so are the services' own affairs."""
    shutil.copytree(tree / "src/sekisho", PACKAGES / "sekisho", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(image, PACKAGES / "sekisho/engine/lsm/sekisho.bpf.o")
    compileall.compile_dir(PACKAGES / "sekisho", quiet=1)
    program = Path("/usr/bin/sekisho")
    program.write_text("#!/usr/bin/python3\nimport sys\nfrom sekisho.cli.main import main\nsys.exit(main())\n")
    program.chmod(0o755)
    shutil.copy(tree / "systemd/sekisho.service", UNITS)
    wants = Path("/etc/systemd/system/sysinit.target.wants")
    wants.mkdir(exist_ok=True)
    (wants / "sekisho.service").symlink_to(UNITS / "sekisho.service")
    print(run("/usr/bin/sekisho", "system", "init").stderr)
    with (POLICY / "domain_policy.conf").open("a") as file:
        file.write(f"{DRIVER}\nuse_profile 0\nuse_group 0\n\n")
    with (POLICY / "exception_policy.conf").open("a") as file:
        file.write(f"keep_domain any from {DRIVER}\n")
    with (POLICY / "manager.conf").open("a") as file:
        file.write(f"{DRIVER}\n")
    services()


def services() -> None:
    """Who may log in, what is served, what cron does, what may be installed."""
    KEY.parent.mkdir(mode=0o700, exist_ok=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(KEY))
    shutil.copy(f"{KEY}.pub", KEY.with_name("authorized_keys"))
    Path("/etc/nginx/sites-enabled/default").unlink(missing_ok=True)
    Path("/etc/nginx/sites-enabled/site").write_text(SITE)
    main = Path("/etc/nginx/nginx.conf")
    main.write_text(re.sub(r"^user .*;", "user root;", main.read_text(), flags=re.MULTILINE))
    Path("/var/www/html/index.html").write_text("a page\n")
    Path("/etc/cron.d/tick").write_text(f"* * * * * root date >>{TICK}\n")
    Path("/etc/apt/sources.list").write_text("")
    for name in ("first", "second"):
        folder = Path(f"/tmp/{name}")
        (folder / "DEBIAN").mkdir(parents=True)
        (folder / f"usr/share/{name}").mkdir(parents=True)
        (folder / f"usr/share/{name}/text").write_text(f"{name}\n")
        fields = {"Package": name, "Version": "1", "Architecture": "all", "Maintainer": "me <me@localhost>"}
        text = "".join(f"{key}: {value}\n" for key, value in fields.items())
        (folder / "DEBIAN/control").write_text(f"{text}Description: a package\n")
        (folder / "DEBIAN/postinst").write_text(f"#!/bin/sh\nset -e\necho {name} >/etc/{name}.conf\n")
        (folder / "DEBIAN/postinst").chmod(0o755)
        run("dpkg-deb", "--build", "--root-owner-group", str(folder), f"/root/{name}.deb")
        shutil.rmtree(folder)


def enforce() -> None:
    """What was learned is enforced from the next start on."""
    path = POLICY / "domain_policy.conf"
    text = path.read_text()
    path.write_text(text.replace("use_profile 1\n", "use_profile 3\n"))
    (POLICY / "audit.jsonl").unlink(missing_ok=True)
    print(f"{text.count('use_profile 1')} domains, {len(text.splitlines())} lines")


def ssh(command: str, *options: str) -> str:
    words = ["-o", "StrictHostKeyChecking=no", "-o", "ConnectTimeout=60", "-i", str(KEY), *options]
    ended = run("ssh", *words, "root@127.0.0.1", command, timeout=300, stdin=subprocess.DEVNULL)
    return f"{ended.returncode} {ended.stdout}{ended.stderr if ended.returncode else ''}"


def page(path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1{path}", timeout=60) as answer:
            said: str = answer.read().decode().strip()
            return said
    except urllib.error.HTTPError as error:
        return str(error.code)
    except OSError as error:
        return str(error)


def ticked(since: float, patience: float = 100) -> bool:
    """Whether cron has done something since."""
    end = time.time() + patience
    while time.time() < end:
        if TICK.exists() and TICK.stat().st_mtime > since:
            return True
        time.sleep(1)
    return False


def settled() -> None:
    """What was done until now is learned, and on disk."""
    time.sleep(5)
    for _ in range(60):
        found = status()
        told, taken = (found.get(each, {"events": 0})["events"] for each in ("kernel", "events"))  # type: ignore[index]
        if told - taken < FEW and not found.get("unsaved", True):
            return
        time.sleep(5)


def status() -> dict[str, object]:
    try:
        found: dict[str, object] = json.loads(run("sekisho", "system", "--json", "status").stdout or "{}")
    except ValueError:
        return {}
    return found


def use(package: str) -> None:
    """What the system is there for is done, each thing once more than it takes."""
    began = time.time()
    tell("ssh", ssh("cat /etc/hostname; id -un; systemctl is-active nginx"))
    tell("ssh, terminal", ssh("tty; ls /etc/ssh", "-tt"))
    tell("page", page("/index.html"))
    tell("no page", page("/nothing"))
    tell("hole", page("/taken-over?" + quote("1+1")))
    tell("apt-get", ssh(f"apt-get install -y /root/{package}.deb >/dev/null 2>&1"))
    for what, name in (("installed", f"/usr/share/{package}/text"), ("configured", f"/etc/{package}.conf")):
        tell(what, Path(name).read_text() if Path(name).exists() else "no")
    tell("cron", ticked(began))


def attack() -> None:
    """Everything that a taken-over nginx may try."""
    pids = {"CRON": run("pgrep", "-x", "cron").stdout.split()[0], "DAEMON": str(status().get("pid", 0))}
    for what, code in ATTACKS.items():
        for name, pid in pids.items():
            code = code.replace(name, pid)
        tell(f"attack, {what}", page("/taken-over?" + quote(code)))


class Attempts:
    """What the taken-over nginx goes on trying while something else happens, forty times a second."""

    def __init__(self) -> None:
        self.made = self.done = 0
        self.odd: list[str] = []
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()

    def _go_on(self) -> None:
        while not self._enough.is_set():
            said = page("/taken-over?" + quote(INSISTS))
            try:
                made, done = map(int, said.split())
            except ValueError:
                self.odd.append(said)
                continue
            self.made += made
            self.done += done

    def end(self) -> str:
        """How many of them came to something, and whether there were many."""
        self._enough.set()
        self._thread.join()
        return f"{self.done} of {'many' if self.made > 100 else self.made} {' '.join(self.odd)}".strip()


def daemons() -> None:
    """The daemon is started again by the administrator, and by systemd after it was killed and after it hung."""
    attempts = Attempts()
    before = status().get("pid")
    tell("restart", run("systemctl", "restart", "sekisho").returncode)
    tell("restarted", followed(before))
    for name in ("SIGKILL", "SIGABRT"):
        before = status().get("pid")
        tell(f"{name}", run("systemctl", "kill", "--kill-who=main", f"--signal={name}", "sekisho").returncode)
        tell(f"restarted after {name}", followed(before))
    tell("unit", run("systemctl", "is-active", "sekisho").stdout)
    tell("attempts meanwhile", attempts.end())


def followed(before: object) -> bool:
    """Whether another daemon answers, within a while, and policy is in force."""
    for _ in range(300):
        found = status()
        if found.get("pid", before) not in (before, None):
            return bool(found["active"])
        time.sleep(1)
    return False


def refused(when: str, begin: int = 0) -> int:
    """What was refused since record ``begin``, by domain, each thing once; how many records there are."""
    lines = (POLICY / "audit.jsonl").read_text().splitlines() if (POLICY / "audit.jsonl").exists() else []
    records = [json.loads(line) for line in lines[begin:]]
    told = [f"{each['domain']}: {each['acl']}" for each in records if each["mode"] == "enforcing"]
    for each in dict.fromkeys(told):
        tell(f"refused {when}", each)
    return len(lines)


def scene(mode: str) -> None:
    tell("booted", run("systemd-analyze").stdout)
    tell("failed", run("systemctl", "--failed", "--plain", "--no-legend").stdout)
    tell("status", json.dumps(status()))
    for line in run("ps", "-eo", "pid,ppid,args").stdout.splitlines():
        if "[" not in line:
            tell("process", line)
    use("first" if mode == "learn" else "second")
    if mode == "enforce":
        settled()
        before = refused("in use")
        attack()
        settled()
        refused("to nginx", before)
        daemons()
        tell("afterwards, page", page("/index.html"))
        tell("afterwards, ssh", ssh("echo in"))
    else:
        settled()
    tell("status", json.dumps(status()))


def main() -> None:
    word, *rest = sys.argv[1:]
    words = {"enforce": enforce, "settled": settled}
    words |= {"install": lambda: install(*map(Path, rest)), "scene": lambda: scene(rest[0])}
    words[word]()


if __name__ == "__main__":
    main()
