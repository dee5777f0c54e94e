/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Moves that nobody asks for: task auto_domain_transition, looked at before whatever a task asks for, and
 * auto_domain_transition= of an entry that has granted. They hold in every mode. A task that can't get where it has to
 * be is killed: it may not go on where it was.
 */
#ifndef SEKISHO_MOVES_H
#define SEKISHO_MOVES_H

#include "domain.h"
#include "task.h"

#define SIGKILL 9

/* Where the current task is from now on; the program that it is executing, if that is decided already. */
static __always_inline bool put(struct task_struct *task, __u32 to)
{
	struct task *mine = bpf_task_storage_get(&tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!to || !mine)
		return false;
	if (mine->pending && domain_in(task, mine) == mine->pending)
		mine->pending = to;
	else
		mine->domain = to;
	return true;
}

/*
 * The current task, whose request is in the slot, moves: RULE_MOVE_DOMAIN to that domain, RULE_MOVE_CHILD below its own
 * to that of this word. 0, or -EPERM if it is killed instead. What others are asked for, the current task isn't moved by.
 */
__noinline int move(__u32 slot, __u32 kind, __u32 place)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task *mine = bpf_task_storage_get(&tasks, task, NULL, 0);
	struct scratch *scratch = slot_of(slot);
	__u32 from, to;

	if (!scratch)
		return -EPERM;
	if (scratch->nobody)
		return 0;
	from = scratch->domain;
	/* A thread that has nothing of its own yet is where its first thread is: nobody else asks for it. */
	if (mine && domain_in(task, mine) != from)
		return 0;
	if (kind == RULE_MOVE_DOMAIN && place == from)
		return 0;
	to = kind == RULE_MOVE_DOMAIN ? usable(slot, place, from) : below(slot, from, place, from);
	if (put(task, to)) {
		scratch->domain = to;
		return 0;
	}
	bpf_send_signal(SIGKILL);
	return -EPERM;
}

#endif
