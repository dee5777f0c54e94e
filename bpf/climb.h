/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The quick way from an object up to its mount's root: the verifier knows the types of what a hook is given, so its
 * fields are loaded and not copied by a helper. All that is out of the ordinary is left to walk.h.
 */
#ifndef SEKISHO_CLIMB_H
#define SEKISHO_CLIMB_H

#include "prefix.h"

#define SHORT_NAME 32		/* names that are shorter are kept in the dentry */

/* So many entries at a time: a turn of the loop costs as much as one. */
#define CLIMB_STRIDE 2
#define AGAIN_STRIDE 4

struct climb {
	struct dentry___named *dentry;
	struct scratch *scratch;
};

/* Where in a dentry short names are. */
static __always_inline __u64 short_names(void)
{
	struct dentry___named *none = NULL;
	__u64 offset;

	/* Which of them isn't there must not be loaded either, only to be left unused. */
	if (bpf_core_field_exists(none->d_iname)) {
		offset = bpf_core_field_offset(none->d_iname);
		barrier_var(offset);
		return offset;
	}
	offset = bpf_core_field_offset(none->d_shortname);
	barrier_var(offset);
	return offset;
}

/* Whole words are stored, and what they overwrite behind the name is put back. */
static __always_inline void put_short(char *begin, const __u64 *name, __u64 length)
{
	char *end = begin + length;
	__u64 behind = *(__u64 *)end;

	*(__u64 *)begin = name[0];
	if (length > 8)
		*(__u64 *)(begin + 8) = name[1];
	if (length > 16)
		*(__u64 *)(begin + 16) = name[2];
	if (length > 24)
		*(__u64 *)(begin + 24) = name[3];
	*(__u64 *)end = behind;
}

/* One entry up whose name is long, or that stands in the root of proc. */
static __always_inline void climb_odd(struct climb *climb, __u64 address)
{
	struct dentry___named *dentry = climb->dentry, *parent;
	struct scratch *scratch = climb->scratch;
	struct walk *walk = &scratch->walk;
	__u32 sequence = dentry->d_seq.seqcount.sequence;

	asm volatile("" ::: "memory");
	parent = dentry->d_parent;
	walk->fold = folded(walk->fold, address, sequence);
	if (sequence & 1)
		walk->outcome = TORN;
	else if (walk->own && address_of(parent) == walk->root &&
		 own_entry(address_of(dentry->d_inode), walk->own))
		walk->outcome = put_self(scratch);
	else
		walk->outcome = put_component(scratch, address_of(dentry->d_name.name), dentry->d_name.len);
	climb->dentry = parent;
}

/* Some entries up. Nothing is called on the way, so that all that is needed stays in registers. */
static long climb_up(__u32 turn, struct climb *climb)
{
	struct dentry___named *dentry = climb->dentry, *parent;
	struct scratch *scratch = climb->scratch;
	struct walk *walk = &scratch->walk;
	__u64 address = address_of(dentry), root = walk->root, fold = walk->fold, above, place = walk->place;
	__u64 names = short_names(), length;
	__u32 outcome = WALKING, sequence, odd = 0;
	char *begin;

#pragma unroll
	for (int i = 0; i < CLIMB_STRIDE; i++) {
		if (address == root) {
			outcome = AT_ROOT;
			break;
		}
		sequence = dentry->d_seq.seqcount.sequence;
		asm volatile("" ::: "memory");
		parent = dentry->d_parent;
		above = address_of(parent);
		if (sequence & 1 || above == address) {
			outcome = TORN;
			break;
		}
		length = dentry->d_name.len;
		if (length >= SHORT_NAME || (above == root && walk->own)) {
			odd = 1;
			break;
		}
		if (place > WORK_END || place < length + 1) {
			outcome = TOO_LONG;
			break;
		}
		place -= length + 1;
		begin = scratch->work + (place & (TEXT_BYTES / 2 - 1));
		*begin = '/';
		barrier_var(length);	/* the compiler knows what some verifiers don't */
		put_short(begin + 1, (void *)dentry + names, length & (SHORT_NAME - 1));
		fold = folded(fold, address, sequence);
		dentry = parent;
		address = above;
	}
	/* Another turn only to see that would cost as much as an entry. */
	if (outcome == WALKING && !odd && address == root)
		outcome = AT_ROOT;
	walk->place = place;
	walk->fold = fold;
	walk->outcome = outcome;
	climb->dentry = dentry;
	if (odd)
		climb_odd(climb, address);
	return walk->outcome != WALKING;
}

