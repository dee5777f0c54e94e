/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Execution. Whether a program may be executed and in which domain it runs is decided when the kernel looks at its file
 * for the first time. From then on the task counts as being there; it is there for good once execution can't fail any
 * more. Interpreters that the file turns out to need are read in the new domain.
 */
#ifndef SEKISHO_EXEC_H
#define SEKISHO_EXEC_H

#include "handler.h"
#include "ipc.h"
#include "link.h"
#include "strings.h"
#include "transition.h"

/* The path of the program's file, the slot's first name, is also what conditions know the program by. */
__noinline int keep_path(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);

	if (!scratch)
		return -EAGAIN;
	scratch->third.length = scratch->first.length;
	return bpf_probe_read_kernel(scratch->third.bytes, scratch->first.length & 4095, scratch->first.bytes) ?
	       -EAGAIN : 0;
}

/* The name that the program is asked for by, into the slot: 0, or a negative errno. */
static __always_inline int name_program(__u32 slot, struct linux_binprm *bprm, struct task *mine)
{
	struct scratch *scratch = slot_of(slot);
	struct file *file = bprm->file;
	struct name *kept;
	int error;

	if (!scratch)
		return -EAGAIN;
	/* The objects that conditions look at are the file's in any case: they aren't touched after this. */
	error = name_path(slot, FIRST, file->f_path.mnt, file->f_path.dentry);
	error = error ? error : keep_path(slot);
	if (error)
		return error;
	scratch->program = (__u64)bprm;
	if (mine->asked_file != (__u64)file)
		return 0;
	if (mine->asked_error)
		return -(int)mine->asked_error;
	kept = bpf_task_storage_get(&requested, bpf_get_current_task_btf(), NULL, 0);
	if (!kept)
		return -EAGAIN;
	scratch->ids_ready &= ~5;
	return bpf_probe_read_kernel(&scratch->first, sizeof(scratch->first), kept) ? -EAGAIN : 0;
}

/* What an aggregator of the domain's namespace puts in place of the program's name; the first that fits. */
__noinline int aggregate(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);
	struct namespace_value *space;
	struct namespace_key key = {};
	struct found_key at = {};
	struct found *record = NULL;
	struct state *now = the_state();
	struct domain *domain;
	struct name *name;
	struct list *list;
	struct counts *all;

	if (!scratch || !now)
		return -EAGAIN;
	domain = domain_at(scratch->domain);
	if (!domain)
		return -EAGAIN;
	key.book = now->book & 1;
	key.root = domain->root;
	space = bpf_map_lookup_elem(&namespaces, &key);
	if (!space || !space->aggregators)
		return 0;
	at.list = space->aggregators;
	at.operand = name_id(slot, TEXT_FIRST);
	if (at.operand)
		record = bpf_map_lookup_elem(&found, &at);
	list = record ? NULL : bpf_map_lookup_elem(&lists, &at.list);
	if (list && list->automaton) {
		at.operand = accepted(slot, TEXT_FIRST, scratch->first.length, list->automaton);
		if (at.operand) {
			at.operand |= FOUND_ACCEPT;
			record = bpf_map_lookup_elem(&found, &at);
		}
	}
	if (!record || !record->last)
		return 0;
	name = bpf_map_lookup_elem(&replacements, &record->last);
	if (!name || bpf_probe_read_kernel(&scratch->first, sizeof(scratch->first), name)) {
		all = counted();
		if (all)
			__sync_fetch_and_add(&all->inconsistent, 1);
		return -EAGAIN;
	}
	scratch->ids_ready &= ~5;
	return 0;
}

/* The execution is decided, and where it leads: pending. */
static __always_inline int decide_execution(struct linux_binprm *bprm, struct task *mine)
{
	/* Where a program runs isn't left open in any mode: without a slot it doesn't. */
	__u32 slot = begin(FAMILY_NAME, 1ull << BIT_FILE_EXECUTE, mine->domain), to = mine->domain, there;
	int error;

	if (slot == NO_SLOT)
		return -EAGAIN;
	error = name_program(slot, bprm, mine);
	if (error) {
		error = judge_unnameable(slot, error);
		if (!error)
			transition_failed(slot, to);
	} else {
		error = aggregate(slot);
		error = error ? error : take_over(slot);
		error = error ? error : judge(slot);
		if (!error) {
			to = destination(slot);
			error = to ? 0 : -ENOMEM;
		}
	}
	if (!error) {
		mine->pending = to;
		if (bprm->envc && checked(FAMILY_NAME, 1ull << BIT_MISC_ENV, &there))
			error = keep_file(slot);
	}
	release(slot);
	return error;
}

/* The interpreter of a script is read by the program that the script is. */
static __always_inline int read_interpreter(struct linux_binprm *bprm)
{
	struct file *file = bprm->file;
	__u32 domain, slot;
	__u64 asked;
	int error;

	asked = checked(FAMILY_NAME, 1ull << BIT_FILE_READ, &domain);
	if (!asked)
		return 0;
	slot = begin(FAMILY_NAME, asked, domain);
	if (slot == NO_SLOT)
		return crowded(domain, FAMILY_NAME, asked);
	error = name_path(slot, FIRST, file->f_path.mnt, file->f_path.dentry);
	error = error ? judge_unnameable(slot, error) : judge(slot);
	release(slot);
	return error;
}

/* An execution begins; what the one before has left is gone. */
SEC("lsm/bprm_creds_for_exec")
int BPF_PROG(bprm_creds_for_exec, struct linux_binprm *bprm, int ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task *mine = bpf_task_storage_get(&tasks, task, NULL, 0);
	struct quoted *quoted = bpf_task_storage_get(&quotations, task, NULL, 0);

	if (mine) {
		mine->pending = 0;
		mine->argc = bprm->argc;
	}
	if (quoted)
		bpf_probe_read_kernel(quoted, sizeof(*quoted), NULL);
	return verdict(ret);
}

SEC("lsm/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm, int ret)
{
	struct state *now = the_state();
	struct task *mine;
	int error;

	if (ret || !now || !now->active)
		return verdict(ret);
	mine = own_task();
	if (!mine)
		return -EAGAIN;
	if (is_taken(now, mine))
		return 0;
	/* What stands pending for the program itself another start has decided, which this one has followed since. */
	if (!mine->pending || bprm->interp == bprm->filename) {
		mine->argc = bprm->argc;
		error = decide_execution(bprm, mine);
		return verdict(error ? error : judge_tracer(mine->pending));
	}
	return verdict(read_interpreter(bprm));
}

/* Execution can't fail any more. */
SEC("lsm/bprm_committing_creds")
int BPF_PROG(bprm_committing_creds, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task *mine = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (mine && mine->pending) {
		mine->domain = mine->pending;
		mine->pending = 0;
		bpf_task_storage_delete(&requested, task);
		bpf_task_storage_delete(&program_files, task);
	}
	return 0;
}

#endif
