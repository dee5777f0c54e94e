/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What stands before a path that isn't absolute: FILESYSTEM: or dev(MAJOR,MINOR): */
#ifndef SEKISHO_PREFIX_H
#define SEKISHO_PREFIX_H

#include "names_special.h"
#include "walk.h"

#define PREFIX_ROOM 128

/* Whether names begin at the root of the file system and with what it is called: its root can't be renamed into. */
static __always_inline bool named_by_type(struct super_block *sb)
{
	struct inode___named *root = (void *)BPF_CORE_READ(sb, s_root, d_inode);

	return !BPF_CORE_READ(root, i_op, rename);
}

static __always_inline bool needs_device(struct super_block *sb)
{
	struct file_system_type___named *type = (void *)BPF_CORE_READ(sb, s_type);

	return BPF_CORE_READ(type, fs_flags) & FS_REQUIRES_DEV;
}

/*
 * Before the path in work (of one that is empty, a slash is made), what a name begins with that isn't absolute. Where it
 * begins then; 0: there is no room.
 */
__noinline __u32 prefixed(__u32 slot, __u32 place, __u64 file_system)
{
	struct super_block *sb = (void *)file_system;
	__u32 device = BPF_CORE_READ(sb, s_dev);
	struct scratch *scratch = slot_of(slot);

	if (!scratch || place < PREFIX_ROOM || place > WORK_END)
		return 0;
	if (place == WORK_END)
		place = put(scratch, place, "/", 1);
	if (BPF_CORE_READ(sb, s_magic) == PROC_SUPER_MAGIC || !(device >> 20) || named_by_type(sb)) {
		place = put(scratch, place, ":", 1);
		return put_string(slot, place, (__u64)BPF_CORE_READ(sb, s_type, name));
	}
	place = put(scratch, place, "):", 2);
	place = put_number(slot, place, device & 0xfffff);
	place = put(scratch, place, ",", 1);
	place = put_number(slot, place, device >> 20);
	return put(scratch, place, "dev(", 4);
}

#endif
