/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * From an object up to the root, through any mounts, by addresses: this serves every program, at any depth. The path is
 * written from its end, in the slot's work. Then the walk is done once more without writing: if each entry's sequence
 * number is what it was, then all of them stood like this at one moment, and nobody who renames directories meanwhile
 * gets a name that nothing ever had.
 *
 * What a walk knows is in the scratch and not on the stack, where the verifier would follow each value it can have.
 */
#ifndef SEKISHO_WALK_H
#define SEKISHO_WALK_H

#include "scratch.h"
#include "kernel/mount.h"

#define WORK_END 4096		/* where in work a name ends */
#define LEVELS 4400		/* entries of the longest path, and mounts among them */
#define ATTEMPTS 4		/* how often a name is built that changes meanwhile */
#define COMPONENT 255		/* the longest entry */

/* A dentry and a mount are read at once up to the last field that is of use; the verifier checks that it is in there. */
#define HEAD 64
#define DENTRY_FIELD(head, type, field) (*(type *)((head) + bpf_core_field_offset(struct dentry, field)))
#define DENTRY_SEQUENCE(head) (*(__u32 *)((head) + bpf_core_field_offset(struct dentry___named, d_seq)))
#define MOUNT_FIELD(head, field) (*(__u64 *)((head) + bpf_core_field_offset(struct mount, field)))

enum outcome {
	WALKING = 0,
	AT_ROOT,		/* of the namespace, or of the file system */
	DETACHED,		/* no namespace has it */
	TOO_LONG,
	UNREADABLE,
	TORN,			/* it is being renamed */
};

static __always_inline __u64 folded(__u64 fold, __u64 dentry, __u32 sequence)
{
	return (fold ^ dentry ^ (__u64)sequence << 48) * 0x9e3779b97f4a7c15ull + sequence;
}

static __always_inline int enter_mount(struct walk *walk, __u64 mount)
{
	char head[HEAD] __attribute__((aligned(8)));

	if (bpf_probe_read_kernel(head, sizeof(head), (void *)mount))
		return UNREADABLE;
	walk->mount = mount;
	walk->above = MOUNT_FIELD(head, mnt_parent);
	walk->point = MOUNT_FIELD(head, mnt_mountpoint);
	walk->root = MOUNT_FIELD(head, mnt.mnt_root);
	return WALKING;
}

/* Whether the namespace that a mount is in is one that tasks live in. */
static __always_inline int top_of(__u64 mount)
{
	struct mnt_namespace *space = BPF_CORE_READ((struct mount *)mount, mnt_ns);

	if (!space || (__u64)space >= (__u64)-4095)
		return DETACHED;
	if (bpf_core_field_exists(space->seq))
		return BPF_CORE_READ(space, seq) ? AT_ROOT : DETACHED;
	if (bpf_core_field_exists(space->is_anon))
		return BPF_CORE_READ(space, is_anon) ? DETACHED : AT_ROOT;
	return BPF_CORE_READ(space, ns.ns_id) ? AT_ROOT : DETACHED;
}

static __always_inline bool attached(__u64 mount)
{
	return top_of(mount) == AT_ROOT;
}

/* Whether an entry of proc's root directory is that of the current thread group. */
static __always_inline bool own_entry(__u64 inode, __u64 own)
{
	struct proc_inode *entry = (void *)(inode - bpf_core_field_offset(struct proc_inode, vfs_inode));

	return inode && (__u64)BPF_CORE_READ(entry, pid) == own;
}

static __always_inline int put_component(struct scratch *scratch, __u64 name, __u32 length)
{
	__u32 place = scratch->walk.place;

	if (length > COMPONENT || place > WORK_END || place < length + 1)
		return TOO_LONG;
	place -= length;
	if (bpf_probe_read_kernel(scratch->work + (place & (TEXT_BYTES - 1)), length, (void *)name))
		return UNREADABLE;
	place--;
	scratch->work[place & (TEXT_BYTES - 1)] = '/';
	scratch->walk.place = place;
	return WALKING;
}

