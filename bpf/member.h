/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What was granted on entries of a directory, whether they are there or not, is remembered in the directory, by the same
 * rules as that on files (remembered.h): what is made again and again under the same names, replaced by a rename in the
 * same directory, removed.
 */
#ifndef SEKISHO_MEMBER_H
#define SEKISHO_MEMBER_H

#include "remembered.h"

#define ENTRIES 8		/* that a directory remembers */
#define MADES 256		/* tasks that make something at a time; of two that share a place, one goes the long way */

/* Of an entry that need not be there: what may be done with it, once with a number, once with another name beside it. */
struct entry {
	struct memory memory;
	__u64 numbered;		/* what was granted with the number */
	__u64 number;
	__u64 paired;		/* .. with the other name */
	struct label other;
};

struct entries {
	__u64 serial;		/* no other directory has had it */
	struct entry of[ENTRIES];
};

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct entries);
} remembered_entries SEC(".maps");

/* What is remembered in the directory. No other has had its serial number, wherever in memory it is. */
static __always_inline struct entries *entries_of(struct inode *directory, __u64 flags)
{
	struct entries *all;
	struct counts *counts;

	if (modify_return)
		return NULL;
	all = bpf_inode_storage_get(&remembered_entries, directory, NULL, flags);
	counts = all && !all->serial ? counted() : NULL;
	if (counts)
		__sync_val_compare_and_swap(&all->serial, 0, __sync_fetch_and_add(&counts->folders, 1) + 1);
	return all;
}

/* Where the entry that hashes so is remembered: in one of two places, of which it takes either if it is in none. */
static __always_inline struct entry *entry_of(struct entries *all, __u64 hash, __u32 own)
{
	__u32 place = (hash ^ hash >> 8 ^ own) & (ENTRIES - 1);

	if (all->of[place].memory.label.hash == hash && all->of[place].memory.own == own)
		return &all->of[place];
	place ^= 1;
	if (all->of[place].memory.label.hash == hash && all->of[place].memory.own == own)
		return &all->of[place];
	place ^= bpf_get_prandom_u32() & 1;
	barrier_var(place);	/* the compiler knows what some verifiers don't */
	return &all->of[place & (ENTRIES - 1)];
}

/* A request on an entry of a directory. */
struct member {
	struct asker asker;
	struct inode *directory;
	struct vfsmount *mnt;
	struct dentry *dentry;
	struct dentry *other;	/* of operations on two names: the second's entry; else NULL */
	__u64 number;		/* of operations that have one */
	bool slash;
	bool apart;		/* the other's is another directory: nothing is known of that */
};

/* What the current task has made last, or is about to: where what is remembered of it can be found when it is opened. */
struct made {
	struct memory memory;
	__u64 task;		/* 0: nothing */
	__u64 dentry;
	__u64 serial;		/* of its directory */
};

ROW(mades, struct made, MADES, 0);

static __always_inline __u64 own_address(void)
{
	return address_of(bpf_get_current_task_btf());
}

static __always_inline struct made *own_made(void)
{
	__u32 place = own_address() * 0x9e3779b97f4a7c15ull >> 32 & (MADES - 1);

	return bpf_map_lookup_elem(&mades, &place);
}

/* Something is about to be made: what was known of the last counts no more. */
static __always_inline void forget_made(void)
{
	struct made *made = own_made();

	if (made && made->task == own_address())
		made->task = 0;
}

/*
 * The entry is about to be made: what is known of it is for its opening, and what its opening has shown before is kept.
 * Nobody else may be writing the entry meanwhile: the one's name would stand with what is granted on another's.
 */
static __always_inline void note_made(struct entries *all, struct entry *entry, struct dentry *dentry)
{
	struct made *made = own_made();

	if (!made || !may_write(&made->memory))
		return;
	if (may_write(&entry->memory)) {
		if (made->serial == all->serial && is_same(&made->memory, &entry->memory))
			entry->memory.granted |= made->memory.granted;
		keep(&made->memory, &entry->memory);
		made->serial = all->serial;
		made->dentry = address_of(dentry);
		made->task = own_address();
		written(&entry->memory);
	}
	written(&made->memory);
}

