"""Law 3 for the commands that every machine has."""

from __future__ import annotations

import pytest
from tests.programs.harness import Place, Program, cases, hold

TREE = """
mkdir -p tree/sub; echo one >tree/one; echo two >tree/sub/two; ln -s ../one tree/sub/link
touch -d 2001-02-03 tree/one; chmod 2711 tree/one
"""

QUICK = [
    Program(
        "cp",
        "cp -a tree copy; cp tree/one two; cat copy/sub/link",
        setup=TREE,
        removes=("cp", "file create {work}/two 0711"),
    ),
    Program(
        "rm",
        "rm -r tree; ls",
        setup=TREE,
        removes=("rm", "file unlink {work}/tree/sub/two"),
    ),
]

PROGRAMS = [
    Program(
        "mv",
        "mv tree/one tree/sub/two; mv tree moved; mv moved /dev/shm/; mv /dev/shm/moved back; cat back/sub/two",
        setup=f"rm -rf /dev/shm/moved; {TREE}",
        removes=("mv", "file rename {work}/tree/one {work}/tree/sub/two"),
    ),
    Program(
        "mkdir",
        "umask 027; mkdir -p a/b/c a/b/d; mkdir -m 700 e; rmdir a/b/d; ls -ld a/b e | cut -c1-10",
        removes=("mkdir", "file mkdir {work}/a/b/c/ 0777"),
    ),
    Program(
        "ln",
        "ln tree/one hard; ln -s tree/one soft; ln -sf tree/sub/two soft; ln -f tree/sub/two hard; cat hard soft; readlink -f soft",
        setup=TREE,
        removes=("ln", "file link {work}/tree/sub/two {work}/CuXXXXXX"),
    ),
    Program(
        "chmod",
        "chmod 640 tree/one; chmod -R u+x,g-r tree; stat -c %a tree/one tree/sub",
        setup=TREE,
        removes=("chmod", "file chmod {work}/tree/one 0640"),
    ),
    Program(
        "install",
        "install -d -m 750 d/e; install -m 755 -T tree/one d/e/program; install -C -m 644 tree/sub/two d/two; ls d d/e",
        setup=TREE,
        removes=("install", "file chmod {work}/d/e/program 0755"),
    ),
    Program(
        "mkfifo",
        "mkfifo -m 622 pipe; cat pipe >out & echo through >pipe; wait; cat out",
        removes=("mkfifo", "file mkfifo {work}/pipe 0622"),
    ),
    Program(
        "touch",
        "touch -d '2020-01-02 03:04:05' new tree/one; touch -r new -a tree/sub/two; stat -c '%n %y' new tree/one",
        setup=TREE,
        removes=("touch", "file create {work}/new 0666"),
    ),
    Program(
        "stat",
        "stat -c '%n %s %F %a' tree tree/one tree/sub/link /dev/null; stat -L -c %F tree/sub/link; test -x tree; ls -lR tree | wc -l",
        setup=TREE,
        removes=("stat", "file getattr {work}/tree/sub/link"),
    ),
    Program(
        "dd",
        "dd if=/dev/zero of=zeros bs=1k count=8 status=none; dd if=tree/one of=zeros conv=notrunc seek=1 bs=2 status=none; "
        "truncate -s 100 zeros; sync zeros; cksum zeros; shred -n1 -u tree/one; ls tree",
        setup=TREE,
        removes=("truncate", "file truncate {work}/zeros"),
    ),
    Program(
        "find",
        "find tree -type f -newermt 2000-01-01 -exec sh -ec 'echo $1' - {} \\; | sort; find tree -name 't*' -type f -delete; find tree | sort",
        setup=TREE,
        removes=("find", "file unlink {work}/tree/sub/two"),
    ),
    Program(
        "tar",
        "tar cf tree.tar tree; tar czf tree.tgz tree; rm -r tree; tar xpf tree.tar; mkdir z; tar xzf tree.tgz -C z; find . | sort",
        setup=TREE,
        removes=("tar", "file write {work}/tree.tar"),
        ignores=("tree.tar", "tree.tgz"),
    ),
    Program(
        "text",
        "sort -u words -o words; tac words; split -l 1 words part-; comm words part-aa; tee copy <words | md5sum; "
        "csplit -s words 2; paste words copy; join words copy; nl words | head -n 1; xargs -n 1 echo <words",
        setup="printf 'b\\na\\nb\\n' >words",
        removes=("csplit", "file create {work}/xx00 0666"),
    ),
]

ROOT_PROGRAMS = [
    Program(
        "chown",
        "chown 1:2 tree/one; chown -hR daemon:nogroup tree/sub; chgrp 7 tree; stat -c %u:%g tree tree/one tree/sub/link",
        setup=TREE,
        removes=("chown", "file chgrp {work}/tree/one 2"),
    ),
    Program(
        "mknod",
        "mknod null c 1 3; mknod -m 600 loop b 7 250; mknod pipe p; echo gone >null; stat -c '%n %F %t %T' null loop pipe",
        removes=("mknod", "file mkblock {work}/loop 0600 7 250"),
    ),
    Program(
        "cp as root",
        "cp -a tree copy; tar cf t.tar copy; rm -r copy; tar xf t.tar; stat -c '%n %u %g %a' copy copy/one; install -o 3 -g 4 tree/one i",
        setup=f"{TREE}chown -hR 5:6 tree; chmod 6755 tree/one",
        removes=("cp", "file chown {work}/copy/one 5"),
        ignores=("t.tar",),
    ),
    Program(
        "mount",
        "mkdir m; unshare -m sh -ec 'mount -t tmpfs none m; echo in >m/file; cat m/file; mount -o remount,ro m; "
        "mount --bind tree m; cat m/one; umount m; cat m/file; umount m; mount -t proc proc m; ls -d m/self/fd; umount m'; ls m",
        setup=TREE,
        removes=("mount", "file mount {work}/tree/ {work}/m/ --bind 0x0"),
    ),
    Program(
        "chroot",
        "for library in $(ldd /bin/sh /bin/ls | grep -o '/[^ ]*\\.so[^ ]*' | sort -u); do install -D $library root$library; done; "
        "mkdir root/bin; cp /bin/sh /bin/ls root/bin; ln -s /bin/sh root/bin/shell; "
        "chroot root /bin/shell -ec 'echo in >/file; ls -d /../bin; cd bin; ls ../../..'",
        removes=("shell", "file create {work}/root/file 0666"),
    ),
    Program(
        "dropping root",
        "chown 65534 tree tree/one; setpriv --reuid=65534 --regid=65534 --clear-groups sh -ec 'echo mine >>tree/one; id -u; cat /etc/shadow || cat tree/one'",
        setup=TREE,
        removes=("sh", "file append {work}/tree/one"),
        needs=("setpriv",),
    ),
]


@pytest.mark.parametrize("program", cases(QUICK))
def test_keeps_law_three(program: Program, place: Place) -> None:
    hold(program, place)


@pytest.mark.slow
@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_keeps_law_three_too(program: Program, place: Place) -> None:
    hold(program, place)


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.parametrize("program", cases(ROOT_PROGRAMS))
def test_keeps_law_three_as_root(program: Program, root_place: Place) -> None:
    hold(program, root_place)
