"""Law 3 for shells, and for what scripts are made of."""

from __future__ import annotations

import pytest
from tests.programs.harness import Place, Program, cases, hold

PROGRAMS = [
    Program(
        "pipelines",
        """bash -ec '
        seq 20 | grep -v 5 | sort -rn | head -n 3 | tr "\\n" " "; echo
        diff <(echo a) <(echo b) || true
        while read -r line; do echo "got $line"; done < <(printf "x\\ny\\n")
        cat <<< "here string"; cat <<END
here document
END
        exec 3>log; echo to three >&3; exec 3>&-; cat log
        sleep 0.1 & wait $!; (cd /; pwd); echo {a,b}{1,2} *; kill -0 $$; ( kill -TERM $BASHPID ) || echo $?'""",
        removes=("bash", "file create {work}/log 0666"),
    ),
    Program(
        "scripts",
        "./outer a 'b c'; ./inner; (exec ./inner); env -i ./inner; bash ./inner; cp inner in\\ ner; './in ner'; ./link",
        setup="""
        printf '#!/bin/bash\\nset -e\\necho outer "$0" "$@"\\n./inner\\n' >outer
        printf '#! /usr/bin/env -S sh -e\\necho inner $0\\ncase $0 in *link) exit 0; esac\\ntest -x "$0"' >inner
        chmod +x outer inner; ln -s inner link
        """,
        removes=("sh", "file execute {work}/link"),
    ),
    Program(
        "sed -i",
        "sed -i 's/one/1/' tree; sed -i.orig -e 1d tree; cat tree tree.orig; awk '{ n += NF } END { print n }' tree",
        setup="printf 'one\\ntwo\\nthree\\n' >tree",
        removes=("sed", "file create {work}/sedXXXXXX 0600"),
    ),
    Program(
        "temporary files",
        "a=$(mktemp); b=$(mktemp -d); c=$(mktemp -t name.XXXXXX); echo text >$a; cp $a $b/in; cat $b/in; mv $c $b/named; rm -r $a $b",
        removes=("cp", "file create /tmp/tmp.XXXXXXXXXX/in 0600"),
    ),
    Program(
        "odd names",
        "mkdir \"$(printf 'a b\\\\c\\377')\"; cd a*; for n in '*' 'a@b' '-x' '@group' \"$(printf 'new\\nline')\" 'ü'; do echo $n >\"./$n\"; done; "
        'cat ./*; for n in *; do mv "./$n" "./$n.$n"; done; ls | od -c; ln -s \'@x\' s; readlink s; rm ./*; cd ..; rmdir a*',
        removes=("rm", "file unlink {work}/a\\040b\\\\c\\377/*.*"),
    ),
    Program(
        "own descriptors",
        "echo one >f; cat /proc/self/cmdline | tr '\\000' ' '; cat </dev/fd/0 <f; cat /dev/stdin <f; "
        "readlink /proc/self/exe; ls /proc/self/fd >f; exec 4<f; rm f; cat /proc/self/fd/4; cat <&4; test -e /proc/$$/status",
        removes=("ls", "file read proc:/self/fd/"),
    ),
    Program(
        "exit statuses",
        "set +e; false; echo $?; sh -c 'exit 7'; echo $?; ./absent; echo $?; ./text; echo $?; sh -c 'kill -9 $$'; echo $?; "
        "cat absent; echo $?; rm absent; mkdir /; rmdir .; cd /absent; mv absent x; ln -s x x; cat x; cat f/g; echo >d; true",
        setup="echo text >text; echo >f; mkdir d",
        removes=("sh", "file execute /usr/bin/mv"),
        survives=True,
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_keeps_law_three(program: Program, place: Place) -> None:
    hold(program, place)
