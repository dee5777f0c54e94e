/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What was granted on a file without a look at anything but its name is remembered with the file, and what was granted
 * on entries of a directory with the directory, so that the next time no name has to be built. It counts as long as
 * policy and name are what they were. The name is while the last component and its directory are the same, no directory
 * anywhere has been moved, and nothing has been mounted or unmounted in the mount namespace.
 *
 * Directories are known by where they are in memory, and another may be there later. A file that has but one name gets
 * there by being renamed or linked, and each time what is remembered of it goes (protect.h). Entries are remembered in
 * the directory itself, and go with it. File systems whose names change by other ways are left alone.
 */
#ifndef SEKISHO_REMEMBERED_H
#define SEKISHO_REMEMBERED_H

#include "climb.h"
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

/* Who asks for what: nothing is enabled of it if asked is 0. */
struct asker {
	__u64 asked;
	__u32 domain;
	__u32 book;		/* and how often it has been filled */
	struct binding *binding;	/* NULL: nothing is to be remembered */
};

/* What stands for the last component of the name: its hash in the directory, and its length. */
static __always_inline __u64 hash_of(struct dentry *dentry)
{
	struct qstr___called *name = &((struct dentry___called *)dentry)->d_name;

	return (__u64)name->len << 32 | name->hash;
}

static __always_inline bool is_short(__u64 hash)
{
	return hash >> 32 < SHORT_NAME;
}

/* The word of a short name that begins with that byte, zero after the name. */
static __always_inline __u64 word_of(struct dentry *dentry, __u64 hash, __u32 begin)
{
	__u64 word = *(__u64 *)((void *)dentry + short_names() + begin), left = (hash >> 32) - begin;

	return left < 8 ? word & ((1ull << left * 8) - 1) : word;
}

/* Whether the name is the one that is remembered; of long ones that is so if they hash alike, and nothing has been renamed. */
static __always_inline bool is_labelled(struct label *label, struct dentry *dentry)
{
	__u64 hash = hash_of(dentry);

	if (label->hash != hash)
		return false;
	if (!is_short(hash))
		return true;
#pragma unroll
	for (int i = 0; i < SHORT_WORDS; i++) {
		if (hash >> 32 <= i * 8)
			break;
		if (label->bytes[i] != word_of(dentry, hash, i * 8))
			return false;
	}
	return true;
}

static __always_inline void label_with(struct label *label, struct dentry *dentry)
{
	__u64 hash = hash_of(dentry);

	label->hash = hash;
#pragma unroll
	for (int i = 0; i < SHORT_WORDS; i++)
		label->bytes[i] = is_short(hash) && hash >> 32 > i * 8 ? word_of(dentry, hash, i * 8) : 0;
}

/* Whether names on the file system change only in ways that are noticed. */
static __always_inline bool is_steady(struct super_block *sb)
{
	__u64 magic = sb->s_magic;

	return magic == EXT4_MAGIC || magic == TMPFS_MAGIC || magic == XFS_MAGIC || magic == BTRFS_MAGIC;
}

/* Whether the file has but one name. */
static __always_inline bool is_single(struct inode *inode)
{
	return inode->__i_nlink == 1 || (inode->i_mode & S_IFMT) == S_IFDIR;
}

/* How often anything has been moved that the name may depend on, beside what the name itself shows. */
static __always_inline __u64 moves(__u64 hash)
{
	struct counts *all = counted();

	if (!all)
		return 0;
	return is_short(hash) ? *(volatile __u64 *)&all->folders_moved : *(volatile __u64 *)&all->moved;
}

static __always_inline struct mnt_namespace___counted *own_space(void)
{
	struct task_struct___named *task = (void *)bpf_get_current_task_btf();

	return (void *)task->nsproxy->mnt_ns;
}

/* Whether the mount is one of the current mount namespace. */
static __always_inline bool is_here(struct vfsmount *mnt)
{
	struct mount *mount = (void *)(address_of(mnt) - bpf_core_field_offset(struct mount, mnt));

	return (__u64)BPF_CORE_READ(mount, mnt_ns) == address_of(own_space());
}

/* Who asks, and what of it is to be checked. */
static __always_inline struct asker asker_of(__u64 asked)
{
	struct state *state = the_state();
	struct asker asker = {};
	__u32 book;

	asker.asked = checked(FAMILY_NAME, asked, &asker.domain);
	if (!asker.asked || !state || !state->remembers)
		return asker;
	book = state->book & 1;
	asker.binding = bound(book, asker.domain);
	asker.book = state->sequence[book] << 1 | book;
	return asker;
}

