"""System call numbers (include/uapi/asm/unistd.h and asm-generic/unistd.h of Linux 6.18) of what the engine names.

The aarch64 column is the generic table; it has been checked against the header, never run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from sekisho.errors import NotSupported

_NUMBERS: Final[dict[str, tuple[int, int]]] = {
    "open": (2, -1),
    "openat": (257, 56),
    "openat2": (437, 437),
    "creat": (85, -1),
    "stat": (4, -1),
    "lstat": (6, -1),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "unlink": (87, -1),
    "unlinkat": (263, 35),
    "rmdir": (84, -1),
    "mkdir": (83, -1),
    "mkdirat": (258, 34),
    "mknod": (133, -1),
    "mknodat": (259, 33),
    "rename": (82, -1),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, -1),
    "linkat": (265, 37),
    "symlink": (88, -1),
    "symlinkat": (266, 36),
    "chmod": (90, -1),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, -1),
    "lchown": (94, -1),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "ioctl": (16, 29),
    "fcntl": (72, 25),
    "chroot": (161, 51),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "execve": (59, 221),
    "execveat": (322, 281),
    "mmap": (9, 222),
    "bind": (49, 200),
    "connect": (42, 203),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "recvmmsg": (299, 243),
    "clone": (56, 220),
    "clone3": (435, 435),
    "fork": (57, -1),
    "vfork": (58, -1),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "unshare": (272, 97),
    "setns": (308, 268),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "setgroups": (116, 159),
    "capset": (126, 91),
    "prctl": (157, 167),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "kcmp": (312, 272),
    "prlimit64": (302, 261),
    "setrlimit": (160, 164),
    "mq_open": (240, 180),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "seccomp": (317, 277),
    "landlock_restrict_self": (446, 446),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "process_madvise": (440, 440),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "socket": (41, 198),
    "setsockopt": (54, 208),
    "getsockopt": (55, 209),
    "reboot": (169, 142),
    "vhangup": (153, 58),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "uselib": (134, -1),
    "iopl": (172, -1),
    "ioperm": (173, -1),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "setxattrat": (463, 463),
    "file_setattr": (469, 469),
    "file_getattr": (468, 468),
    "fanotify_init": (300, 262),
    "process_mrelease": (448, 448),
    "memfd_secret": (447, 447),
    "personality": (135, 92),
    "getpgid": (121, 155),
    "setpgid": (109, 154),
}
"""By name: the numbers on x86_64 and on aarch64, -1 where that has no such call."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One native ABI: the audit architecture that seccomp reports, and its numbers by system call name."""

    machine: str
    audit: int
    numbers: dict[str, int]
    foreign_bit: int
    """Set in the number of a call of the ABI that shares ``audit`` (x32 on x86_64); 0 where there is none."""


def _column(place: int) -> dict[str, int]:
    return {name: numbers[place] for name, numbers in _NUMBERS.items() if numbers[place] >= 0}


ARCHITECTURES: Final = {
    "x86_64": Architecture("x86_64", 0xC000003E, _column(0), 0x40000000),
    "aarch64": Architecture("aarch64", 0xC00000B7, _column(1), 0),
}


def native() -> Architecture | None:
    """The architecture this process runs on, or None where the engine has no table for it."""
    return ARCHITECTURES.get(os.uname().machine)


def require_native() -> Architecture:
    """The architecture this process runs on; raises NotSupported where the engine has no table for it."""
    architecture = native()
    if architecture is None:
        supported = ", ".join(ARCHITECTURES)
        raise NotSupported(f"no system call table for {os.uname().machine}", f"supported: {supported}")
    return architecture
