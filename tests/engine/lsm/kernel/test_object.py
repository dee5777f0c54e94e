import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel import object as objects
from sekisho.engine.lsm.kernel.object import MapShape, Variable
from sekisho.engine.lsm.kernel.refusal import BadObject

pytestmark = pytest.mark.needs(*sample.COMPILER)
HEAD = '#include "types.h"\n#include <bpf/bpf_helpers.h>\n'


def test_programs_are_by_name_and_say_their_section() -> None:
    programs = sample.image().programs

    assert {
        "compute": "syscall",
        "identify": "syscall",
        "send": "syscall",
        "careless": "syscall",
        "each_task": "iter/task",
        "opened": "lsm/file_open",
        "opened_slowly": "lsm.s/file_open",
        "committed": "lsm/bprm_committed_creds",
        "nowhere": "lsm/no_such_hook",
    } == {name: source.section for name, source in programs.items()}


def shape(name: str) -> MapShape:
    found = sample.image().maps[name]
    types = (found.key_type, found.value_type)
    assert all(types) or name.startswith(".") or found.type == 27
    return MapShape(
        name, found.type, found.key_size, found.value_size, found.entries, found.flags, 0, 0, found.contents,
        found.constant,
    )  # fmt: skip


@pytest.mark.parametrize(
    "expected",
    [
        MapShape("entries", 1, 4, 16, 1000, 1),
        MapShape("cells", 2, 4, 4, 100, 1024),
        MapShape("events", 27, 0, 0, 4096, 0),
        MapShape("tasks", 29, 4, 8, 0, 1),
        MapShape(".rodata", 2, 4, 8, 1, 1024 | 128, contents=b"\7\0\0\0\t\0\0\0", constant=True),
        MapShape(".data", 2, 4, 8, 1, 1024, contents=b"\5" + bytes(7)),
        MapShape(".bss", 2, 4, 8, 1, 1024, contents=bytes(8)),
    ],
    ids=lambda expected: expected.name,
)
def test_maps_are_as_they_are_defined(expected: MapShape) -> None:
    assert expected == shape(expected.name)


def test_variables_are_found() -> None:
    assert {
        "limit": Variable(".rodata", 0, 4),
        "unlimited": Variable(".rodata", 4, 4),
        "began": Variable(".data", 0, 8),
        "seen": Variable(".bss", 0, 8),
    } == sample.image().variables


def test_an_object_without_types_is_none() -> None:
    with pytest.raises(BadObject, match="-g"):
        objects.read(sample.raw().replace(b".BTF.ext\0", b".BTF.fxt\0"))


def test_a_map_that_isnt_understood_is_named() -> None:
    text = HEAD + 'struct { __uint(type, 1); __uint(pinning, 1); } odd SEC(".maps");'

    with pytest.raises(BadObject, match="map odd: pinning"):
        objects.read(sample.compiled(text + '\nSEC("syscall") int program(void *c) { return 0; }'))
