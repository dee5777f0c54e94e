/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What decides, run on requests that user space makes up: for tests, never attached to anything, and no part of what is
 * shipped.
 */
#include "../kernel/base.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "../judge.h"

struct trial {
	/* The request. */
	__u32 family;
	__u32 domain;
	__u64 asked;
	__u32 target;
	__u32 ignore_first;
	__u64 numbers[3];
	__u8 address[16];
	__u16 version;
	__u16 port;
	__u32 times;		/* how often it is decided */
	__u32 have_facts;	/* facts are as they stand here; else gathered */
	struct facts facts;
	struct name first;
	struct name second;
	struct text third;
	/* The answer. */
	__s32 verdict;
	__u32 list;
	__u64 granted;
	__u64 refused;
	__u64 logged;
	__u32 entry;
	__u32 candidate;
	__u32 target_id;
	__u32 move;
	__u32 preference;
	__u32 move_kind;
	__u64 nanoseconds;	/* for all of it */
};

#define TRIAL_STRINGS 64
#define TRIAL_TIMES 32

/* Arguments and environment of a program that isn't being executed. */
ROW(trial_strings, struct text, TRIAL_STRINGS, 0);

static __always_inline int trial_string(struct scratch *scratch, __u32 number)
{
	struct text *text = bpf_map_lookup_elem(&trial_strings, &number);
	__u32 length;

	if (!text)
		return -ENOENT;
	length = text->length;
	if (length > NAME_BYTES)
		return -ENAMETOOLONG;
	bpf_probe_read_kernel(scratch->work, length, text->bytes);
	return length;
}

static __always_inline void fill_trial(struct scratch *scratch, struct trial *trial)
{
	scratch->target = trial->target;
	scratch->ignore_first = trial->ignore_first;
	scratch->numbers[0] = trial->numbers[0];
	scratch->numbers[1] = trial->numbers[1];
	scratch->numbers[2] = trial->numbers[2];
	bpf_probe_read_kernel(scratch->address, sizeof(scratch->address), trial->address);
	scratch->version = trial->version;
	scratch->port = trial->port;
	bpf_probe_read_kernel(&scratch->first, sizeof(scratch->first), &trial->first);
	bpf_probe_read_kernel(&scratch->second, sizeof(scratch->second), &trial->second);
	bpf_probe_read_kernel(&scratch->third, sizeof(scratch->third), &trial->third);
	if (trial->have_facts) {
		bpf_probe_read_kernel(&scratch->facts, sizeof(scratch->facts), &trial->facts);
		scratch->facts_ready = 1;
	}
}

static __always_inline void answer_trial(struct scratch *scratch, struct trial *trial)
{
	trial->list = scratch->list;
	trial->granted = scratch->granted;
	trial->refused = scratch->refused;
	trial->logged = scratch->logged;
	trial->entry = scratch->entry;
	trial->candidate = scratch->candidate;
	trial->target_id = scratch->target_id;
	trial->move = scratch->move;
	trial->preference = scratch->preference;
	trial->move_kind = scratch->move_kind;
}

/* The request is decided and reported, and the answer is in the context. */
SEC("syscall")
int trial_judge(struct trial *trial)
{
	__u32 slot = begin(trial->family, trial->asked, trial->domain);
	struct scratch *scratch;
	__u64 since;
	int error = 0;

	if (slot == NO_SLOT)
		return crowded(trial->domain, trial->family, trial->asked);
	scratch = slot_of(slot);
	if (!scratch)
		return -EPERM;
	fill_trial(scratch, trial);
	since = bpf_ktime_get_ns();
	for (int count = 0; count < TRIAL_TIMES; count++) {
		if (count >= trial->times)
			break;
		scratch->ids_ready = 0;
		error = judge(slot);
	}
	trial->nanoseconds = bpf_ktime_get_ns() - since;
	trial->verdict = error;
	answer_trial(scratch, trial);
	release(slot);
	return 0;
}

/* The facts of the caller, and of no file. */
SEC("syscall")
int trial_facts(struct trial *trial)
{
	__u32 slot = begin(FAMILY_NAME, trial->asked, trial->domain);
	struct scratch *scratch = slot_of(slot);

	if (!scratch)
		return -EAGAIN;
	gather(slot);
#pragma unroll
	for (int fact = 0; fact < FACT_PATH1; fact++)
		trial->facts.values[fact] = scratch->facts.values[fact];
	trial->facts.have = scratch->facts.have;
	trial->facts.handler = scratch->facts.handler;
	release(slot);
	return 0;
}

/* How many encoded characters the first name has: into units. Ids are looked up, too. */
SEC("syscall")
int trial_name(struct trial *trial)
{
	__u32 slot = begin(FAMILY_NAME, trial->asked, trial->domain);
	struct scratch *scratch = slot_of(slot);

	if (!scratch)
		return -EAGAIN;
	fill_trial(scratch, trial);
	trial->entry = name_id(slot, TEXT_FIRST);
	trial->list = encoded_length(slot, TEXT_FIRST, scratch->first.length);
	release(slot);
	return 0;
}

__noinline int program_string(__u32 slot, __u32 number)
{
	struct scratch *scratch = slot_of(slot);

	if (!scratch)
		return -ENOENT;
	return trial_string(scratch, number);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
