/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Signals that files send when they are ready. Who made somebody their owner may have done so long ago, and whoever that is
 * may have become another program since: so each owner is kept with who set it, and asked about when there is something to
 * send. That happens in whatever the kernel has interrupted: what the current task is doesn't matter.
 *
 * The kernel doesn't tell when a file goes. Its place in memory isn't another's before that one's owner is set, too; and of
 * the owners that were set longest ago those are forgotten that there is no room for. No domain can make the engine forget
 * those of domains in which signals aren't looked at, or have its own looked over: from the first moment at which any may have
 * been forgotten what nobody knows of isn't sent.
 */
#ifndef SEKISHO_READY_H
#define SEKISHO_READY_H

#include "kernel/ready.h"
#include "guards.h"
#include "ipc.h"

#define OWNERS 32768
#define SAFE_OWNERS (OWNERS / 4)	/* processors keep up to 128 free places each to themselves */
#define SIGIO 29
#define FIRST_QUEUED 32		/* where there is no room for such a signal the kernel sends SIGIO in its place */

#define F_SETFL 4
#define F_SETSIG 10
#define O_ASYNC 020000

#define SETTERS(name)						\
	struct {						\
		__uint(type, BPF_MAP_TYPE_LRU_HASH);		\
		__uint(max_entries, OWNERS);			\
		__type(key, __u64);				\
		__type(value, struct setter);			\
	} name SEC(".maps")

/* By where the kernel has files: of domains in which signals were looked at then, and of others. */
SETTERS(setters_held);
SETTERS(setters_free);

static __always_inline __u64 began(struct task_struct *task)
{
	struct task_struct___started *first = (struct task_struct___started *)BPF_CORE_READ(task, group_leader);

	return BPF_CORE_READ(first, start_boottime);
}

static __always_inline struct setter *setter_of(__u64 file)
{
	return bpf_map_lookup_elem(&setters_held, &file) ?: bpf_map_lookup_elem(&setters_free, &file);
}

static __always_inline __u64 looked_at(__u32 domain)
{
	return domain ? enabled_in(the_state(), FAMILY_DOMAIN, 1ull << BIT_IPC_SIGNAL, domain) : 0;
}

/* The file's setter is that one from now on, and kept where the current task's domain says. */
static __always_inline void keep_setter(__u64 file, struct setter *setter, bool held)
{
	struct counts *all = counted();

	if (!held) {
		bpf_map_update_elem(&setters_free, &file, setter, BPF_ANY);
		bpf_map_delete_elem(&setters_held, &file);
		return;
	}
	if (bpf_map_update_elem(&setters_held, &file, setter, BPF_NOEXIST))
		bpf_map_update_elem(&setters_held, &file, setter, BPF_ANY);
	else if (all)
		__sync_fetch_and_add(&all->owners, 1);
	bpf_map_delete_elem(&setters_free, &file);
}

/*
 * The signal that the file sends; 0: the usual. Linux commit 1934b212615d ("file: reclaim 24 bytes from f_owner", in v6.12)
 * has what belongs to it in a place of its own; before that it was part of the file.
 */
static __always_inline int signal_of(struct file *file)
{
	if (bpf_core_field_exists(((struct file___pointing *)0)->f_owner))
		return BPF_CORE_READ((struct file___pointing *)file, f_owner, signum);
	return BPF_CORE_READ((struct file___holding *)file, f_owner.signum);
}

static __always_inline __u64 file_of(struct fown_struct *owner)
{
	if (bpf_core_field_exists(((struct file___pointing *)0)->f_owner))
		return (__u64)BPF_CORE_READ(owner, file);
	return address_of(owner) - bpf_core_field_offset(struct file___holding, f_owner);
}

SEC("lsm/file_set_fowner")
int BPF_PROG(file_set_fowner, struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct setter setter = { .domain = domain_of(task), .process = task->tgid, .started = began(task) };
	struct setter *before = setter_of(address_of(file));

	/* What is known of a file that was here earlier doesn't count: no signal has been chosen for this one. */
	if (before && (signal_of(file) || file->f_flags & O_ASYNC))
		setter.chooser = before->chooser ?: before->domain;
	keep_setter(address_of(file), &setter, looked_at(setter.domain) || looked_at(setter.chooser));
	return 0;
}

/* Somebody says what the signal is, or that there be any. */
SEC("lsm/file_fcntl")
int BPF_PROG(signal_chosen, struct file *file, unsigned int command, unsigned long argument, int ret)
{
	struct setter setter = {}, *before;

	if (ret || (command != F_SETSIG && (command != F_SETFL || !(argument & ~file->f_flags & O_ASYNC))))
		return verdict(ret);
	before = setter_of(address_of(file));
	if (before)
		setter = *before;
	setter.chooser = domain_of(bpf_get_current_task_btf());
	keep_setter(address_of(file), &setter, looked_at(setter.domain) || looked_at(setter.chooser));
	return 0;
}

/* Whether the task is of the process that set the owner, and still the same program. */
static __always_inline bool is_setter(struct setter *setter, struct task_struct *task, __u32 target)
{
	return setter->domain == target && BPF_CORE_READ(task, tgid) == setter->process &&
	       began(task) == setter->started;
}

/* The verdict on the signal that somebody in domain has set up for whoever is in target. */
static __always_inline int judge_signal(__u32 domain, __u32 target, __u64 number)
{
	__u64 asked = looked_at(domain);
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
	scratch->nobody = scratch->once = scratch->stood_by = 1;
	error = judge(slot);
	release(slot);
	return error;
}

/* The same with what the kernel may send in its place. */
static __always_inline int judge_signals(__u32 domain, __u32 target, __u64 number)
{
	return judge_signal(domain, target, number) ?:
	       (number >= FIRST_QUEUED ? judge_signal(domain, target, SIGIO) : 0);
}

SEC("lsm/file_send_sigiotask")
int BPF_PROG(file_send_sigiotask, struct task_struct *task, struct fown_struct *owner, int sig, int ret)
{
	__u64 number = sig > 0 && sig <= LAST_SIGNAL ? sig : SIGIO;
	struct counts *all = counted();
	struct state *now = the_state();
	struct setter *setter;
	__u32 target;
	int error = ret;

	if (error || !now || !now->active)
		return verdict(error);
	setter = setter_of(file_of(owner));
	if (!setter)
		return all && all->owners < SAFE_OWNERS ? 0 : -EPERM;
	target = domain_of(task);
	if (setter->domain && !is_setter(setter, task, target))
		error = judge_signals(setter->domain, target, number);
	if (!error && setter->chooser && setter->chooser != setter->domain)
		error = judge_signals(setter->chooser, target, number);
	return verdict(error);
}

#endif
