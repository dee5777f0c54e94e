/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What is held, from every domain that isn't a manager's, root's included, whatever policy allows: user space says it in
 * guards, its maps, programs and links, the file system that they are pinned in, the directory of its policy, its
 * control group. Maps and programs are held by their names, too: from the moment on at which they are made.
 */
#ifndef SEKISHO_GUARDS_H
#define SEKISHO_GUARDS_H

#include "kernel/guard.h"
#include "kernel/namespace.h"
#include "judge.h"
#include "scratch.h"
#include "task.h"

enum guard_kind {
	GUARD_INODE = 0,	/* number is an inode's of the file system device */
	GUARD_MAP = 1,		/* number is an id, and so below */
	GUARD_PROGRAM = 2,
	GUARD_LINK = 3,
	GUARD_SPACE = 4,	/* number is a mount namespace's: the one in which the engine finds its files */
};

enum guard_flag {
	GUARD_TREE = 1,		/* neither it nor what is right in it is to be changed; each directory below has its own */
	GUARD_WAY = 2,		/* it leads to such: not to be moved, removed, covered or unmounted */
	GUARD_FILES = 4,	/* files that are right in it aren't to be written */
};

/* device is major << 20 | minor as mountinfo has them. */
struct guard_key {
	__u32 kind;
	__u32 device;
	__u64 number;
};

TABLE(guards, struct guard_key, __u32, 4096);

/*
 * A bit for each inode in guards, where several may share one: nearly every file that is made, removed or written is
 * none of them, and is done with at once.
 */
#define SIEVE_WORDS 1024
struct sieve {
	__u64 words[SIEVE_WORDS];
};
ROW(sieves, struct sieve, 1, 0);

/* How a file is touched. */
enum touch {
	TOUCH_ENTRY = 1,	/* it is moved, removed, covered */
	TOUCH_CONTENT = 2,	/* it is written */
};

static __always_inline __u32 guard_of(__u32 kind, __u32 device, __u64 number)
{
	struct guard_key key = { .kind = kind, .device = device, .number = number };
	__u32 *flags = bpf_map_lookup_elem(&guards, &key);

	return flags ? *flags : 0;
}

/*
 * Whether the name, which is in the kernel's memory, is that of a map or a program of ours: all that the engine makes are
 * named so when they are made, and nobody can rename them.
 */
static __always_inline bool is_own_name(const char *name)
{
	const char own[8] = { 's', 'e', 'k', 'i', 's', 'h', 'o', '.' };
	char begin[8] __attribute__((aligned(8))) = {};

	bpf_probe_read_kernel(begin, sizeof(begin), name);
#pragma unroll
	for (int i = 0; i < 8; i++)
		if (begin[i] != own[i])
			return false;
	return true;
}

#define TICK 10000000ull	/* ns, as proc has when processes began */

/*
 * Whether the task is of the process that user space said is the daemon, or of its guardian, and not of one that has its
 * number now.
 */
static __always_inline bool is_process_of_daemon(struct state *now, struct task_struct *task)
{
	struct task_struct___started *first;
	__u32 process = BPF_CORE_READ(task, tgid), started;

	if (process && process == now->daemon)
		started = now->daemon_started;
	else if (process && process == now->guardian)
		started = now->guardian_started;
	else
		return false;
	first = (struct task_struct___started *)BPF_CORE_READ(task, group_leader);
	return BPF_CORE_READ(first, start_boottime) / TICK == started;
}

/* Whether the task's domain has one of the flags. */
static __always_inline bool has_flag(struct task_struct *task, __u32 flags)
{
	__u32 domain = domain_of(task);
	struct domain *known = bpf_map_lookup_elem(&domains, &domain);

	return known && known->flags & flags;
}

/* Whether the current task may do to the engine what it likes. */
__noinline int trusted(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct state *now = the_state();

	if (!now || !now->active)
		return 1;
	if (task->flags & PF_KTHREAD || task->tgid == 1)
		return 1;
	if (is_process_of_daemon(now, task))
		return 1;
	return has_flag(task, DOMAIN_MANAGER | DOMAIN_PROTECTED);
}

/* Whether the current task is held to policy; who isn't may look at what we are, as administrators' tools do. */
static __always_inline bool is_held(void)
{
	return !trusted() && enforces(FAMILY_NAME, BIT(BIT_FILE_EXECUTE), domain_of(bpf_get_current_task_btf()));
}

/* Whether that task is the engine's daemon. */
static __always_inline bool is_daemon(struct task_struct *task)
{
	struct state *now = the_state();

	if (!now || !now->active)
		return false;
	return is_process_of_daemon(now, task) || has_flag(task, DOMAIN_PROTECTED);
}

/* Whether that task is a manager's, or process 1. */
static __always_inline bool is_manager(struct task_struct *task)
{
	struct state *now = the_state();

	if (!now || !now->active)
		return false;
	return BPF_CORE_READ(task, tgid) == 1 || has_flag(task, DOMAIN_MANAGER);
}

/* Whether the inode may be in guards: the engine's user space reckons the same. */
static __always_inline bool sifted(struct sieve *sieve, __u32 device, __u64 inode)
{
	__u64 hash = (inode + ((__u64)device << 32)) * 0x9e3779b97f4a7c15ull >> 48;

	return sieve->words[hash >> 6] >> (hash & 63) & 1;
}

/* Whether touching the file touches what is held, by the numbers of its inode (0: it has none yet) and its directory's. */
__noinline int touches_held(__u32 device, __u64 inode, __u64 directory, __u32 touch)
{
	__u32 flags = inode ? guard_of(GUARD_INODE, device, inode) : 0;

	if (flags & GUARD_TREE || (flags & GUARD_WAY && touch & TOUCH_ENTRY))
		return 1;
	flags = guard_of(GUARD_INODE, device, directory);
	return flags & GUARD_TREE || (flags & GUARD_FILES && touch & TOUCH_CONTENT);
}

/* Whether the file is held, or the directory that it is right in. */
static __always_inline bool held(struct dentry *dentry, __u32 touch)
{
	__u32 zero = 0, device = dentry->d_sb->s_dev;
	struct sieve *sieve = bpf_map_lookup_elem(&sieves, &zero);
	__u64 directory = dentry->d_parent->d_inode->i_ino, number = 0;
	struct inode *inode = dentry->d_inode;

	if (!sieve)
		return true;
	if (present(inode))
		number = inode->i_ino;
	if (!sifted(sieve, device, directory) && !(number && sifted(sieve, device, number)))
		return false;
	return touches_held(device, number, directory, touch);
}

static __always_inline int protect(struct dentry *dentry, __u32 touch)
{
	return held(dentry, touch) && !trusted() ? -EPERM : 0;
}

#endif
