import struct
import sys
from pathlib import Path

import pytest
from tests.engine.lsm.kernel import sample
from tests.vm.machine import Machine

from sekisho.engine.lsm.kernel.loader import Loader, Options
from sekisho.engine.lsm.kernel.maps import Map
from sekisho.engine.lsm.kernel.object import Source
from sekisho.errors import UserError

pytestmark = [pytest.mark.root, pytest.mark.needs(*sample.COMPILER)]


def syscalls(source: Source) -> bool:
    return source.section == "syscall"


def test_a_program_that_fails_fails_no_other() -> None:
    loaded = Loader().load(
        sample.image(), Options(wanted=lambda source: syscalls(source) or "no_such" in source.section)
    )

    assert {"compute", "identify", "send"} == set(loaded.programs)
    assert {"careless", "nowhere"} == set(loaded.failures)
    assert (True, "this kernel has no bpf_lsm_no_such_hook") == (
        loaded.failures["nowhere"].absent, loaded.failures["nowhere"].reason,
    )  # fmt: skip
    assert "verifier" in loaded.failures["careless"].reason and not loaded.failures["careless"].log
    loaded.close()


def test_the_verifiers_last_words_are_kept_if_asked_for() -> None:
    loaded = Loader().load(sample.image(), Options(log=3, wanted=lambda source: source.name == "careless"))

    assert 3 == len(loaded.failures["careless"].log)
    assert any("map_value_or_null" in line for line in loaded.failures["careless"].log)
    loaded.close()


def test_variables_begin_with_what_they_are_given() -> None:
    options = Options(values={"limit": struct.pack("<I", 1000), "began": struct.pack("<Q", 0)}, wanted=syscalls)
    loaded = Loader().load(sample.image(), options)
    context = bytearray(struct.pack("<IIQ", 4, 5, 0))
    loaded.programs["compute"].run(context)

    assert 25 + 9 + 1000 + 45 + 3 == struct.unpack("<IIQ", context)[2]
    loaded.close()


@pytest.mark.parametrize("values", [{"limit": b"12"}, {"no_such": b"1234"}])
def test_a_variable_that_isnt_there_is_named(values: dict[str, bytes]) -> None:
    with pytest.raises(UserError, match=next(iter(values))):
        Loader().load(sample.image(), Options(values=values))


def test_maps_have_the_sizes_that_are_asked_for() -> None:
    loaded = Loader().load(sample.image(), Options(entries={"entries": 77}, wanted=lambda source: False))

    assert (77, 100) == (loaded.maps["entries"].entries, loaded.maps["cells"].entries)
    loaded.close()


def test_a_map_that_is_there_is_used() -> None:
    with Map.make(sample.image().maps["entries"]) as mine:
        loaded = Loader().load(sample.image(), Options(reuse={"entries": mine}, wanted=syscalls))
        loaded.programs["compute"].run(bytearray(struct.pack("<IIQ", 4, 5, 0)))

        assert mine.lookup(4)
        loaded.close()


def test_a_map_that_doesnt_fit_isnt_used() -> None:
    with Map.make(sample.image().maps["cells"]) as mine, pytest.raises(UserError, match="another version"):
        Loader().load(sample.image(), Options(reuse={"entries": mine}))
    assert mine.fileno() < 0


def test_threads_load_the_same() -> None:
    loaded = Loader().load(sample.image(), Options(threads=4, wanted=syscalls))

    assert ({"compute", "identify", "send"}, {"careless"}) == (set(loaded.programs), set(loaded.failures))
    loaded.close()


def test_descriptors_are_given_back() -> None:
    loader = Loader()
    loader.load(sample.image(), Options(wanted=syscalls)).close()
    before = sorted(Path("/proc/self/fd").iterdir())
    loader.load(sample.image(), Options(wanted=syscalls, log=1)).close()

    assert len(before) == len(list(Path("/proc/self/fd").iterdir()))
    loader.targets.close()


@pytest.mark.parametrize(
    ("kernel", "lsm"),
    [
        pytest.param("6.12", "landlock,lockdown,yama", marks=pytest.mark.vm("6.12")),
        pytest.param("6.1", "landlock,lockdown,yama,bpf", marks=pytest.mark.vm("6.1")),
    ],
)
def test_hooks_refuse(kernel: str, lsm: str, tmp_path: Path, repository: Path) -> None:
    target = tmp_path / "sample.o"
    target.write_bytes(sample.raw())
    command = f"cd {repository} && PYTHONPATH=src:. {sys.executable} -m tests.engine.lsm.kernel.guest {target}"

    outcome = Machine(kernel=kernel, lsm=lsm).run(command)

    flavour = "lsm" if "bpf" in lsm else "modify-return"
    assert (0, f"{flavour}: refused, executed, left alone\n") == (outcome.status, outcome.stdout), outcome.stderr
