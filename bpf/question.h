/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Refusals that wait for the administrator. The task is stopped, and its call begins anew when it goes on: then policy
 * is asked again, and where that still refuses the request, the answer counts. Whoever lets the task go on without an
 * answer has it stopped again. Nobody waits unless somebody is there to answer, or the daemon to end a penalty.
 *
 * An answer is for the request that was asked about, in the call that made it, once: the same registers, the same names
 * and numbers. A call that asks for several things is asked about one after the other; what was allowed of it before
 * stays allowed until it gets through.
 */
#ifndef SEKISHO_QUESTION_H
#define SEKISHO_QUESTION_H

#include "kernel/call.h"
#include "kernel/mount.h"
#include "report.h"
#include "task.h"

TABLE(questions, __u32, struct question, QUESTIONS);

#define ERESTARTNOINTR 513
#define SIGSTOP 19
#define STALE 15		/* seconds after which a daemon that shows no life counts as none */
#define MOST_TURNS 1000		/* so often a task is stopped again that somebody lets go on */
#define MOST_OPERATIONS 2	/* of one request: reading and writing */

#define PF_EXITING 0x00000004
#define PF_DUMPCORE 0x00000200
#define PF_SIGNALED 0x00000400
#define PF_USER_WORKER 0x00004000
#define SIGNAL_GROUP_EXIT 0x00000004
#define SIGNAL_UNKILLABLE 0x00000040
#define IO_URING_ENTER 426	/* on every processor; what is asked for in it isn't what the call returns */

struct signal_struct___flags {
	unsigned int flags;
} RELOCATED;

struct task_struct___waiting {
	unsigned int ptrace;
	struct signal_struct___flags *signal;
} RELOCATED;

/* Operations that are the task's own call, and the first thing that it does: beginning anew does nothing twice. */
#define ASKED_NAMES (BIT(BIT_NETWORK_UNIX_STREAM_BIND) - 1 & ~(BIT(BIT_FILE_UNMOUNT) | BIT(BIT_FILE_PIVOT_ROOT) |	\
	BIT(BIT_FILE_MOUNT)) | BIT(BIT_NETWORK_UNIX_STREAM_BIND) | BIT(BIT_NETWORK_UNIX_STREAM_LISTEN) |		\
	BIT(BIT_NETWORK_UNIX_STREAM_CONNECT) | BIT(BIT_NETWORK_UNIX_DGRAM_BIND) | BIT(BIT_NETWORK_UNIX_DGRAM_SEND) |	\
	BIT(BIT_NETWORK_UNIX_SEQPACKET_BIND) | BIT(BIT_NETWORK_UNIX_SEQPACKET_LISTEN) |					\
	BIT(BIT_NETWORK_UNIX_SEQPACKET_CONNECT))
#define ASKED_INET (BIT(BIT_NETWORK_INET_STREAM_BIND) | BIT(BIT_NETWORK_INET_STREAM_LISTEN) |				\
	BIT(BIT_NETWORK_INET_STREAM_CONNECT) | BIT(BIT_NETWORK_INET_DGRAM_BIND) | BIT(BIT_NETWORK_INET_DGRAM_SEND) |	\
	BIT(BIT_NETWORK_INET_RAW_BIND) | BIT(BIT_NETWORK_INET_RAW_SEND))

/* The number of the system call that the task is in; negative for none, or one that isn't known here. */
static __always_inline __s32 call_number(struct task_struct *task)
{
	struct pt_regs *registers = (struct pt_regs *)bpf_task_pt_regs(task);

	if (bpf_core_field_exists(((struct pt_regs *)0)->orig_ax))
		return (__s32)BPF_CORE_READ(registers, orig_ax);
	if (bpf_core_field_exists(((struct pt_regs___arm64 *)0)->syscallno))
		return BPF_CORE_READ((struct pt_regs___arm64 *)registers, syscallno);
	return -1;
}

/* Whether the current task can be stopped, and its call begun anew. */
static __always_inline bool may_wait(struct task_struct *task)
{
	struct task_struct___waiting *other = (struct task_struct___waiting *)task;
	__s32 call;

	if (task->tgid == 1 || task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER | PF_EXITING | PF_DUMPCORE |
					      PF_SIGNALED))
		return false;
	/* A tracer would get the signal first, and may keep it. */
	if (BPF_CORE_READ(other, ptrace) || BPF_CORE_READ(other, signal, flags) & (SIGNAL_GROUP_EXIT | SIGNAL_UNKILLABLE))
		return false;
	call = call_number(task) & ~X32_BIT;
	return call >= 0 && call != IO_URING_ENTER;
}

/*
 * Those operations of the slot's family whose refusal may wait: for the administrator's answer or, where nobody is there to
 * give one, for the time of the profile's penalty, after which the daemon answers with no.
 */
__noinline __u64 waits_for(__u32 domain, __u32 family, __u32 penalty)
{
	struct domain *known = bpf_map_lookup_elem(&domains, &domain);
	struct state *now = the_state();
	__u64 seconds;

	if (!now || !known || known->flags & (DOMAIN_MANAGER | DOMAIN_PROTECTED))
		return 0;
	if (!now->observers && !(penalty && now->daemon))
		return 0;
	seconds = bpf_ktime_get_ns() / 1000000000;
	if (!now->heartbeat || seconds > now->heartbeat + STALE)
		return 0;
	if (!may_wait(bpf_get_current_task_btf()))
		return 0;
	return family == FAMILY_NAME ? ASKED_NAMES : family == FAMILY_INET ? ASKED_INET : 0;
}

