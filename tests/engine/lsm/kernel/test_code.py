import struct

import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel import object as objects
from sekisho.engine.lsm.kernel.code import Code
from sekisho.engine.lsm.kernel.refusal import BadObject

pytestmark = pytest.mark.needs(*sample.COMPILER)

LOAD, CALL, EXIT = 0x18, 0x85, 0x95


def instructions(code: Code) -> list[tuple[int, int, int, int]]:
    """Opcode, destination, source, number of each."""
    return [(op, regs & 15, regs >> 4, imm) for op, regs, _, imm in struct.iter_unpack("<BBhi", code.instructions)]


def called(code: Code) -> list[int]:
    """The places that are called or pointed to."""
    found = instructions(code)
    return [
        at + number + 1 for at, (op, _, source, number) in enumerate(found) if (op, source) in ((CALL, 1), (LOAD, 4))
    ]


def functions(code: Code) -> list[int]:
    return [at for at, _ in struct.iter_unpack("<II", code.functions)]


def test_a_program_has_behind_it_all_that_it_calls() -> None:
    code = sample.image().programs["compute"].code
    begins = functions(code)

    # compute, step, square, thrice, and plus, which only square calls
    assert 5 == len(begins) and 0 == begins[0]
    assert set(begins[1:]) == set(called(code))
    assert all(instructions(code)[at - 1][0] == EXIT for at in begins[1:])


def test_a_program_has_nothing_else_behind_it() -> None:
    assert [0] == functions(sample.image().programs["identify"].code)


def test_lines_and_fields_are_where_their_instructions_went() -> None:
    image = sample.image()
    for source in image.programs.values():
        count = len(source.code.instructions) // 8
        lines = [row[0] for row in struct.iter_unpack("<IIII", source.code.lines)]
        fields = [row[0] for row in struct.iter_unpack("<IIII", source.code.fields)]

        assert sorted(set(lines)) == lines and lines[-1] < count
        assert set(functions(source.code)) <= set(lines)
        assert all(at % 8 == 0 and at < 8 * count for at in fields)


def test_maps_and_variables_are_put_in_by_descriptor() -> None:
    code = sample.image().programs["compute"].code
    names = {each.map for each in code.references}
    bound = code.bound({name: 100 + number for number, name in enumerate(sorted(names))})
    found = {}
    for each in code.references:
        _, registers, _, descriptor = struct.unpack_from("<BBhi", bound, each.at)
        (offset,) = struct.unpack_from("<i", bound, each.at + 12)
        found[each.map, each.offset] = (registers >> 4, descriptor, offset)

    assert {
        ("entries", None): (1, 103, 0),
        (".rodata", 0): (2, 102, 0),
        (".rodata", 4): (2, 102, 4),
        (".data", 0): (2, 101, 0),
        (".bss", 0): (2, 100, 0),
    } == found


@pytest.mark.parametrize(
    "body",
    [
        'extern int elsewhere(void *) SEC(".ksyms");\nSEC("syscall") int program(void *c) { return elsewhere(c); }',
        'extern int elsewhere;\nSEC("syscall") int program(void *c) { return elsewhere; }',
    ],
)
def test_what_isnt_in_the_object_is_named(body: str) -> None:
    raw = sample.compiled(f'#include "types.h"\n#include <bpf/bpf_helpers.h>\n{body}\nchar l[] SEC("license") = "GPL";')

    with pytest.raises(BadObject, match="elsewhere"):
        objects.read(raw)
