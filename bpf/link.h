/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The name that a program is asked for by: if the last component is a symbolic link, it is the link's own name and not
 * that of what it leads to. Nothing can be looked up here, so it is caught while the kernel looks it up, in the walk
 * that finds the very file that is executed: whoever replaces links or directories meanwhile gets no other name.
 *
 * Links of procfs are none: whoever comes by /proc/self/fd/9, or by the descriptor itself, goes by the file's name, since
 * the number of a descriptor is no policy. The kernel's TOMOYO does the same from 6.14 on.
 *
 * The kernel may walk a path more than once, in a hurry first. What such a walk met counts only if the last one met it.
 */
#ifndef SEKISHO_LINK_H
#define SEKISHO_LINK_H

#include "judge.h"
#include "names.h"
#include "task.h"
#include "kernel/exec.h"

/* The name of the link, until the program that it leads to is executed. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct name);
} requested SEC(".maps");

SEC("fentry/do_open_execat")
int BPF_PROG(opening)
{
	struct state *now = the_state();
	struct task *mine;

	/* An execution that has begun may be decided by a start that is going to follow. */
	if (!now || (!now->active && !now->every_task))
		return 0;
	mine = own_task();
	if (mine) {
		mine->flags |= TASK_OPENING;
		mine->asked_name = 0;
		mine->asked_file = 0;
	}
	return 0;
}

SEC("fexit/do_open_execat")
int BPF_PROG(opened)
{
	struct task *mine = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0);

	if (mine)
		mine->flags &= ~TASK_OPENING;
	return 0;
}

/* Whether the component that the walk is at is the last of the path that was asked for, and no link's. */
__noinline int asked_last(__u32 slot, __u64 path, __u64 component, __u32 length)
{
	struct scratch *scratch = slot_of(slot);
	long size;

	if (!scratch || component - path >= NAME_BYTES)
		return 0;
	size = bpf_probe_read_kernel_str(scratch->work, 4096, (void *)path);
	return size > 0 && component - path + length == size - 1;
}

static __always_inline int keep_name(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);
	struct name *kept = bpf_task_storage_get(&requested, bpf_get_current_task_btf(), NULL,
						 BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!scratch || !kept)
		return -ENOMEM;
	return bpf_probe_read_kernel(kept, sizeof(*kept), &scratch->first) ? -EAGAIN : 0;
}

SEC("lsm/inode_follow_link")
int BPF_PROG(inode_follow_link, struct dentry *dentry, struct inode *inode, bool rcu, int ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task *mine = bpf_task_storage_get(&tasks, task, NULL, 0);
	struct nameidata *nd;
	int error;
	__u32 slot;

	if (ret || !mine || !(mine->flags & TASK_OPENING))
		return verdict(ret);
	nd = task->nameidata;
	if (!nd || nd->saved || nd->depth != 1 || nd->stack->link.dentry != dentry)
		return 0;
	if (dentry->d_sb->s_magic == PROC_MAGIC) {
		mine->asked_name = 0;
		return 0;
	}
	slot = begin(FAMILY_NAME, 0, KERNEL_DOMAIN);
	if (slot == NO_SLOT) {
		/* It may be the one; then nothing is known of it. */
		mine->asked_name = address_of(nd->last.name);
		mine->asked_error = EAGAIN;
		return 0;
	}
	if (asked_last(slot, address_of(nd->name->name), address_of(nd->last.name), nd->last.len)) {
		error = name_path(slot, FIRST, nd->stack->link.mnt, dentry);
		error = error ? error : keep_name(slot);
		mine->asked_name = address_of(nd->last.name);
		mine->asked_error = -error;
	}
	release(slot);
	return 0;
}

/*
 * The file that is going to be executed is being opened, at the end of the walk. If the link that was met last isn't
 * where this walk has come along, the path didn't end in one.
 */
static __always_inline void opened_for_exec(struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task *mine = bpf_task_storage_get(&tasks, task, NULL, 0);
	struct nameidata *nd;

	if (!mine || !(mine->flags & TASK_OPENING))
		return;
	nd = task->nameidata;
	/* File systems above others open files themselves, below. */
	if (!nd || nd->saved || file->f_path.dentry != nd->path.dentry || file->f_inode != nd->path.dentry->d_inode)
		return;
	mine->asked_file = mine->asked_name && mine->asked_name != address_of(nd->last.name) ? (__u64)file : 0;
}

#endif
