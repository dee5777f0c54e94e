/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The quick way from an object up to its mount's root: the verifier knows the types of what a hook is given, so its
 * fields are loaded and not copied by a helper. All that is out of the ordinary is left to walk.h.
 */
#ifndef SEKISHO_CLIMB_H
#define SEKISHO_CLIMB_H

#include "prefix.h"

#define SHORT_NAME 32		/* names that are kept in the dentry are at most so long */

struct climb {
	struct dentry___named *dentry;
	struct scratch *scratch;
};

/*
 * A pointer as a number: functions that are verified once for all that call them take no pointers. Turning its bytes
 * round is the one thing that makes a number of it for the verifier; the second time puts them back.
 */
static __always_inline __u64 address_of(const void *pointer)
{
	__u64 address = (__u64)pointer;

	asm volatile("%0 = be64 %0\n\t%0 = be64 %0" : "+r"(address));
	return address;
}

static __always_inline __u64 short_name(struct dentry___named *dentry)
{
	if (bpf_core_field_exists(dentry->d_iname))
		return address_of(dentry) + bpf_core_field_offset(dentry->d_iname);
	return address_of(dentry) + bpf_core_field_offset(dentry->d_shortname);
}

/* Eight bytes of a short name. */
#define SHORT(dentry, at) (bpf_core_field_exists((dentry)->d_iname) ? *(__u64 *)&(dentry)->d_iname[at] :	\
			   *(__u64 *)&(dentry)->d_shortname.string[at])

/* Whole words are stored, and what they overwrite behind the name is put back. */
static __always_inline void put_short(struct scratch *scratch, __u32 place, struct dentry___named *dentry, __u32 length)
{
	char *end = scratch->work + ((place + length) & (TEXT_BYTES - 1));
	char *begin = scratch->work + (place & (TEXT_BYTES / 2 - 1));
	__u64 behind = *(__u64 *)end;

	*(__u64 *)begin = SHORT(dentry, 0);
	if (length > 8)
		*(__u64 *)(begin + 8) = SHORT(dentry, 8);
	if (length > 16)
		*(__u64 *)(begin + 16) = SHORT(dentry, 16);
	if (length > 24)
		*(__u64 *)(begin + 24) = SHORT(dentry, 24);
	*(__u64 *)end = behind;
}

static __always_inline int put_name_of(struct scratch *scratch, struct dentry___named *dentry)
{
	__u32 length = dentry->d_name.len;
	__u64 name = (__u64)dentry->d_name.name;
	__u32 place = scratch->walk.place;

	if (length > SHORT_NAME || name != short_name(dentry))
		return put_component(scratch, name, length);
	if (place > WORK_END || place < length + 1)
		return TOO_LONG;
	place -= length;
	put_short(scratch, place, dentry, length);
	place--;
	scratch->work[place & (TEXT_BYTES - 1)] = '/';
	scratch->walk.place = place;
	return WALKING;
}

static long climb_up(__u32 level, struct climb *climb)
{
	struct dentry___named *dentry = climb->dentry, *parent;
	struct walk *walk = &climb->scratch->walk;
	__u64 address = address_of(dentry);
	__u32 sequence;

	if (address == walk->root) {
		walk->outcome = AT_ROOT;
		return 1;
	}
	sequence = dentry->d_seq.seqcount.sequence;
	asm volatile("" ::: "memory");
	parent = dentry->d_parent;
	if (sequence & 1 || address_of(parent) == address) {
		walk->outcome = TORN;
		return 1;
	}
	walk->fold = folded(walk->fold, address, sequence);
	if (walk->writes && walk->own && address_of(parent) == walk->root &&
	    own_entry(address_of(dentry->d_inode), walk->own))
		walk->outcome = put_self(climb->scratch);
	else if (walk->writes)
		walk->outcome = put_name_of(climb->scratch, dentry);
	climb->dentry = parent;
	return walk->outcome != WALKING;
}

static __always_inline bool climbed(struct scratch *scratch, struct dentry *dentry, bool writes)
{
	struct climb climb = { .dentry = (void *)dentry, .scratch = scratch };
	struct walk *walk = &scratch->walk;

	walk->writes = writes;
	walk->fold = 0;
	walk->outcome = WALKING;
	bpf_loop(LEVELS, climb_up, &climb, 0);
	return walk->outcome == AT_ROOT;
}

/* Whether the path up to the walk's root, before its place, is in work; place is where it begins. */
static __always_inline bool climb_to_root(struct scratch *scratch, struct dentry *dentry)
{
	struct walk *walk = &scratch->walk;

	if (!climbed(scratch, dentry, true))
		return false;
	walk->before = walk->fold;
	return climbed(scratch, dentry, false) && walk->fold == walk->before;
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
		return !enter_mount(walk, address_of(mnt) - bpf_core_field_offset(struct mount, mnt));
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
