/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What a path leads to, as far as the kernel has it in memory: programs can't look anything up on a disk. Whoever mounts
 * has nearly always looked at what he mounts before. What isn't found, or is reached by a symbolic link, has no name here,
 * and what is enforced is refused then.
 *
 * What is looked through may change meanwhile: an entry whose directory is another than it was ends the search.
 */
#ifndef SEKISHO_LOOKUP_H
#define SEKISHO_LOOKUP_H

#include "names.h"

#define LOOKUP_STEPS 512	/* entries and mounts of one path */
#define LOOKUP_CHILDREN 16384	/* entries of one directory that are looked at */
#define LOOKUP_MOUNTS 4096
#define LOOKUP_NAME 256
#define LOOKUP_HIS 0		/* where in work the name looked for is, and one that it is compared with */
#define LOOKUP_ITS 256

#define S_IFLNK 0120000

struct dentry___subdirs {
	struct list_head d_subdirs, d_child;
} RELOCATED;

struct hlist_node___next {
	struct hlist_node___next *next;
} RELOCATED;

struct hlist_head___first {
	struct hlist_node___next *first;
} RELOCATED;

struct dentry___children {
	struct hlist_head___first d_children;
	struct hlist_node___next d_sib;
} RELOCATED;

struct hlist_bl_node___both {
	struct hlist_bl_node___both *next, **pprev;
} RELOCATED;

struct dentry___linked {
	struct hlist_bl_node___both d_hash;
} RELOCATED;

struct mount___tree {
	struct list_head mnt_mounts, mnt_child;
} RELOCATED;

struct fs_struct {
	struct path root, pwd;
} RELOCATED;

struct task_struct___fs {
	struct fs_struct *fs;
} RELOCATED;

struct lookup {
	__u64 mount, dentry;	/* where it has come to; of a struct mount and a struct dentry */
	__u64 root_mount, root;
	__u64 node, head;	/* in the list that is gone through */
	__u64 found;
	__u32 place;		/* in the path */
	__u32 length;		/* of the name looked for */
	__u32 arrived;		/* by a name: what is mounted there is meant */
	int error;
};

/* It is in the slot's work, and not on the stack, where the verifier would follow each value it can have. */
#define LOOKUP(scratch) ((struct lookup *)((scratch)->work + 3 * LOOKUP_NAME))

/* The first of a list, or the next in it, which is what any kind of list has first. */
static __always_inline __u64 lookup_next(__u64 node)
{
	__u64 next = 0;

	bpf_probe_read_kernel(&next, sizeof(next), (void *)node);
	return next;
}

static long lookup_mount(__u64 index, void *context)
{
	struct scratch *scratch = *(struct scratch **)context;
	struct lookup *lookup = LOOKUP(scratch);
	struct mount *mount;

	if (!lookup->node || lookup->node == lookup->head)
		return 1;
	mount = (void *)(lookup->node - bpf_core_field_offset(struct mount___tree, mnt_child));
	if ((__u64)BPF_CORE_READ(mount, mnt_parent) != lookup->mount)
		return 1;
	if ((__u64)BPF_CORE_READ(mount, mnt_mountpoint) == lookup->dentry) {
		lookup->found = (__u64)mount;
		return 1;
	}
	lookup->node = lookup_next(lookup->node);
	return 0;
}

/* Onto what is mounted there, if something is. */
static __noinline int lookup_onto(struct scratch *scratch)
{
	struct lookup *lookup = LOOKUP(scratch);
	struct mount *mount;

	lookup->head = lookup->mount + bpf_core_field_offset(struct mount___tree, mnt_mounts);
	lookup->node = lookup_next(lookup->head);
	lookup->found = 0;
	bpf_loop(LOOKUP_MOUNTS, lookup_mount, &scratch, 0);
	if (!lookup->found)
		return 0;
	mount = (void *)lookup->found;
	lookup->mount = lookup->found;
	lookup->dentry = (__u64)BPF_CORE_READ(mount, mnt.mnt_root);
	return 1;
}

static __always_inline bool lookup_equal(struct scratch *scratch, __u64 name, __u32 length)
{
	int i;

	/* What can't be read is zeroes. */
	bpf_probe_read_kernel(scratch->work + LOOKUP_ITS, LOOKUP_NAME, NULL);
	if (bpf_probe_read_kernel(scratch->work + LOOKUP_ITS, length & (LOOKUP_NAME - 1), (void *)name))
		return false;
	for (i = 0; i < LOOKUP_NAME; i += 8)
		if (*(__u64 *)(scratch->work + LOOKUP_HIS + i) != *(__u64 *)(scratch->work + LOOKUP_ITS + i))
			return false;
	return true;
}

static long lookup_child(__u64 index, void *context)
{
	struct scratch *scratch = *(struct scratch **)context;
	struct lookup *lookup = LOOKUP(scratch);
	struct dentry *dentry;

	if (!lookup->node || lookup->node == lookup->head)
		return 1;
	if (bpf_core_field_exists(struct dentry___children, d_sib))
		dentry = (void *)(lookup->node - bpf_core_field_offset(struct dentry___children, d_sib));
	else
		dentry = (void *)(lookup->node - bpf_core_field_offset(struct dentry___subdirs, d_child));
	lookup->node = lookup_next(lookup->node);
	if ((__u64)BPF_CORE_READ(dentry, d_parent) != lookup->dentry)
		return 1;
	if (BPF_CORE_READ(dentry, d_name.len) != lookup->length || !BPF_CORE_READ(dentry, d_inode) ||
	    !BPF_CORE_READ((struct dentry___linked *)dentry, d_hash.pprev))
		return 0;
	if (!lookup_equal(scratch, (__u64)BPF_CORE_READ(dentry, d_name.name), lookup->length))
		return 0;
	lookup->found = (__u64)dentry;
	return 1;
}