static __always_inline int put_self(struct scratch *scratch)
{
	__u32 place = scratch->walk.place - 5;

	if (place > WORK_END)
		return TOO_LONG;
	__builtin_memcpy(scratch->work + place, "/self", 5);
	scratch->walk.place = place;
	return WALKING;
}

/* One step up, from an entry to its directory. */
static __always_inline int walk_entry(struct scratch *scratch, struct walk *walk)
{
	char head[HEAD] __attribute__((aligned(8)));
	__u64 dentry = walk->dentry, parent;
	__u32 sequence;

	if (bpf_probe_read_kernel(head, sizeof(head), (void *)dentry))
		return UNREADABLE;
	parent = DENTRY_FIELD(head, __u64, d_parent);
	sequence = DENTRY_SEQUENCE(head);
	/* It was under the mount's root once, and isn't any more; or this is its file system's root. */
	if (parent == dentry)
		return walk->mount ? DETACHED : AT_ROOT;
	if (sequence & 1)
		return TORN;
	walk->fold = folded(walk->fold, dentry, sequence);
	walk->dentry = parent;
	if (!walk->writes)
		return WALKING;
	if (walk->own && parent == walk->root && own_entry(DENTRY_FIELD(head, __u64, d_inode), walk->own))
		return put_self(scratch);
	return put_component(scratch, DENTRY_FIELD(head, __u64, d_name.name), DENTRY_FIELD(head, __u32, d_name.len));
}

/* At the root of a mount: on to where that is mounted. */
static __always_inline int walk_mount(struct walk *walk)
{
	__u64 mount = walk->mount, above = walk->above;

	if (!mount)
		return AT_ROOT;
	if (above == mount)
		return top_of(mount);
	walk->fold = folded(walk->fold, mount, 0);
	walk->dentry = walk->point;
	return enter_mount(walk, above);
}

static long walk_up(__u32 level, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct walk *walk = &scratch->walk;

	walk->outcome = walk->dentry == walk->root ? walk_mount(walk) : walk_entry(scratch, walk);
	return walk->outcome != WALKING;
}

/* Where a walk begins. */
struct origin {
	__u64 dentry;
	__u64 mount;		/* 0: the path is that inside the file system */
	__u64 root;		/* then this is its root */
	__u64 own;		/* see struct walk */
	__u32 place;		/* where in work the path ends; afterwards, where it begins */
	__u32 pad;
};

/* Goes all the way up: how it ended. */
static __always_inline int go_up(struct scratch *scratch, struct origin *origin, bool writes)
{
	struct walk *walk = &scratch->walk;

	walk->dentry = origin->dentry;
	walk->mount = 0;
	walk->root = origin->root;
	walk->own = origin->own;
	walk->place = origin->place;
	walk->writes = writes;
	walk->fold = 0;
	walk->outcome = WALKING;
	if (origin->mount && enter_mount(walk, origin->mount))
		return UNREADABLE;
	bpf_loop(LEVELS, walk_up, &scratch, 0);
	return walk->outcome ? walk->outcome : TOO_LONG;
}

/* The path before place in work, and place is where it begins; or what became of it. */
__noinline int path_once(__u32 slot, struct origin *origin)
{
	struct scratch *scratch = slot_of(slot);
	__u64 fold = 0;
	__u32 place = 0;
	int outcome;

	if (!scratch || !origin)
		return UNREADABLE;
	outcome = go_up(scratch, origin, true);
	fold = scratch->walk.fold;
	place = scratch->walk.place;
	if (outcome == AT_ROOT && (go_up(scratch, origin, false) != AT_ROOT || scratch->walk.fold != fold))
		outcome = TORN;
	if (outcome == AT_ROOT)
		origin->place = place;
	return outcome;
}

static __always_inline int path_in_work(__u32 slot, struct origin *origin)
{
	int outcome = TORN;

	for (int attempt = 0; attempt < ATTEMPTS && outcome == TORN; attempt++)
		outcome = path_once(slot, origin);
	return outcome;
}

#endif
