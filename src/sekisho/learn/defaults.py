"""The ``rewrite.conf`` that a new policy directory gets."""

from __future__ import annotations

from typing import Final

DEFAULT_REWRITE: Final = r"""# Names that change from run to run, and the patterns that are learned in their place.
#
#   name PATTERN     components of a name like this are learned as this pattern
#   chance PATTERN   the same, where what \? covers looks drawn by chance: it has a digit or a capital
#   port LOW-HIGH    a TCP or UDP port in this range is learned as the range
#
# PATTERN uses TOMOYO's operators: \? one of A-Z a-z 0-9 _ (when learning; in policy any character), \$ digits,
# \+ one digit, \X hexadecimal digits, \x one of them, \a one letter. What \* and \@ cover is learned as it is.
# A PATTERN that begins with / or has a : in its first component covers names from their start, any other one
# covers components anywhere in a name; one that ends in / needs something after it. Earlier lines go first.
# No rule reaches beyond the components it covers. Lines added here hold from the next `sekisho learn` on.

# Other processes by number. The own one is proc:/self and stays.
name proc:/\$/task/\$
name proc:/self/task/\$
name proc:/\$
# Objects without a name in any file system, terminals, the port numbers that the kernel hands out.
name pipe:[\$]
name socket:[\$]
name devpts:/\$
port 32768-60999
# UNIX sockets that the kernel named, as accept and recv see their clients (unix(7), autobind).
name \000\x\x\x\x\x

# systemd: what it writes before it has its name, the runs of units, sessions by number, private directories for
# temporary files, descriptors of log streams, ids of 128 bits, journals that are full. Namespaces.
name /run/systemd/journal/streams/.#\$:\$\?\?\?\?\?\?
name /run/systemd/journal/streams/\$:\$
name /run/systemd/units/.#invocation:session-\$.scope\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x
name /run/systemd/units/.#invocation:run-u\$.\*\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x
name /run/systemd/units/.#invocation:run-r\X.\*\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x
name .#\*\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x
name /run/systemd/units/invocation:session-\$.scope
name /run/systemd/units/invocation:run-u\$.\*
name /run/systemd/units/invocation:run-r\X.\*
name session-\$.scope
name run-u\$.\@
name run-r\X.\@
name /run/systemd/sessions/\$
name /run/systemd/sessions/\$.ref
name /run/systemd/inhibit/\$
name /run/systemd/inhibit/\$.ref
name /run/systemd/\*/.#\$\?\?\?\?\?\?
name /run/systemd/\*/.#\*\?\?\?\?\?\?
name /run/.#\*\?\?\?\?\?\?
name /run/udev/\*/.#\*\?\?\?\?\?\?
name systemd-private-\X-\*-\?\?\?\?\?\?
name system@\X-\X-\X.journal
name user-\$@\X-\X-\X.journal
name system@\X-\X.journal~
name \x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x\x
name cgroup:[\$]
name ipc:[\$]
name mnt:[\$]
name net:[\$]
name pid:[\$]
name time:[\$]
name user:[\$]
name uts:[\$]

# mktemp(1); Python's tempfile, with the directories of multiprocessing and pip.
name tmp.\?\?\?\?\?\?\?\?\?\?
name tmp.\?\?\?\?\?\?
name tmp\?\?\?\?\?\?\?\?
name pymp-\?\?\?\?\?\?\?\?
name pip-build-tracker-\?\?\?\?\?\?\?\?/\X
name pip-\*-\?\?\?\?\?\?\?\?
# Python: a module being compiled, pip replacing a file of an installed package, a semaphore being made.
name __pycache__/\*.pyc.\$
name \*.dist-info/\*\?\?\?\?\?\?\?\?.tmp
name /dev/shm/sem.mp-\?\?\?\?\?\?\?\?
name /dev/shm/sem.\?\?\?\?\?\?

# gcc: intermediate files and linker scripts; make's job server.
name cc\?\?\?\?\?\?.\*
name /tmp/cc\?\?\?\?\?\?
name GMfifo\$
# ar, strip and objcopy.
chance st\?\?\?\?\?\?
# git: loose objects and packs, and both while they are written; the probe of a new repository; quarantine.
name objects/\x\x/tmp_obj_\?\?\?\?\?\?
name objects/\x\x/\X
name objects/\x\x/
name tmp_objdir-\*-\?\?\?\?\?\?/\x\x/tmp_obj_\?\?\?\?\?\?
name tmp_objdir-\*-\?\?\?\?\?\?/\x\x/\X
name tmp_objdir-\*-\?\?\?\?\?\?/\x\x/
name tmp_objdir-\*-\?\?\?\?\?\?
name tmp_obj_\?\?\?\?\?\?
name tmp_\@_\?\?\?\?\?\?
name .tmp-\$-pack-\X.\*
name .tmp-\$-pack-\X
name .tmp-\$-pack
name pack-\X.\*
name info/refs_\?\?\?\?\?\?
name objects/info/packs_\?\?\?\?\?\?
name \*.git/t\?\?\?\?\?\?
name .merge_file_\?\?\?\?\?\?

# sed -i, sort, tac, ln -f, sqlite3.
name sed\?\?\?\?\?\?
name sort\?\?\?\?\?\?
name tac\?\?\?\?\?\?
name Cu\?\?\?\?\?\?
name etilqs_\X
# ssh-agent's and sshd's sockets.
name ssh-\?\?\?\?\?\?\?\?\?\?\?\?/agent.\$
name ssh-\?\?\?\?\?\?\?\?\?\?/agent.\$
name ssh-\?\?\?\?\?\?\?\?\?\?\?\?
name ssh-\?\?\?\?\?\?\?\?\?\?

# Java's performance data; files that never get a name (O_TMPFILE).
name hsperfdata_\*/\$
name #\$

# Python's tempfile tries the directory with such a file before it uses it.
name /tmp/\?\?\?\?\?\?\?\?
# Whatever else is made where temporary files belong: NAME.XXXXXX, Perl's XXXXXXXXXX, mkstemp(3)'s NAMEXXXXXX.
name /tmp/\*.\?\?\?\?\?\?
name /var/tmp/\*.\?\?\?\?\?\?
chance /tmp/\?\?\?\?\?\?\?\?\?\?
chance /tmp/\*\?\?\?\?\?\?
chance /var/tmp/\*\?\?\?\?\?\?
"""