/* Down to the entry of the directory whose name stands in work. */
static __noinline int lookup_down(struct scratch *scratch)
{
	struct lookup *lookup = LOOKUP(scratch);
	struct dentry *dentry;
	struct inode *inode;

	if (bpf_core_field_exists(struct dentry___children, d_children)) {
		lookup->head = 0;
		lookup->node = lookup_next(lookup->dentry + bpf_core_field_offset(struct dentry___children, d_children));
	} else {
		lookup->head = lookup->dentry + bpf_core_field_offset(struct dentry___subdirs, d_subdirs);
		lookup->node = lookup_next(lookup->head);
	}
	lookup->found = 0;
	bpf_loop(LOOKUP_CHILDREN, lookup_child, &scratch, 0);
	if (!lookup->found)
		return -ENOENT;
	lookup->dentry = lookup->found;
	dentry = (void *)lookup->found;
	inode = BPF_CORE_READ(dentry, d_inode);
	return (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFLNK ? -ENOENT : 0;
}

/* Up from the root of what is mounted, or from an entry. Each step does one of them. */
static __always_inline bool lookup_up(struct lookup *lookup)
{
	struct mount *mount = (void *)lookup->mount;
	struct dentry *dentry = (void *)lookup->dentry;
	__u64 parent = (__u64)BPF_CORE_READ(mount, mnt_parent);

	if (lookup->dentry == lookup->root && lookup->mount == lookup->root_mount)
		return true;
	if (lookup->dentry == (__u64)BPF_CORE_READ(mount, mnt.mnt_root)) {
		if (parent == lookup->mount)
			return true;
		lookup->dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
		lookup->mount = parent;
		return false;
	}
	lookup->dentry = (__u64)BPF_CORE_READ(dentry, d_parent);
	return true;
}

/* The next name of the path into work; its length, 0 at the end of the path, or a negative errno. */
static __noinline int lookup_name(struct scratch *scratch)
{
	struct lookup *lookup = LOOKUP(scratch);
	__u32 *length, i;
	char byte;

	bpf_probe_read_kernel(scratch->work + LOOKUP_HIS, LOOKUP_NAME, NULL);
	for (i = 0; i < LOOKUP_NAME; i++) {
		byte = scratch->work[WORK_END + ((lookup->place + i) & (WORK_END - 1))];
		if (!byte || byte == '/')
			break;
		scratch->work[LOOKUP_HIS + i] = byte;
	}
	/* Once more from memory: the verifier needn't go on with each length that it may be. */
	length = (__u32 *)(scratch->work + 2 * LOOKUP_NAME);
	*(volatile __u32 *)length = i;
	i = *(volatile __u32 *)length;
	return i < LOOKUP_NAME ? i : -ENAMETOOLONG;
}

static long lookup_step(__u64 index, void *context)
{
	struct scratch *scratch = *(struct scratch **)context;
	struct lookup *lookup = LOOKUP(scratch);
	int length;

	if (lookup->arrived && lookup_onto(scratch))
		return 0;
	lookup->arrived = 0;
	if (scratch->work[WORK_END + (lookup->place & (WORK_END - 1))] == '/') {
		lookup->place++;
		return 0;
	}
	length = lookup_name(scratch);
	if (length <= 0) {
		lookup->error = length;
		return 1;
	}
	if (length == 1 && scratch->work[LOOKUP_HIS] == '.') {
		lookup->place++;
		return 0;
	}
	if (length == 2 && scratch->work[LOOKUP_HIS] == '.' && scratch->work[LOOKUP_HIS + 1] == '.') {
		lookup->arrived = lookup_up(lookup);
		lookup->place += 2 * lookup->arrived;
		return 0;
	}
	lookup->length = length;
	lookup->error = lookup_down(scratch);
	if (lookup->error)
		return 1;
	lookup->error = -ENAMETOOLONG;
	lookup->place += length;
	lookup->arrived = 1;
	return 0;
}

/* The name of what the path (an address) leads to, into the slot's first name: 0, or a negative errno. */
__noinline int look_up(__u32 slot, __u64 path)
{
	struct fs_struct *fs = BPF_CORE_READ((struct task_struct___fs *)bpf_get_current_task(), fs);
	__u64 offset = bpf_core_field_offset(struct mount, mnt);
	struct scratch *scratch = slot_of(slot);
	struct lookup *lookup;

	if (!scratch || bpf_probe_read_kernel_str(scratch->work + WORK_END, WORK_END, (void *)path) <= 1)
		return -EAGAIN;
	lookup = LOOKUP(scratch);
	lookup->error = -ENAMETOOLONG;
	lookup->place = lookup->arrived = 0;
	lookup->root = (__u64)BPF_CORE_READ(fs, root.dentry);
	lookup->root_mount = (__u64)BPF_CORE_READ(fs, root.mnt) - offset;
	if (scratch->work[WORK_END] == '/') {
		lookup->dentry = lookup->root;
		lookup->mount = lookup->root_mount;
	} else {
		lookup->dentry = (__u64)BPF_CORE_READ(fs, pwd.dentry);
		lookup->mount = (__u64)BPF_CORE_READ(fs, pwd.mnt) - offset;
	}
	bpf_loop(LOOKUP_STEPS, lookup_step, &scratch, 0);
	return lookup->error ? lookup->error : name_of(slot, 0, lookup->mount + offset, lookup->dentry);
}

#endif
