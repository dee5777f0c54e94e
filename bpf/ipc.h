/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The ipc keywords: signals, and reaching into other processes. A process is never asked about itself, nor about
 * signal 0. Who reaches into whom is settled under the lock that an exec of the other takes as well, so that the domain
 * asked about is the one reached.
 */
#ifndef SEKISHO_IPC_H
#define SEKISHO_IPC_H

#include "kernel/call.h"
#include "scratch.h"
#include "task.h"
#include "judge.h"
#include "capability.h"

#define LAST_SIGNAL 64

#define PTRACE_ATTACH 16
#define PTRACE_SEIZE 0x4206

static __always_inline bool same_process(struct task_struct *task)
{
	return BPF_CORE_READ(task, tgid) == bpf_get_current_pid_tgid() >> 32;
}

/* Those of the operations that the domain has enabled, which isn't the current task's. */
static __always_inline __u64 checked_in(__u32 domain, __u32 family, __u64 asked)
{
	return current_is_taken() ? 0 : enabled_in(the_state(), family, asked, domain);
}

/* The verdict on what somebody in domain does to a process in target. */
static __always_inline int judge_between(__u32 domain, __u64 asked, __u32 target, __u64 number)
{
	struct scratch *scratch;
	__u32 slot;
	int error;

	if (!asked)
		return 0;
	slot = begin(FAMILY_DOMAIN, asked, domain);
	if (slot == NO_SLOT)
		return crowded(domain, FAMILY_DOMAIN, asked);
	scratch = slot_of(slot);
	if (!scratch)
		return -EPERM;
	scratch->target = target;
	scratch->numbers[0] = number;
	error = judge(slot);
	release(slot);
	return error;
}

/* The verdict on what the current task does to a process in target. */
static __always_inline int judge_target(__u64 wanted, __u32 target, __u64 number)
{
	__u32 domain;
	__u64 asked = checked(FAMILY_DOMAIN, wanted, &domain);

	return judge_between(domain, asked, target, number);
}

struct kernel_siginfo;

/*
 * Whether the kernel sends the signal later for somebody who isn't the current task: then it comes with credentials.
 * The argument is read as a number, since the verifier takes it for granted that a pointer which a hook is given is one.
 */
static __always_inline bool sent_later(const void *ctx)
{
	__u64 credentials = 0;

	bpf_probe_read_kernel(&credentials, sizeof(credentials), ctx + 3 * sizeof(__u64));
	return credentials;
}

SEC("lsm/task_kill")
int BPF_PROG(task_kill, struct task_struct *p, struct kernel_siginfo *info, int sig, const struct cred *cred, int ret)
{
	if (ret)
		return ret;
	if (sig <= 0 || sig > LAST_SIGNAL || same_process(p) || sent_later(ctx))
		return 0;
	return verdict(judge_target(1ull << BIT_IPC_SIGNAL, domain_of(p), sig));
}

/*
 * Asked for much that only looks at a process, which nobody is asked about, and for what opens its files in proc, which
 * the file keywords are about.
 */
SEC("lsm/ptrace_access_check")
int BPF_PROG(ptrace_access_check, struct task_struct *child, unsigned int mode, int ret)
{
	struct called called = {};
	__u64 wanted;
	int error;

	if (ret)
		return ret;
	if (same_process(child))
		return 0;
	call_now(&called);
	switch (called.call) {
	case CALL_PTRACE:
		if (called.first != PTRACE_ATTACH && called.first != PTRACE_SEIZE)
			return 0;
		error = judge_capabilities(CAPABILITY(SYS_PTRACE));
		if (error)
			return verdict(error);
		wanted = 1ull << BIT_IPC_PTRACE;
		break;
	case CALL_VM_READ:
		wanted = 1ull << BIT_IPC_READ_MEMORY;
		break;
	case CALL_VM_WRITE:
		wanted = 1ull << BIT_IPC_WRITE_MEMORY;
		break;
	case CALL_GET_DESCRIPTOR:
		wanted = 1ull << BIT_IPC_GET_DESCRIPTOR;
		break;
	default:
		return 0;
	}
	return verdict(judge_target(wanted, domain_of(child), 0));
}

/* The current task lets its parent trace it, whose gain it is: that is who has to be allowed to. */
SEC("lsm/ptrace_traceme")
int BPF_PROG(ptrace_traceme, struct task_struct *parent, int ret)
{
	__u32 tracer, slot;
	__u64 asked;
	int error = 0;

	if (ret)
		return ret;
	tracer = domain_of(parent);
	asked = checked_in(tracer, FAMILY_NONE, CAPABILITY(SYS_PTRACE));
	if (asked) {
		slot = begin(FAMILY_NONE, asked, tracer);
		if (slot == NO_SLOT)
			return crowded(tracer, FAMILY_NONE, asked);
		error = judge(slot);
		release(slot);
	}
	if (error)
		return verdict(error);
	asked = checked_in(tracer, FAMILY_DOMAIN, 1ull << BIT_IPC_PTRACE);
	return verdict(judge_between(tracer, asked, domain_of(bpf_get_current_task_btf()), 0));
}

struct task_struct___traced {
	unsigned int ptrace;
	struct task_struct___traced *parent;	/* who traces it, if anybody does */
} RELOCATED;

/*
 * The verdict on the current task's going to that domain, which whoever traces it goes on tracing it in. While a program
 * is being executed nobody begins to: it takes the same lock.
 */
static __always_inline int judge_tracer(__u32 to)
{
	struct task_struct___traced *task = (struct task_struct___traced *)bpf_get_current_task_btf();
	struct task_struct *tracer;
	__u32 domain;

	if (!task->ptrace)
		return 0;
	tracer = (struct task_struct *)task->parent;
	if (!tracer)
		return 0;
	domain = domain_of(tracer);
	return judge_between(domain, checked_in(domain, FAMILY_DOMAIN, 1ull << BIT_IPC_PTRACE), to, 0);
}

#endif