/* Whether all that is asked for on the entry is known to be granted. Of its own, for the sake of what stands on the stack. */
static __noinline int is_granted_entry(struct member *member)
{
	struct asker *asker = &member->asker;
	struct entries *all;
	struct entry *entry;
	__u64 granted;
	__u32 version;

	if (!asker->binding || member->apart)
		return 0;
	all = entries_of(member->directory, 0);
	if (!all)
		return 0;
	entry = entry_of(all, hash_of(member->dentry), asker->binding->list);
	version = *(volatile __u32 *)&entry->memory.version;
	if (member->other)
		granted = is_labelled(&entry->other, member->other) ? entry->paired : 0;
	else
		granted = entry->memory.granted | (entry->number == member->number ? entry->numbered : 0);
	if (asker->asked & ~granted || entry->memory.directory != member->slash ||
	    !applies(&entry->memory, asker, member->mnt, member->dentry))
		return 0;
	if (!is_whole(&entry->memory, version))
		return 0;
	if (asker->asked & BIT(BIT_FILE_CREATE))
		note_made(all, entry, member->dentry);
	return 1;
}

/* The same of what the current call has made, whose directory nobody holds any more. */
static __always_inline bool is_granted_made(struct asker *asker, struct vfsmount *mnt, struct dentry *dentry)
{
	struct made *made = own_made();
	__u32 version;

	if (!asker->binding || !made)
		return false;
	version = *(volatile __u32 *)&made->memory.version;
	if (made->task != own_address() || made->dentry != address_of(dentry) ||
	    asker->asked & ~made->memory.granted || !applies(&made->memory, asker, mnt, dentry))
		return false;
	return is_whole(&made->memory, version);
}

/* What has been granted on what the current call has made is known when the like is made again. */
static __always_inline void remember_made(struct scratch *scratch, struct dentry *dentry)
{
	struct made *made = own_made();

	if (!made || !is_memorable(scratch) || made->task != own_address() || made->dentry != address_of(dentry) ||
	    !is_same(&made->memory, &scratch->memory) || !may_write(&made->memory))
		return;
	made->memory.granted |= scratch->granted | scratch->memory.granted;
	written(&made->memory);
}

/* What a number is asked with, beside the name. */
#define NUMBERED (BIT(BIT_FILE_CREATE) | BIT(BIT_FILE_MKDIR) | BIT(BIT_FILE_MKFIFO) | BIT(BIT_FILE_MKSOCK))

/* What has been granted is kept with the directory. */
static __noinline int remember_entry(struct scratch *scratch, struct member *member)
{
	struct memory *now = &scratch->memory;
	struct dentry *other = member->other;
	struct entries *all;
	struct entry *entry;

	now->directory = member->slash;
	if (!is_memorable(scratch) || member->apart || !is_short(now->label.hash) || (other && !is_short(hash_of(other))))
		return 0;
	all = entries_of(member->directory, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!all)
		return 0;
	entry = entry_of(all, now->label.hash, now->own);
	if (!may_write(&entry->memory))
		return 0;
	if (is_same(&entry->memory, now)) {
		entry->memory.granted |= now->granted;
	} else {
		keep(&entry->memory, now);
		entry->numbered = entry->paired = 0;
	}
	if (other) {
		label_with(&entry->other, other);
		entry->paired = scratch->granted;
	} else if (scratch->granted & NUMBERED) {
		entry->number = scratch->numbers[0];
		entry->numbered = scratch->granted;
	} else {
		entry->memory.granted |= scratch->granted;
	}
	written(&entry->memory);
	if (scratch->granted & BIT(BIT_FILE_CREATE))
		note_made(all, entry, member->dentry);
	return 0;
}

#endif
