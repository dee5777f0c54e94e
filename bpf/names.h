/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Names of files as TOMOYO builds them: from the root of the mount namespace whatever the chroot, directories with a
 * slash at the end, and for what has no such name FILESYSTEM:/path, proc:/self/, pipe:[N], socket:[…].
 */
#ifndef SEKISHO_NAMES_H
#define SEKISHO_NAMES_H

#include "scratch.h"

enum which { FIRST = 0, SECOND = 1 };

/* The name of a file that exists, into the slot's first or second name: 0, or a negative errno. */
static __always_inline int name_path(__u32 slot, enum which which, struct vfsmount *mnt, struct dentry *dentry)
{
	return 0;
}

/* The name of the entry of a directory that dentry is or is going to be; slash: it is going to be a directory. */
static __always_inline int name_entry(__u32 slot, enum which which, struct vfsmount *mnt, struct dentry *dentry,
				      bool slash)
{
	return 0;
}

#endif
