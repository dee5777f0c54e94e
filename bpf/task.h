/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Which domain the current task is in, and whether anything it asks for is looked at there. */
#ifndef SEKISHO_TASK_H
#define SEKISHO_TASK_H

#include "scratch.h"

#define KERNEL_DOMAIN 1		/* <kernel> */

static __always_inline struct state *the_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&state, &zero);
}

/* Two lookups stay two: where the compiler makes one of a map that it chooses, the kernel no longer puts it in line. */
static __always_inline void *of_book(__u32 book, void *first, void *second, __u32 key)
{
	void *found;

	if (!book)
		return bpf_map_lookup_elem(first, &key);
	found = bpf_map_lookup_elem(second, &key);
	barrier_var(found);
	return found;
}

/* What holds for the domain in the book. */
static __always_inline struct binding *bound(__u32 book, __u32 domain)
{
	return of_book(book, &bindings_0, &bindings_1, domain);
}

/* The book's profile in that slot. */
static __always_inline struct profile *profiled(__u32 book, __u32 slot)
{
	return of_book(book, &profiles_0, &profiles_1, slot);
}

/*
 * Where the task is. While a program is being executed that is where the program is going to be; what an execution
 * that came to nothing has left doesn't count.
 */
static __always_inline __u32 domain_in(struct task_struct *task, struct task *mine)
{
	__u32 pending = mine->pending;

	return pending && BPF_CORE_READ_BITFIELD(task, in_execve) ? pending : mine->domain;
}

/* What the process's first thread carries, for another of its threads. */
static __always_inline struct task *leading_task(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;

	return leader && leader != task ? bpf_task_storage_get(&tasks, leader, NULL, 0) : NULL;
}

/* Every task has been seen, and yet one turns up without a domain: what it does isn't held against anybody. */
static __noinline __u32 homeless(void)
{
	struct counts *all = counted();

	if (all)
		__sync_fetch_and_add(&all->homeless, 1);
	return KERNEL_DOMAIN;
}

/*
 * The domain of a task that carries nothing. Of processes that were there before anybody looked, only the first threads
 * may have been given one: theirs is the others', too.
 */
static __always_inline __u32 domain_without(struct task_struct *task)
{
	struct task *mine = leading_task(task);
	struct state *now;

	if (mine)
		return mine->domain;
	now = the_state();
	return now && now->every_task && !(task->flags & PF_KTHREAD) ? homeless() : KERNEL_DOMAIN;
}

/* The domain of any task. */
static __always_inline __u32 domain_of(struct task_struct *task)
{
	struct task *mine = bpf_task_storage_get(&tasks, task, NULL, 0);

	return mine ? domain_in(task, mine) : domain_without(task);
}

/*
 * Whether a later start than ours holds the task; else ours does from now on. The programs of the latest start come
 * first in every hook, so that a task is held by the earlier one until it first comes upon the later one in force. No
 * task is ever held by none, however long it takes from one program of a hook to the next.
 */
static __always_inline bool is_taken(struct state *now, struct task *mine)
{
	__u32 start = now->start;

	if (mine->start == start)
		return false;
	if (mine->start > start)
		return now->active == ACTIVE_LEAVING;
	mine->start = start;
	return false;
}

/* The same of the current task. */
static __noinline int current_is_taken(void)
{
	struct task *mine = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0);
	struct state *now = the_state();

	return mine && now && is_taken(now, mine);
}

/* Those of the operations that are enabled in the domain. Execution and manual transition are looked up in every mode. */
static __always_inline __u64 enabled_in(struct state *now, __u32 family, __u64 asked, __u32 domain)
{
	struct binding *binding;
	struct profile *profile;
	__u32 book;

	if (!now || !now->active)
		return 0;
	book = now->book;
	binding = bound(book, domain);
	if (!binding)
		return 0;
	profile = profiled(book, binding->profile);
	if (!profile)
		return 0;
	/* Before anything a task may move to where more is enabled; what isn't enabled is settled later. */
	if ((binding->list | binding->shared) & LIST_STANDING)
		return asked;
	switch (family) {
	case FAMILY_NAME:
		return asked & (profile->enabled | 1ull << BIT_FILE_EXECUTE);
	case FAMILY_INET:
		return asked & profile->enabled_inet;
	case FAMILY_DOMAIN:
		return asked & (profile->enabled_domains | 1ull << BIT_TASK_MANUAL_DOMAIN_TRANSITION);
	case FAMILY_NONE:
		return asked & profile->enabled_capabilities;
	}
	return asked;
}

/*
 * Those of the operations asked for that the current task's domain has enabled; *domain is that domain. 0: nothing is
 * to be checked, the caller answers 0 at once.
 */
static __always_inline __u64 checked(__u32 family, __u64 asked, __u32 *domain)
{
	struct state *now = the_state();
	struct task_struct *task;
	struct task *mine;

	*domain = 0;
	if (!now || !now->active)
		return 0;
	task = bpf_get_current_task_btf();
	if (task->flags & PF_KTHREAD)
		return 0;
	mine = bpf_task_storage_get(&tasks, task, NULL, 0);
	if (mine && is_taken(now, mine))
		return 0;
	*domain = mine ? domain_in(task, mine) : domain_without(task);
	return enabled_in(now, family, asked, *domain);
}

/* What the current task carries; it does from now on. NULL: there is no memory. */
static __always_inline struct task *own_task(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task *mine = bpf_task_storage_get(&tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct task *first;

	if (mine && !mine->domain) {
		first = leading_task(task);
		mine->domain = first && first->domain ? first->domain : KERNEL_DOMAIN;
	}
	return mine;
}

#endif
