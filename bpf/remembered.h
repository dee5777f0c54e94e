/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What lists grant plainly on a file is remembered with the file, so that the next time no name has to be built. It
 * counts as long as file, policy and name are what they were. The name is: while the dentry, its directory and what it
 * is called there are the same, nothing has been mounted or unmounted in the mount namespace, and nothing has been
 * renamed anywhere. The kernel counts both. A file with other links is never remembered, nor one on a file system whose
 * names change by other ways than rename(2).
 */
#ifndef SEKISHO_REMEMBERED_H
#define SEKISHO_REMEMBERED_H

#include "flavour.h"
#include "judge.h"
#include "kernel/mount.h"

#define EXT4_MAGIC 0xef53
#define XFS_MAGIC 0x58465342
#define BTRFS_MAGIC 0x9123683e
#define TMPFS_MAGIC 0x01021994
#define WAYS 4			/* domains that a file is remembered for at a time */

struct memories {
	struct memory of[WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct memories);
} remembered SEC(".maps");

struct qstr___called {
	__u32 hash;
	__u32 len;
} RELOCATED;

struct dentry___called {
	struct qstr___called d_name;
} RELOCATED;

struct mnt_namespace___counted {
	__u64 event;
} RELOCATED;

/* What stands for the last component of the name: its hash in the directory, and its length. */
static __always_inline __u64 hash_of(struct dentry *dentry)
{
	struct qstr___called *name = &((struct dentry___called *)dentry)->d_name;

	return (__u64)name->len << 32 | name->hash;
}

/* Whether the file's name can only change in ways that are noticed. */
static __always_inline bool is_steady(struct inode *inode)
{
	__u64 magic = inode->i_sb->s_magic;

	if (magic != EXT4_MAGIC && magic != TMPFS_MAGIC && magic != XFS_MAGIC && magic != BTRFS_MAGIC)
		return false;
	return inode->__i_nlink == 1 || (inode->i_mode & S_IFMT) == S_IFDIR;
}

/* How often anything has been renamed; odd while that happens, or isn't known. */
static __always_inline __u32 renames(struct state *state)
{
	__u32 count = 1;

	if (state->rename_lock)
		bpf_probe_read_kernel(&count, sizeof(count), (void *)state->rename_lock);
	return count;
}

/* How often anything has been mounted or unmounted where the mount is; 0: it isn't mounted, or nobody has counted. */
static __always_inline __u64 mounts(struct vfsmount *mnt)
{
	struct mount *mount = (void *)((__u64)mnt - bpf_core_field_offset(struct mount, mnt));
	struct mnt_namespace___counted *space = (void *)BPF_CORE_READ(mount, mnt_ns);

	return space ? BPF_CORE_READ(space, event) : 0;
}

static __always_inline struct memory *memory_of(struct inode *inode, __u32 own, __u64 flags)
{
	struct memories *all;

	if (modify_return)
		return NULL;
	all = bpf_inode_storage_get(&remembered, inode, NULL, flags);
	return all ? &all->of[own & (WAYS - 1)] : NULL;
}

/* Whether all that is asked for is known to be granted, or nothing of it is to be checked. Nothing is told of it. */
static __always_inline bool is_granted(__u64 asked, struct vfsmount *mnt, struct dentry *dentry, struct inode *inode)
{
	struct state *state = the_state();
	struct binding *binding;
	struct memory *memory;
	__u32 domain, book, version;

	asked = checked(FAMILY_NAME, asked, &domain);
	if (!asked)
		return true;
	if (!state)
		return false;
	book = state->book & 1;
	binding = bound(book, domain);
	if (!binding)
		return false;
	memory = memory_of(inode, binding->list, 0);
	if (!memory)
		return false;
	version = *(volatile __u32 *)&memory->version;
	if (memory->dentry != (__u64)dentry || asked & ~memory->granted || memory->own != binding->list ||
	    memory->shared != binding->shared || memory->profile != binding->profile ||
	    memory->book != (state->sequence[book] << 1 | book) ||
	    memory->mount != (__u64)mnt || memory->parent != (__u64)dentry->d_parent ||
	    memory->hash != hash_of(dentry) || !is_steady(inode) ||
	    memory->renames != renames(state) || memory->event != mounts(mnt))
		return false;
	return !(version & 1) && version == __sync_fetch_and_add(&memory->version, 0);
}

/* What the name depends on, as it is before it is built. */
static __always_inline void look(struct scratch *scratch, struct vfsmount *mnt, struct dentry *dentry)
{
	struct memory *memory = &scratch->memory;
	struct state *state = the_state();

	memory->renames = state ? renames(state) : 1;
	memory->event = mounts(mnt);
	memory->mount = (__u64)mnt;
	memory->dentry = (__u64)dentry;
	memory->parent = (__u64)dentry->d_parent;
	memory->hash = hash_of(dentry);
}

/* What has been granted is kept, if it was granted plainly and on an ordinary name. */
static __always_inline void remember(struct scratch *scratch, struct inode *inode)
{
	struct memory *now = &scratch->memory, *memory;
	__u32 version;

	if (scratch->granted != scratch->asked || scratch->list || scratch->logged || scratch->move_kind ||
	    (scratch->working.own | scratch->working.shared) & LIST_STANDING || scratch->first.bytes[0] != '/')
		return;
	if (now->renames & 1 || !now->event || !is_steady(inode))
		return;
	memory = memory_of(inode, scratch->working.own, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!memory)
		return;
	now->own = scratch->working.own;
	now->shared = scratch->working.shared;
	now->book = scratch->working.sequence << 1 | scratch->book;
	now->granted = scratch->granted;
	/* Who finds another writing leaves it at that. */
	version = *(volatile __u32 *)&memory->version & ~1;
	if (__sync_val_compare_and_swap(&memory->version, version, version + 1) != version)
		return;
	memory->dentry = now->dentry;
	memory->parent = now->parent;
	memory->mount = now->mount;
	memory->hash = now->hash;
	memory->event = now->event;
	memory->granted = now->granted;
	memory->renames = now->renames;
	memory->own = now->own;
	memory->shared = now->shared;
	memory->book = now->book;
	memory->profile = scratch->working.profile;
	__sync_fetch_and_add(&memory->version, 1);
}

#endif