static __always_inline struct memory *memory_of(struct inode *inode, __u32 own, __u64 flags)
{
	struct memories *all;

	if (modify_return)
		return NULL;
	all = bpf_inode_storage_get(&remembered, inode, NULL, flags);
	return all ? &all->of[own & (WAYS - 1)] : NULL;
}

/* The file may be called otherwise soon. */
static __always_inline void forget(struct dentry *dentry)
{
	if (!modify_return)
		bpf_inode_storage_delete(&remembered, dentry->d_inode);
}

/* Whether what is remembered is of that name and of the policy that holds. */
static __always_inline bool applies(struct memory *memory, struct asker *asker, struct vfsmount *mnt,
				    struct dentry *dentry)
{
	struct binding *binding = asker->binding;
	struct mnt_namespace___counted *space = own_space();

	return memory->own == binding->list && memory->shared == binding->shared &&
	       memory->profile == binding->profile && memory->book == asker->book &&
	       memory->mount == address_of(mnt) && memory->parent == address_of(dentry->d_parent) &&
	       memory->space == address_of(space) && memory->event == space->event &&
	       memory->moved == moves(memory->label.hash) && is_labelled(&memory->label, dentry);
}

/* Whether nobody has written since that version was read; then it was no half-written one. */
static __always_inline bool is_whole(struct memory *memory, __u32 version)
{
	return !(version & 1) && version == __sync_fetch_and_add(&memory->version, 0);
}

/* Whether all that is asked for on the file is known to be granted. Nothing is told of it. */
static __always_inline bool is_granted(struct asker *asker, struct vfsmount *mnt, struct dentry *dentry,
				       struct inode *inode)
{
	struct memory *memory;
	__u32 version;

	if (!asker->binding)
		return false;
	memory = memory_of(inode, asker->binding->list, 0);
	if (!memory)
		return false;
	version = *(volatile __u32 *)&memory->version;
	if (asker->asked & ~memory->granted || !applies(memory, asker, mnt, dentry) || !is_single(inode))
		return false;
	return is_whole(memory, version);
}

/* What the name depends on, as it is before it is built. */
static __always_inline void look(struct scratch *scratch, struct vfsmount *mnt, struct dentry *dentry)
{
	struct mnt_namespace___counted *space = own_space();
	struct memory *now = &scratch->memory;

	label_with(&now->label, dentry);
	now->moved = moves(now->label.hash);
	now->space = address_of(space);
	now->event = is_here(mnt) && is_steady(dentry->d_sb) ? space->event : 0;
	now->mount = address_of(mnt);
	now->parent = address_of(dentry->d_parent);
	now->directory = 0;
}

/* Whether what has been granted would be again, whoever asks: if it was on an ordinary name, and nothing was told of it. */
static __always_inline bool is_memorable(struct scratch *scratch)
{
	struct memory *now = &scratch->memory;
	struct profile *profile = profiled(scratch->book, scratch->working.profile);

	if (!profile || scratch->granted != scratch->asked || scratch->conditional || scratch->logged || scratch->move_kind ||
	    (scratch->working.own | scratch->working.shared) & LIST_STANDING || scratch->first.bytes[0] != '/')
		return false;
	now->own = scratch->working.own;
	now->shared = scratch->working.shared;
	now->book = scratch->working.sequence << 1 | scratch->book;
	now->profile = scratch->working.profile;
	now->granted = scratch->plain & profile->quiet;
	return now->event;
}

/* Whether the memory is the caller's to write: who finds another writing leaves it at that. */
static __always_inline bool may_write(struct memory *memory)
{
	__u32 version = *(volatile __u32 *)&memory->version & ~1;

	return __sync_val_compare_and_swap(&memory->version, version, version + 1) == version;
}

static __always_inline void written(struct memory *memory)
{
	__sync_fetch_and_add(&memory->version, 1);
}

static __always_inline void keep(struct memory *memory, struct memory *now)
{
	__builtin_memcpy(memory, now, __builtin_offsetof(struct memory, version));
}

/* What has been granted is kept with the file. */
static __always_inline void remember(struct scratch *scratch, struct inode *inode)
{
	struct memory *memory;

	if (!is_memorable(scratch) || !is_single(inode))
		return;
	memory = memory_of(inode, scratch->working.own, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!memory || !may_write(memory))
		return;
	scratch->memory.granted |= scratch->granted;
	keep(memory, &scratch->memory);
	written(memory);
}

/* Whether what is kept already is of the same name and policy. */
static __always_inline bool is_same(struct memory *memory, struct memory *now)
{
	__u64 *one = (void *)memory, *other = (void *)now;

#pragma unroll
	for (int i = 0; i < __builtin_offsetof(struct memory, version) / 8; i++)
		if (i != __builtin_offsetof(struct memory, granted) / 8 && one[i] != other[i])
			return false;
	return memory->directory == now->directory;
}


#endif
