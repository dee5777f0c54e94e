/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Names of files as TOMOYO builds them: from the root of the mount namespace whatever the chroot, directories with a
 * slash at the end, and for what has no such name FILESYSTEM:/path, proc:/self/, pipe:[N], socket:[N].
 */
#ifndef SEKISHO_NAMES_H
#define SEKISHO_NAMES_H

#include "climb.h"
#include "names_special.h"
#include "walk.h"

enum which { FIRST = 0, SECOND = 1 };

/* How a name is to be built. */
enum naming {
	NAME_SECOND = 1,	/* it goes into the second name */
	NAME_SLASH = 2,		/* it ends in a slash whatever it is */
};

/* The path inside the file system, with that one's name before it. Where it begins, or a negative errno. */
__noinline int local_in_work(__u32 slot, __u64 address, __u32 place)
{
	struct task_struct___named *task = (void *)bpf_get_current_task();
	struct dentry *dentry = (void *)address;
	struct super_block *sb = BPF_CORE_READ(dentry, d_sb);
	struct origin origin = { .dentry = address, .place = place };
	int outcome;

	origin.root = (__u64)BPF_CORE_READ(sb, s_root);
	if (BPF_CORE_READ(sb, s_magic) == PROC_SUPER_MAGIC)
		origin.own = (__u64)BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	outcome = path_in_work(slot, &origin);
	if (outcome != AT_ROOT)
		return outcome == TOO_LONG ? -ENAMETOOLONG : -EAGAIN;
	place = prefixed(slot, origin.place, (__u64)sb);
	return place ? place : -ENAMETOOLONG;
}

static __always_inline void describe(struct scratch *scratch, struct name *name, __u32 second, __u32 length)
{
	name->length = length;
	name->space = SPACE_NAME;
	name->zero = 0;
	if (second & 1)
		scratch->ids_ready = (scratch->ids_ready & ~2) | 8;
	else
		scratch->ids_ready = (scratch->ids_ready & ~1) | 4;
}

/* The name in work moves to where it belongs, and is zero after its end as its map's keys are. */
static __always_inline int move_name(struct scratch *scratch, __u32 second, __u32 place)
{
	struct name *name = (void *)&scratch->first + (second & 1) * sizeof(struct name);
	__u32 length = WORK_END - place;
	__u32 size = 4096;

	if (place > WORK_END || length > NAME_BYTES)
		return -ENAMETOOLONG;
	bpf_probe_read_kernel(name->bytes, length, scratch->work + place);
	describe(scratch, name, second, length);
	if (length <= 1024 - 4)
		size = length <= 64 - 4 ? length <= 32 - 4 ? 32 : 64 : length <= 128 - 4 ? 128 : length <= 256 - 4 ? 256 : 1024;
	/* What can't be read is zeroes: this fills any number of bytes. */
	bpf_probe_read_kernel(name->bytes + length, (size - 4 - length) & 4095, NULL);
	return 0;
}

/* The name of a dentry (an address) in a mount (that of a vfsmount), and its inodes, into the slot. See enum naming. */
__noinline int name_of(__u32 slot, __u32 naming, __u64 mount, __u64 address)
{
	struct dentry *dentry = (void *)address;
	struct dentry___named *named = (void *)address;
	struct super_block *sb = BPF_CORE_READ(dentry, d_sb);
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct scratch *scratch = slot_of(slot);
	__u32 second = naming & NAME_SECOND;
	__u32 start = WORK_END;
	int place;

	if (!scratch)
		return -EAGAIN;
	scratch->inodes[second * 2] = (__u64)inode;
	scratch->inodes[second * 2 + 1] = (__u64)BPF_CORE_READ(dentry, d_parent, d_inode);
	if (naming & NAME_SLASH || (inode && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR))
		start = put(scratch, start, "/", 1);
	if (BPF_CORE_READ(named, d_op, d_dname)) {
		place = special_in_work(slot, start, address);
	} else if (named_by_type(sb) && !needs_device(sb)) {
		place = local_in_work(slot, address, start);
	} else {
		struct origin origin = { .dentry = address, .place = start };
		int outcome;

		origin.mount = mount - bpf_core_field_offset(struct mount, mnt);
		outcome = path_in_work(slot, &origin);

		if (outcome == DETACHED)
			place = local_in_work(slot, address, start);
		else if (outcome == AT_ROOT)
			place = origin.place < WORK_END ? origin.place : put(scratch, WORK_END, "/", 1);
		else
			place = outcome == TOO_LONG ? -ENAMETOOLONG : -EAGAIN;
	}
	return place < 0 ? place : move_name(scratch, second, place);
}

#define SHORT_KEY (64 - 4)	/* what names hold that are looked up in the two smallest maps */

/* The same by words, zeroes behind it included: for short names that start_name() has been called for. */
static __always_inline void move_short(struct scratch *scratch, __u32 second, __u32 place, __u32 length)
{
	struct name *name = (void *)&scratch->first + (second & 1) * sizeof(struct name);
	char *from = scratch->work + (place & (TEXT_BYTES / 2 - 1));

	__builtin_memcpy(name->bytes, from, 32 - 4);
	if (length > 32 - 4)
		__builtin_memcpy(name->bytes + 28, from + 28, 32);
	describe(scratch, name, second, length);
}

/* The name in work that was begun by start_name(), as a function that is verified once. */
__noinline int finish_name(__u32 slot, __u32 second, __u32 place)
{
	struct scratch *scratch = slot_of(slot);

	if (!scratch)
		return -EAGAIN;
	if (place == WORK_END)
		place = put(scratch, WORK_END, "/", 1);
	if (WORK_END - place > SHORT_KEY)
		return move_name(scratch, second, place);
	move_short(scratch, second, place, WORK_END - place);
	return 0;
}

/* The slot's work is empty but for the slash that a directory's name ends in, and zeroes behind it. */
static __always_inline void start_name(struct scratch *scratch, struct inode *inode, bool slash)
{
	bool directory = slash || (present(inode) && (inode->i_mode & S_IFMT) == S_IFDIR);

	scratch->work[WORK_END - 1] = '/';
	__builtin_memset(scratch->work + WORK_END, 0, SHORT_KEY + 4);
	scratch->walk.place = WORK_END - directory;
}

/*
 * The name of the entry of a directory that dentry is or is going to be, into the slot's first or second name: 0, or a
 * negative errno. slash: it is going to be a directory. Both pointers are ones whose types the verifier knows; for
 * others there is name_of().
 */
static __always_inline int name_entry(__u32 slot, enum which which, struct vfsmount *mnt, struct dentry *dentry,
				      bool slash)
{
	struct dentry___named *named = (void *)dentry;
	struct scratch *scratch = slot_of(slot);
	__u32 second = which == SECOND, place = 0;

	if (!scratch)
		return -EAGAIN;
	scratch->inodes[second * 2] = address_of(dentry->d_inode);
	scratch->inodes[second * 2 + 1] = address_of(dentry->d_parent->d_inode);
	start_name(scratch, dentry->d_inode, slash);
	if (!named->d_op->d_dname && aim(&scratch->walk, mnt, dentry) && climb_to_root(scratch, dentry))
		place = above_root(slot, &scratch->walk, dentry);
	if (place)
		return finish_name(slot, second, place);
	return name_of(slot, (second ? NAME_SECOND : 0) | (slash ? NAME_SLASH : 0), address_of(mnt), address_of(dentry));
}

/* The name of a file that exists. */
static __always_inline int name_path(__u32 slot, enum which which, struct vfsmount *mnt, struct dentry *dentry)
{
	return name_entry(slot, which, mnt, dentry, false);
}

#endif
