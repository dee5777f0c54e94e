"""Law 3 for what programs are made with: git, gcc and make."""

from __future__ import annotations

import pytest
from tests.programs.harness import Place, Program, cases, hold

IDENTITY = """
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_AUTHOR_DATE='2001-02-03 04:05:06 +0000' GIT_COMMITTER_DATE='2001-02-03 04:05:06 +0000' GIT_PAGER=cat
# Git reads again what was written in the same second as the index, which differs from run to run.
settled() { find . -name .git -prune -o -type f -exec touch -d 2001-02-03 {} +; git update-index -q --refresh || true; }
"""

C_PROJECT = """
printf '#include <stdio.h>\\n#include "part.h"\\nint main(void) { printf("%%d\\\\n", part()); return 0; }\\n' >main.c
printf 'int part(void) { return 42; }\\n' >part.c
printf 'int part(void);\\n' >part.h
printf 'CFLAGS = -O1 -g\\nprogram: main.o libpart.a\\n\\t$(CC) -o $@ main.o -L. -lpart\\n' >Makefile
printf 'main.o: part.h\\nlibpart.a: part.o\\n\\t$(AR) rcs $@ $^\\ncheck: program\\n\\t./program | grep 42\\n' >>Makefile
printf 'clean:\\n\\trm -f program *.o *.a\\n' >>Makefile
"""

PROGRAMS = [
    Program(
        "git",
        f"""{IDENTITY}
        git init -q -b main repository; cd repository
        echo one >one; mkdir d; for n in 1 2 3 4 5; do echo $n >d/$n; done
        settled; git add .; git commit -qm first; git rm -q d/5; echo more >>one; git commit -qam second
        settled; git checkout -q -b side HEAD~1; echo side >side; settled; git add side; git commit -qm side; git merge -q -m merge main; settled
        git tag v1; git stash list; git status --short; git log --oneline | wc -l; git diff --stat main
        git gc -q; git fsck --no-progress; cd ..; git clone -q repository clone; git clone -q --no-local repository far
        cd far; echo far >far; settled; git add far; git commit -qm far; git push -q origin HEAD:refs/heads/far
        cd ../clone; settled; git pull -q; git branch -r; git worktree add -q ../tree main; cat ../tree/one; git archive HEAD | tar t""",
        removes=("git", "file mkdir {work}/repository/.git/refs/tags/ 0777"),
        needs=("git",),
    ),
    Program(
        "gcc and make",
        "make -s; ./program; make -s clean; make -s -j2 check; gcc -shared -fPIC -o libx.so part.c; gcc main.c -L. -Wl,-rpath,. -lx -o x; ./x; g++ -x c++ main.c part.c -o y; ./y; "
        "gcc -E main.c | tail -n 1; gcc -c -pipe -flto part.c; nm libx.so | grep -c part; strip program; ./program; make -s clean",
        setup=C_PROJECT,
        removes=("sh", "file execute {work}/x"),
        needs=("gcc", "make", "g++"),
        # What ar calls its temporary files looks drawn by chance in 199 of 200 runs.
        lessons=2,
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_keeps_law_three(program: Program, place: Place) -> None:
    hold(program, place)
