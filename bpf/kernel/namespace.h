/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Namespaces, and how a descriptor leads to one. */
#ifndef SEKISHO_KERNEL_NAMESPACE_H
#define SEKISHO_KERNEL_NAMESPACE_H

#include "base.h"

struct user_namespace;

#define CLONE_NEWTIME 0x00000080
#define CLONE_NEWNS 0x00020000
#define CLONE_NEWCGROUP 0x02000000
#define CLONE_NEWUTS 0x04000000
#define CLONE_NEWIPC 0x08000000
#define CLONE_NEWUSER 0x10000000
#define CLONE_NEWPID 0x20000000
#define CLONE_NEWNET 0x40000000
#define CLONE_NEW_ANY (CLONE_NEWTIME | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
		       CLONE_NEWPID | CLONE_NEWNET)

struct proc_ns_operations___typed {
	int type;		/* before 6.18 */
} RELOCATED;

struct ns_common___old {
	const struct proc_ns_operations___typed *ops;
} RELOCATED;

struct ns_common___typed {
	__u32 ns_type;		/* since 6.18 */
} RELOCATED;

struct ns_common___numbered {
	unsigned int inum;
} RELOCATED;

struct mnt_namespace___numbered {
	struct ns_common___numbered ns;
} RELOCATED;

struct nsproxy___held {
	struct mnt_namespace___numbered *mnt_ns;
} RELOCATED;

struct fdtable___held {
	unsigned int max_fds;
	struct file **fd;
} RELOCATED;

typedef struct { int counter; } atomic_count;

struct files_struct___held {
	atomic_count count;
	struct fdtable___held *fdt;
} RELOCATED;

struct inode___held {
	void *i_private;
} RELOCATED;

struct task_struct___held {
	struct files_struct___held *files;
	struct nsproxy___held *nsproxy;
} RELOCATED;

#endif