/* What the call that the current task is in is known by: all its registers. */
static __always_inline void digest_call(struct scratch *scratch, struct counts *counts)
{
	void *registers = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct working *working = &scratch->working;
	__u64 halves[2];

	digest_begin(working, counts);
	if (bpf_probe_read_kernel(scratch->registers, sizeof(scratch->registers), registers))
		return;
#pragma unroll
	for (int i = 0; i < REGISTERS; i++)
		digest_word(working, scratch->registers[i]);
	digest_end(working, halves);
	working->call = halves[0];
}

static __always_inline bool equals(__u64 *one, struct recent_key *other)
{
	return one[0] == other->halves[0] && one[1] == other->halves[1];
}

static __always_inline int forget_question(struct task *mine)
{
	__u32 number = mine->question;

	mine->question = 0;
	bpf_map_delete_elem(&questions, &number);
	return -EPERM;
}

static __always_inline int stop(struct task *mine)
{
	return bpf_send_signal(SIGSTOP) ? forget_question(mine) : -ERESTARTNOINTR;
}

/* The new question is the one that is asked in the slot's call; what known has allowed of the same call is kept. */
static __always_inline void phrase(struct scratch *scratch, struct question *known, struct recent_key *key)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct question *new = &scratch->question;

	bpf_probe_read_kernel(new, sizeof(*new), NULL);
	if (known) {
		bpf_probe_read_kernel(new->earlier, sizeof(new->earlier), known->earlier);
		if (known->verdict == ANSWER_ALLOW) {
			new->earlier[2][0] = new->earlier[1][0];
			new->earlier[2][1] = new->earlier[1][1];
			new->earlier[1][0] = new->earlier[0][0];
			new->earlier[1][1] = new->earlier[0][1];
			new->earlier[0][0] = known->asked[0];
			new->earlier[0][1] = known->asked[1];
		}
	}
	new->asked[0] = key->halves[0];
	new->asked[1] = key->halves[1];
	new->call = scratch->working.call;
	new->process = task->tgid;
	new->thread = task->pid;
	new->domain = scratch->domain;
}

/* Asks: -ERESTARTNOINTR, or -EPERM, and told as any refusal, where that can't be. */
static __always_inline int ask(struct scratch *scratch, __u32 slot, struct task *mine, struct counts *counts,
			       __u32 operation)
{
	__u32 number = __sync_fetch_and_add(&counts->next_question, 1) + 1;

	if (mine->question)
		forget_question(mine);
	if (!number || bpf_map_update_elem(&questions, &number, &scratch->question, BPF_NOEXIST)) {
		report(slot, OUTCOME(EVENT_REQUEST, operation, MODE_ENFORCING, 0));
		return -EPERM;
	}
	mine->question = number;
	scratch->working.question = number;
	if (report(slot, OUTCOME(EVENT_REQUEST, operation, MODE_ENFORCING, 0)))
		return forget_question(mine);
	return stop(mine);
}

/* What has been said of one operation: 0, -EPERM, or -ERESTARTNOINTR until something is said. */
static __always_inline int answered(struct scratch *scratch, __u32 slot, __u32 operation)
{
	struct counts *counts = counted();
	struct task *mine = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL,
						 BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct question *known = NULL;
	struct recent_key key;
	__u32 number;

	if (!counts || !mine)
		return -EPERM;
	/* Another thread than the first may have gone without. */
	if (!mine->domain)
		mine->domain = scratch->domain;
	digest_request(scratch, slot, counts, operation, &key);
	number = mine->question;
	if (number)
		known = bpf_map_lookup_elem(&questions, &number);
	if (known && (known->call != scratch->working.call || known->domain != scratch->domain))
		known = NULL;
	if (known && equals(known->asked, &key)) {
		if (known->verdict == ANSWER_NONE) {
			known->used = 0;
			return ++known->turns > MOST_TURNS ? forget_question(mine) : stop(mine);
		}
		if (known->verdict == ANSWER_REFUSE)
			return forget_question(mine);
		if (known->verdict == ANSWER_ALLOW) {
			if (!(known->used & 1)) {
				known->used |= 1;
				return 0;
			}
			known = NULL;	/* the call got through, and here is another such */
		}
	} else if (known) {
#pragma unroll
		for (int i = 0; i < QUESTION_EARLIER; i++) {
			if (!equals(known->earlier[i], &key) || known->used & 2 << i)
				continue;
			known->used |= 2 << i;
			return 0;
		}
	}
	phrase(scratch, known, &key);
	return ask(scratch, slot, mine, counts, operation);
}

/*
 * The verdict on the refused operations of the request that may wait: 0 if all of them have been allowed.
 * Nobody is asked about a request that is refused anyway: then those are told, too.
 */
__noinline int put_question(__u32 slot, __u32 refused)
{
	struct scratch *scratch = slot_of(slot);
	struct counts *counts = counted();
	int error = 0;

	if (!scratch || !counts)
		return -EPERM;
	digest_call(scratch, counts);
#pragma nounroll
	for (__u64 i = 0; i < MOST_OPERATIONS && !error; i++) {
		__u64 bit = scratch->working.questions & -scratch->working.questions;
		__u32 operation;

		if (!bit)
			break;
		scratch->working.questions &= ~bit;
		operation = operation_number(scratch->family, lowest(bit));
		if (refused)
			report(slot, OUTCOME(EVENT_REQUEST, operation, MODE_ENFORCING, 0));
		else
			error = answered(scratch, slot, operation);
	}
	if (!refused && !error && !scratch->working.questions)
		return 0;
	if (error == -ERESTARTNOINTR)
		return error;
	__sync_fetch_and_add(&counts->refused, 1);
	return -EPERM;
}

#endif
