/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The names of a program's environment variables, which its new domain has to be granted; and, once the program has its
 * memory, whether its strings are those that were decided on.
 */
#ifndef SEKISHO_ENVIRONMENT_H
#define SEKISHO_ENVIRONMENT_H

#include "flavour.h"
#include "strings.h"
#include "transition.h"

#define SPECIAL 64		/* so many variables can need more than a look at what is granted plainly */
#define MOST_PARTS (1u << 20)
#define SIGKILL 9

struct cut {
	struct scratch *scratch;
	__u32 length;
};

static long find_equals(__u64 index, struct cut *cut)
{
	if (cut->scratch->work[index & (STRING_BYTES - 1)] == '=')
		return 1;
	cut->length = index + 1;
	return 0;
}

/* The name of the variable that the string is, into the slot: its length, or a negative errno. */
__noinline int variable_name(__u32 slot, __u32 number)
{
	struct cut cut = { .scratch = slot_of(slot) };
	struct scratch *scratch = cut.scratch;
	int length = program_string(slot, number);

	if (!scratch || length < 0)
		return scratch ? length : -EAGAIN;
	bpf_loop(length, find_equals, &cut, 0);
	scratch->first.length = cut.length & (STRING_BYTES - 1);
	scratch->ids_ready &= ~5;
	bpf_probe_read_kernel(scratch->first.bytes, cut.length & (STRING_BYTES - 1), scratch->work);
	return cut.length;
}

/* What the list has on the slot's first name. */
static __always_inline struct found *listed(__u32 slot, struct scratch *scratch, __u32 list)
{
	struct found_key key = { .list = list, .operand = name_id(slot, TEXT_FIRST) };
	struct found *record = key.operand ? bpf_map_lookup_elem(&found, &key) : NULL;
	struct list *entries;

	if (record)
		return record;
	entries = bpf_map_lookup_elem(&lists, &list);
	if (!entries || !entries->automaton)
		return NULL;
	key.operand = accepted(slot, TEXT_FIRST, scratch->first.length, entries->automaton);
	if (!key.operand)
		return NULL;
	key.operand |= FOUND_ACCEPT;
	return bpf_map_lookup_elem(&found, &key);
}

/* Whether the variable in the slot is granted, and nobody wants to know. Else it is judged as everything is. */
__noinline int is_plain(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);
	struct state *now = the_state();
	struct binding *binding;
	struct profile *profile;
	struct found *record;
	__u32 book, shared;

	if (!scratch || !now)
		return 0;
	book = now->book & 1;
	binding = bound(book, scratch->domain);
	profile = binding ? profiled(book, binding->profile) : NULL;
	if (!profile || profile->config[OP_MISC_ENV] & CONFIG_GRANT_LOG)
		return 0;
	shared = binding->shared;
	record = binding->list ? listed(slot, scratch, binding->list) : NULL;
	if (record)
		return !!(record->plain & 1ull << BIT_MISC_ENV);
	record = shared ? listed(slot, scratch, shared) : NULL;
	return record && record->plain & 1ull << BIT_MISC_ENV;
}

struct review {
	__u32 slot;
	__u32 number, end;	/* strings still to be looked at */
	int error;		/* the one before couldn't be read */
};

static long next_variable(__u64 index, struct review *review)
{
	int length;

	if (review->number >= review->end)
		return 1;
	length = variable_name(review->slot, review->number);
	if (!length || (length > 0 && is_plain(review->slot))) {
		review->number++;
		return 0;
	}
	review->error = length < 0 ? length : 0;
	return 1;
}

/* The first of the variables from number on, before end, that has to be judged; its name is in the slot. Else end. */
__noinline __u32 next_special(__u32 slot, __u32 number, __u32 end)
{
	struct review review = { .slot = slot, .number = number, .end = end };
	struct scratch *scratch = slot_of(slot);

	if (!scratch)
		return number;
	bpf_loop(STRINGS, next_variable, &review, 0);
	scratch->numbers[0] = (__u64)(__s64)review.error;
	return review.number;
}

/* What conditions and records look at, into the slot, once: 0, or a negative errno. */
static __always_inline int recall_facts(__u32 slot, struct scratch *scratch, __u32 argc)
{
	if (scratch->facts_ready)
		return 0;
	gather(slot);
	scratch->facts.values[FACT_ARGC] = argc;
	/* Policy that asks for variables since a moment ago has come too late to know of what. */
	return recall_file(slot) ? crowded(scratch->domain, FAMILY_NAME, 1ull << BIT_MISC_ENV) : 0;
}

/* The verdict on the variable in the slot. */
static __always_inline int judge_variable(__u32 slot, __u32 argc)
{
	struct scratch *scratch = slot_of(slot);
	__u64 error;

	if (!scratch || recall_facts(slot, scratch, argc))
		return -EAGAIN;
	error = scratch->numbers[0];
	scratch->numbers[0] = 0;
	return error ? judge_unnameable(slot, error) : judge(slot);
}

