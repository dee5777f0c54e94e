import errno
import os
import struct

import pytest

from sekisho.engine.lsm.kernel.kinds import SYSCALL
from sekisho.engine.lsm.kernel.loading import Request, complaint, load, load_types

pytestmark = pytest.mark.root
MOVE, EXIT = 0xB7, 0x95
GOOD = struct.pack("<BBhiBBhi", MOVE, 0, 0, 0, EXIT, 0, 0, 0)
BAD = struct.pack("<BBhi", EXIT, 0, 0, 0)


def test_a_program_of_two_instructions_is_one() -> None:
    request = Request("a_name_that_is_longer", GOOD, SYSCALL)

    os.close(load(request))
    assert [] == complaint(request, 10)


def test_the_verifier_says_what_is_wrong() -> None:
    request = Request("bad", BAD, SYSCALL)
    with pytest.raises(OSError) as caught:
        load(request)

    assert errno.EACCES == caught.value.errno
    assert any("R0 !read_ok" in line for line in complaint(request, 3))


def test_types_that_are_none_are_refused() -> None:
    with pytest.raises(OSError):
        load_types(bytes(100))
