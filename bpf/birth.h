/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Tasks begin where their creator is: processes, threads, and what the kernel starts to work on their behalf. */
#ifndef SEKISHO_BIRTH_H
#define SEKISHO_BIRTH_H

#include "task.h"

#define TASK_INHERITED (TASK_INFERRED | TASK_HANDLER)

SEC("lsm/task_alloc")
int BPF_PROG(task_alloc, struct task_struct *task, unsigned long clone_flags, int ret)
{
	struct task_struct *creator = bpf_get_current_task_btf();
	struct state *now = the_state();
	struct task *from, *mine;
	__u32 domain = KERNEL_DOMAIN;

	if (ret)
		return ret;
	from = bpf_task_storage_get(&tasks, creator, NULL, 0);
	if (from) {
		domain = domain_in(creator, from);
	} else {
		from = leading_task(creator);
		/* Whose creator is going to be given a domain is going to be given one, too. */
		if (!from && (!now || !now->every_task))
			return 0;
		if (from)
			domain = from->domain;
	}
	mine = bpf_task_storage_get(&tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!mine)
		return domain == KERNEL_DOMAIN ? 0 : -EAGAIN;
	mine->domain = domain;
	if (from) {
		mine->flags = from->flags & TASK_INHERITED;
		mine->start = from->start;
	}
	return 0;
}

#endif
