"""Argument and environment strings share the kernel's 8 KiB."""

from __future__ import annotations

from sekisho.audit.image import image_of
from sekisho.audit.text import format_text
from sekisho.audit.values import Image, Record
from sekisho.decide.request import Execution, Task
from sekisho.policy.model import Mode


def test_strings_are_encoded() -> None:
    image = image_of(Execution("/bin/x", (b"x y", b""), (b"A=\xff",)))

    assert image == Image("/bin/x", 2, 1, ("x\\040y", ""), ("A=\\377",))


def test_what_does_not_fit_is_left_out() -> None:
    image = image_of(Execution("/bin/x", (b"short", b"a" * 9000, b"never"), (b"A=1",)))

    assert (3, ("short",), ("A=1",)) == (image.argc, image.argv, image.envp)


def test_arguments_take_room_from_the_environment() -> None:
    image = image_of(Execution("/bin/x", (b"a" * 8000,), (b"b" * 200, b"c")))

    assert ((b"a" * 8000).decode(),) == image.argv
    assert () == image.envp


def test_the_block_never_outgrows_the_buffer() -> None:
    # argv[]={ "<word>" } : the closing quote must start before byte 8160.
    longest = 8160 - len('argv[]={ "') - 1
    assert image_of(Execution("/x", (b"a" * longest,), ())).argv
    assert not image_of(Execution("/x", (b"a" * (longest + 1),), ())).argv


def test_a_list_cut_short_ends_in_dots() -> None:
    image = image_of(Execution("/x", (b"a" * 9000,), ()))
    record = Record(0, 0, Mode.LEARNING, False, "<kernel>", "file execute /x", Task(), execution=image)

    assert 'exec={ realpath="/x" argc=1 envc=0 argv[]={ ... } envp[]={ } }' in format_text(record)
