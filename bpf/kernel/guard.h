/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the protection of the engine itself looks at. */
#ifndef SEKISHO_KERNEL_GUARD_H
#define SEKISHO_KERNEL_GUARD_H

#include "base.h"
#include "namespace.h"

union bpf_attr;

#define FMODE_WRITE 2
#define F_UNLCK 2
#define MS_REMOUNT 32
#define MS_PROPAGATION (1 << 17 | 1 << 18 | 1 << 19 | 1 << 20)
#define PTRACE_MODE_ATTACH 2
#define BPF_LINK_GET_FD_BY_ID 30

struct bpf_map {
	__u32 id;
	char name[16];
} RELOCATED;

struct bpf_prog_aux {
	__u32 id;
	char name[16];
} RELOCATED;

struct bpf_prog {
	struct bpf_prog_aux *aux;
} RELOCATED;

struct mount___grouped {
	int mnt_group_id;	/* 0: what is mounted here is seen nowhere else */
	struct mnt_namespace___numbered *mnt_ns;
	struct vfsmount mnt;
} RELOCATED;

struct task_struct___started {
	__u64 start_boottime;
} RELOCATED;

struct ctl_table {
	const char *procname;
} RELOCATED;

/* A file in proc: a process's, or one that sets something. */
struct proc_inode___held {
	struct pid *pid;
	const struct ctl_table *sysctl_entry;
	struct inode vfs_inode;
} RELOCATED;

struct hlist_node___linked;

struct hlist_head___linked {
	struct hlist_node___linked *first;
} RELOCATED;

struct pid___tasks {
	struct hlist_head___linked tasks[4];	/* by enum pid_type */
} RELOCATED;

struct hlist_node___in {
	void *next;
} RELOCATED;

struct task_struct___linked {
	struct hlist_node___in pid_links[4];
} RELOCATED;

enum lockdown_reason {
	LOCKDOWN_DEV_MEM = 2,
	LOCKDOWN_IOPORT = 7,
	LOCKDOWN_MSR = 8,
	LOCKDOWN_BPF_WRITE_USER = 17,
};

#endif