/* The last moment at which execution can fail. */
SEC("lsm/bprm_creds_from_file")
int BPF_PROG(bprm_creds_from_file, struct linux_binprm *bprm, struct file *file, int ret)
{
	__u32 domain, slot, number, end;
	struct scratch *scratch;
	struct task *mine;
	__u64 asked;
	int error = 0;

	if (ret)
		return verdict(ret);
	asked = bprm->envc ? checked(FAMILY_NAME, 1ull << BIT_MISC_ENV, &domain) : 0;
	if (!asked)
		return 0;
	mine = own_task();
	if (!mine)
		return -EAGAIN;
	slot = begin(FAMILY_NAME, asked, domain);
	if (slot == NO_SLOT)
		return verdict(crowded(domain, FAMILY_NAME, asked));
	scratch = slot_of(slot);
	if (scratch)
		scratch->program = (__u64)bprm;
	number = mine->argc;
	end = number + bprm->envc;
	for (int count = 0; count < SPECIAL && !error && number < end; count++) {
		number = next_special(slot, number, end);
		if (number < end)
			error = judge_variable(slot, mine->argc);
		number++;
	}
	if (!error && number < end)
		error = crowded(domain, FAMILY_NAME, asked);
	release(slot);
	return verdict(error);
}

struct comparison {
	struct quoted *quoted;
	__u64 place;		/* in the program's memory */
	__u32 count, left;	/* of the strings that the program has */
	__u32 added;		/* by interpreters, before those of the caller's that are left */
	__u32 inside;		/* a string's end is still to be found */
	__u32 wrong;
};

struct words {
	struct quoted *quoted;
	__u32 place;
	__u32 differ;
};

static long compare_word(__u64 index, struct words *words)
{
	__u32 at = (index & (STRING_BYTES / 8 - 1)) * 8, place = words->place;

	if (place > QUOTATIONS - STRING_BYTES)
		return 1;
	if (*(__u64 *)(words->quoted->bytes + place + at) == *(__u64 *)(words->quoted->text + at))
		return 0;
	words->differ = 1;
	return 1;
}

/* Whether the string in text is the one that was quoted by that number. */
static __always_inline bool is_quoted(struct quoted *quoted, __u32 number, __u32 length)
{
	struct words words = { .quoted = quoted };

	if (quoted->lengths[number & (STRINGS - 1)] != length)
		return false;
	words.place = (quoted->places[number & (STRINGS - 1)] - 1) & ~7;
	bpf_loop((length + 7) / 8, compare_word, &words, 0);
	return !words.differ;
}

static long compare_string(__u64 index, struct comparison *comparison)
{
	struct quoted *quoted = comparison->quoted;
	__u32 number, length;
	char byte;
	long size;

	if (!comparison->left)
		return 1;
	size = read_string(quoted->text, comparison->place);
	if (size <= 0) {
		if (modify_return) {
			comparison->wrong = 1;
			return 1;
		}
		/* A page of it may be elsewhere at the moment; it is fetched, as is the next one's beginning. */
		bpf_copy_from_user(&byte, 1, (void *)comparison->place);
		bpf_copy_from_user(&byte, 1, (void *)((comparison->place & ~4095ull) + 4096));
		size = read_string(quoted->text, comparison->place);
		if (size <= 0) {
			comparison->wrong = 1;
			return 1;
		}
	}
	length = (size - 1) & (STRING_BYTES - 1);
	number = comparison->count - comparison->left;
	/* The first argument of a script is gone: its interpreter doesn't see it, nor does anybody. */
	if (!comparison->inside && number >= comparison->added && !(comparison->added && number == comparison->added)) {
		number -= comparison->added;
		__builtin_memset(quoted->text + length, 0, 8);
		if (number < STRINGS && quoted->places[number & (STRINGS - 1)] && !is_quoted(quoted, number, length)) {
			comparison->wrong = 1;
			return 1;
		}
	}
	comparison->inside = length == STRING_SEEN;
	comparison->place += comparison->inside ? length : length + 1;
	if (!comparison->inside)
		comparison->left--;
	return 0;
}

SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(bprm_committed_creds, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct quoted *quoted = bpf_task_storage_get(&quotations, task, NULL, 0);
	struct task *mine = bpf_task_storage_get(&tasks, task, NULL, 0);
	struct comparison comparison = { .quoted = quoted };
	struct counts *all = counted();

	if (!quoted || !mine)
		return 0;
	comparison.place = bprm->p;
	comparison.count = comparison.left = bprm->argc + bprm->envc;
	comparison.added = bprm->argc - mine->argc;
	bpf_loop(MOST_PARTS, compare_string, &comparison, 0);
	if (comparison.wrong || comparison.left) {
		bpf_send_signal(SIGKILL);
		if (all)
			__sync_fetch_and_add(&all->changed, 1);
	}
	bpf_task_storage_delete(&quotations, task);
	return 0;
}

#endif
