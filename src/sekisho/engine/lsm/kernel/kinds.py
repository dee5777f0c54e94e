"""What sections say of their programs: ``lsm/file_open`` is a program of that type, for that function."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from sekisho.engine.lsm.kernel.btf import FUNC, TYPEDEF

_TRACING, _LSM, _SYSCALL = 26, 29, 31
_RAW_TP, _FENTRY, _FEXIT, _MODIFY_RETURN, _LSM_MAC, _ITER = 23, 24, 25, 26, 27, 28


class Flavour(enum.Enum):
    """How programs for LSM hooks get to run."""

    LSM = "lsm"
    """As an LSM: bpf has to be in the kernel's list of LSMs, else they load, attach, and never run."""

    MODIFY_RETURN = "modify-return"
    """Before the kernel's own function that calls the LSMs, whatever their list is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the kernel is told of a program. ``target`` is the kernel's type (of ``target_kind``) that it goes to."""

    type: int
    attach: int = 0
    target: str = ""
    target_kind: int = FUNC
    sleepable: bool = False

    @property
    def iterates(self) -> bool:
        """Whether it is run by reading from it."""
        return self.type == _TRACING and self.attach == _ITER

    @property
    def attaches(self) -> bool:
        """Whether it runs by itself once it is attached."""
        return self.type != _SYSCALL


SYSCALL: Final = Kind(_SYSCALL, sleepable=True)
"""A program that is run by bpf(2)."""

_TRACED: Final = {
    "fentry": (_FENTRY, "", FUNC),
    "fexit": (_FEXIT, "", FUNC),
    "fmod_ret": (_MODIFY_RETURN, "", FUNC),
    "iter": (_ITER, "bpf_iter_", FUNC),
    "tp_btf": (_RAW_TP, "btf_trace_", TYPEDEF),
}

VOID: Final = frozenset(
    """bprm_committing_creds bprm_committed_creds sb_delete sb_free_security sb_free_mnt_opts inode_free_security
    inode_post_setattr inode_post_setxattr inode_post_removexattr inode_post_create_tmpfile inode_post_set_acl
    inode_post_remove_acl inode_invalidate_secctx inode_getsecid inode_getlsmprop file_release file_free_security
    file_set_fowner path_post_mknod task_free cred_free cred_getsecid cred_getlsmprop cred_transfer task_to_inode
    task_getsecid_obj task_getlsmprop_obj current_getsecid_subj current_getlsmprop_subj ipc_getsecid ipc_getlsmprop
    msg_msg_free_security msg_queue_free_security shm_free_security sem_free_security d_instantiate release_secctx
    sk_free_security sk_clone_security sk_getsecid sock_graft inet_csk_clone inet_conn_established req_classify_flow
    secmark_refcount_inc secmark_refcount_dec tun_dev_free_security ib_free_security xfrm_policy_free_security
    xfrm_state_free_security key_free key_post_create_or_update audit_rule_free bpf_map_free bpf_prog_free
    bpf_token_free bpf_map_free_security bpf_prog_free_security bdev_free_security initramfs_populated""".split()
)
"""Hooks without a verdict: there is none to be modified."""

_CALLERS: Final = {
    "bprm_check_security": "bprm_check",
    "userns_create": "create_user_ns",
    "sb_alloc_security": "sb_alloc",
    "inode_alloc_security": "inode_alloc",
    "inode_free_security": "inode_free",
    "file_alloc_security": "file_alloc",
    "file_free_security": "file_free",
    "cred_prepare": "prepare_creds",
    "settime": "settime64",
    "vm_enough_memory": "vm_enough_memory_mm",
    "sk_alloc_security": "sk_alloc",
    "sk_free_security": "sk_free",
    "sk_clone_security": "sk_clone",
    "socket_sock_rcv_skb": "sock_rcv_skb",
    "bpf_map_alloc_security": "bpf_map_alloc",
    "bpf_map_free_security": "bpf_map_free",
    "bpf_prog_alloc_security": "bpf_prog_alloc",
    "bpf_prog_free_security": "bpf_prog_free",
}
"""The functions that call hooks, where they aren't called what the hooks are."""


def kind(section: str, flavour: Flavour) -> Kind | None:
    """The kind of the programs in ``section``; None if no programs of ours go there."""
    word, _, target = section.partition("/")
    name, sleepable = word.removesuffix(".s"), word.endswith(".s")
    if name == "syscall" and not target:
        return SYSCALL
    if not target:
        return None
    if name == "lsm":
        if flavour is Flavour.LSM:
            return Kind(_LSM, _LSM_MAC, f"bpf_lsm_{target}", FUNC, sleepable)
        attach = _FENTRY if target in VOID else _MODIFY_RETURN
        # The kernel lets none that sleep in here.
        return Kind(_TRACING, attach, f"security_{_CALLERS.get(target, target)}")
    if name in _TRACED:
        attach, prefix, target_kind = _TRACED[name]
        return Kind(_TRACING, attach, prefix + target, target_kind, sleepable)
    return None
