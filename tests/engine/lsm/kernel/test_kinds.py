import pytest

from sekisho.engine.lsm.kernel.btf import FUNC, TYPEDEF
from sekisho.engine.lsm.kernel.kinds import SYSCALL, Flavour, Kind, kind


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("lsm/file_open", Kind(29, 27, "bpf_lsm_file_open")),
        ("lsm.s/file_open", Kind(29, 27, "bpf_lsm_file_open", sleepable=True)),
        ("fentry/do_exit", Kind(26, 24, "do_exit")),
        ("fentry.s/do_exit", Kind(26, 24, "do_exit", sleepable=True)),
        ("fexit/do_exit", Kind(26, 25, "do_exit")),
        ("fmod_ret/security_file_open", Kind(26, 26, "security_file_open")),
        ("iter/task", Kind(26, 28, "bpf_iter_task")),
        ("tp_btf/sched_switch", Kind(26, 23, "btf_trace_sched_switch", TYPEDEF)),
        ("syscall", SYSCALL),
        ("lsm", None),
        ("xdp", None),
        ("kprobe/do_exit", None),
    ],
)
def test_sections_say_what_their_programs_are(section: str, expected: Kind | None) -> None:
    assert expected == kind(section, Flavour.LSM)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("lsm/file_open", Kind(26, 26, "security_file_open")),
        ("lsm.s/file_open", Kind(26, 26, "security_file_open")),
        ("lsm/bprm_committed_creds", Kind(26, 24, "security_bprm_committed_creds")),
        ("lsm/bprm_check_security", Kind(26, 26, "security_bprm_check")),
        ("fentry/do_exit", Kind(26, 24, "do_exit")),
    ],
)
def test_without_the_lsm_hooks_are_the_functions_that_call_them(section: str, expected: Kind) -> None:
    assert expected == kind(section, Flavour.MODIFY_RETURN)


def test_what_runs_by_itself() -> None:
    assert not SYSCALL.attaches and Kind(29).attaches
    assert Kind(26, 28).iterates and not Kind(26, 24, target_kind=FUNC).iterates
