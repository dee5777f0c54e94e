/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Execute handlers. No hook can put another program in the place of the one that is asked for: struct linux_binprm is
 * only read by programs, and the caller's memory only written by such as lock-down forbids. So while a handler holds, what it
 * is to replace doesn't run where executions are enforced. Whose execution is refused anyway gets no handler either.
 */
#ifndef SEKISHO_HANDLER_H
#define SEKISHO_HANDLER_H

#include "judge.h"

/* The standing entry of the operation for the slot's execution: 1 if one holds, 0, or a negative errno. */
static __always_inline int stands(struct scratch *scratch, __u32 slot, __u32 operation)
{
	int error;

	scratch->family = FAMILY_STANDING;
	scratch->asked = BIT(operation);
	error = judge(slot);
	scratch->family = FAMILY_NAME;
	scratch->asked = BIT(BIT_FILE_EXECUTE);
	return error ? error : !!scratch->granted;
}

/*
 * What stands by is looked at, the task moves if it has to, and an execution that a handler takes over is refused and
 * told where that is enforced: 0, or a negative errno. The decision that follows needn't look again.
 */
__noinline int take_over(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);
	struct state *now = the_state();
	int holds;

	if (!scratch || !now)
		return -EPERM;
	if (!stands_by(scratch, now))
		return 0;
	gather(slot);
	holds = stands(scratch, slot, BIT_TASK_AUTO_DOMAIN_TRANSITION);
	if (holds > 0 && move(slot, RULE_MOVE_DOMAIN, scratch->target_id))
		return -EPERM;
	if (holds >= 0 && !scratch->facts.handler)
		holds = stands(scratch, slot, BIT_TASK_AUTO_EXECUTE_HANDLER);
	else if (holds > 0)
		holds = 0;
	scratch->stood_by = 1;
	if (holds < 0)
		return -EAGAIN;
	if (!holds || !enforces(FAMILY_NAME, BIT(BIT_FILE_EXECUTE), scratch->domain))
		return 0;
	scratch->granted = 0;
	scratch->once = 1;
	return settle_all(slot, EVENT_REQUEST) ? -EPERM : 0;
}

#endif