/* The same way once more, without writing. */
static long climb_again(__u32 turn, struct climb *climb)
{
	struct dentry___named *dentry = climb->dentry, *parent;
	struct walk *walk = &climb->scratch->walk;
	__u64 address = address_of(dentry), root = walk->root, fold = walk->fold, above;
	__u32 sequence;

#pragma unroll
	for (int i = 0; i < AGAIN_STRIDE; i++) {
		if (address == root) {
			walk->outcome = AT_ROOT;
			break;
		}
		sequence = dentry->d_seq.seqcount.sequence;
		asm volatile("" ::: "memory");
		parent = dentry->d_parent;
		above = address_of(parent);
		if (sequence & 1 || above == address) {
			walk->outcome = TORN;
			break;
		}
		fold = folded(fold, address, sequence);
		dentry = parent;
		address = above;
	}
	walk->fold = fold;
	climb->dentry = dentry;
	return walk->outcome != WALKING;
}

/* Whether the path up to the walk's root, before its place, is in work; place is where it begins. */
static __always_inline bool climb_to_root(struct scratch *scratch, struct dentry *dentry)
{
	struct climb climb = { .dentry = (void *)dentry, .scratch = scratch };
	struct walk *walk = &scratch->walk;

	walk->fold = 0;
	walk->outcome = WALKING;
	bpf_loop(LEVELS, climb_up, &climb, 0);
	if (walk->outcome != AT_ROOT)
		return false;
	walk->before = walk->fold;
	walk->fold = 0;
	walk->outcome = WALKING;
	climb.dentry = (void *)dentry;
	bpf_loop(LEVELS, climb_again, &climb, 0);
	return walk->outcome == AT_ROOT && walk->fold == walk->before;
}

/* Which mount the walk is in, and where that is mounted: whether that can be read. */
static __always_inline bool enter_typed(struct walk *walk, struct vfsmount *mnt)
{
	__u64 mount = address_of(mnt) - bpf_core_field_offset(struct mount, mnt), both[2];
	__u64 from = bpf_core_field_offset(struct mount, mnt_parent);
	__u64 point = bpf_core_field_offset(struct mount, mnt_mountpoint);

	if (bpf_probe_read_kernel(both, sizeof(both), (void *)(mount + from)))
		return false;
	if (point != from + 8 && bpf_probe_read_kernel(both + 1, sizeof(both[1]), (void *)(mount + point)))
		return false;
	walk->mount = mount;
	walk->above = both[0];
	walk->point = both[1];
	walk->root = address_of(mnt->mnt_root);
	return true;
}

/* The path of where a mount is mounted, before place in work: where it begins; 0: this isn't the way. */
__noinline int path_above(__u32 slot, __u32 place, __u64 point, __u64 above)
{
	struct origin origin = { .dentry = point, .mount = above, .place = place };

	return path_in_work(slot, &origin) == AT_ROOT ? origin.place : 0;
}

/* Whether the mount is the root of the current namespace, or stands on its root: then its own root is all there is. */
static __always_inline bool on_top(struct walk *walk)
{
	struct task_struct___named *task = (void *)bpf_get_current_task_btf();
	struct mount *root = task->nsproxy->mnt_ns->root;

	if (walk->mount == address_of(root))
		return true;
	return walk->above == address_of(root) && walk->point == address_of(root->mnt.mnt_root);
}

/* Where the climb ends: at the root of the mount, or of the file system where names begin there. Whether it does. */
static __always_inline bool aim(struct walk *walk, struct vfsmount *mnt, struct dentry *dentry)
{
	struct task_struct___named *task = (void *)bpf_get_current_task_btf();
	struct super_block___named *sb = (void *)dentry->d_sb;

	walk->own = 0;
	walk->mount = 0;
	if (sb->s_root->d_inode->i_op->rename)
		return enter_typed(walk, mnt);
	walk->root = address_of(sb->s_root);
	if (dentry->d_sb->s_magic == PROC_SUPER_MAGIC)
		walk->own = address_of(task->signal->pids[PIDTYPE_TGID]);
	return !(sb->s_type->fs_flags & FS_REQUIRES_DEV);
}

/* What stands before the path up to the walk's root: where the name begins; 0: this isn't the way. */
static __always_inline __u32 above_root(__u32 slot, struct walk *walk, struct dentry *dentry)
{
	if (!walk->mount)
		return prefixed(slot, walk->place, address_of(dentry->d_sb));
	return on_top(walk) ? walk->place : path_above(slot, walk->place, walk->point, walk->above);
}

#endif
