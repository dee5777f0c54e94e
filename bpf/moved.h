/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * How often something has been renamed, whoever did it: file systems, file servers and the kernel itself come here too.
 * Counted before and after, so that what was looked at meanwhile counts as old.
 */
#ifndef SEKISHO_MOVED_H
#define SEKISHO_MOVED_H

#include "scratch.h"

static __always_inline bool is_folder(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	return present(inode) && (inode->i_mode & S_IFMT) == S_IFDIR;
}

static __always_inline int count_move(struct dentry *dentry, struct dentry *target)
{
	struct counts *all = counted();

	if (!all)
		return 0;
	__sync_fetch_and_add(&all->moved, 1);
	if (is_folder(dentry) || is_folder(target))
		__sync_fetch_and_add(&all->folders_moved, 1);
	return 0;
}

SEC("fentry/__d_move")
int BPF_PROG(rename_begun, struct dentry *dentry, struct dentry *target)
{
	return count_move(dentry, target);
}

SEC("fexit/__d_move")
int BPF_PROG(rename_ended, struct dentry *dentry, struct dentry *target)
{
	return count_move(dentry, target);
}

#endif
