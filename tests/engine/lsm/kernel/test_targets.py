import pytest

from sekisho.engine.lsm.kernel.btf import FUNC, STRUCT, TYPEDEF
from sekisho.engine.lsm.kernel.targets import Targets

pytestmark = pytest.mark.root


def test_the_kernel_says_its_numbers() -> None:
    targets = Targets()
    numbers = [
        targets.find("bpf_lsm_file_open", FUNC),
        targets.find("security_file_open", FUNC),
        targets.find("task_struct", STRUCT),
        targets.find("btf_trace_sched_switch", TYPEDEF),
    ]

    assert all(numbers) and len(numbers) == len(set(numbers))
    assert numbers[0] == targets.find("bpf_lsm_file_open", FUNC)
    targets.close()


@pytest.mark.parametrize("name", ["bpf_lsm_no_such", "task_struct", "x" * 127, "x" * 128, "x" * 1000])
def test_what_the_kernel_hasnt_is_none(name: str) -> None:
    targets = Targets()

    assert 0 == targets.find(name, FUNC)
    targets.close()
