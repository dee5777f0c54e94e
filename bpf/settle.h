/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What comes of a decision in the domain's profile: granted, refused, told, or put to the administrator. */
#ifndef SEKISHO_SETTLE_H
#define SEKISHO_SETTLE_H

#include "question.h"
#include "report.h"

/* How the profile has the operation; a manual transition needs its entry whatever the profile, and is never logged. */
static __always_inline __u32 config_of(struct profile *profile, __u32 number)
{
	if (number >= OP_TASK_MANUAL_DOMAIN_TRANSITION)
		return MODE_ENFORCING;
	return number < OPERATIONS_ROOM ? profile->config[number] : MODE_ENFORCING;
}

/* One operation, granted or not: told if it has to be. */
static long settle(__u64 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct working *working = &scratch->working;
	__u64 bit = working->rest & -working->rest;
	__u32 number, config, mode;
	struct profile *profile;

	if (!bit)
		return 1;
	working->rest &= ~bit;
	profile = profiled(scratch->book, working->profile);
	if (!profile) {
		working->enforced = 1;
		return 1;
	}
	number = operation_number(scratch->family, lowest(bit));
	config = config_of(profile, number);
	mode = config & CONFIG_MODE;
	if (mode == MODE_DISABLED) {
		scratch->logged &= ~bit;
		return 0;
	}
	if (scratch->granted & bit) {
		if (config & CONFIG_GRANT_LOG && !(scratch->unlogged & bit))
			scratch->logged |= bit;
		if (scratch->logged & bit)
			report(working->slot, OUTCOME(EVENT_REQUEST, number, mode, 1));
		return 0;
	}
	scratch->refused |= bit;
	if (mode == MODE_ENFORCING) {
		if (working->waits && waits_for(scratch->domain, scratch->family, profile->penalty) & bit) {
			working->questions |= bit;
			return 0;
		}
		working->enforced = 1;
	}
	report(working->slot, OUTCOME(working->kind, number, mode, 0));
	return 0;
}

/* Whether that is all there is to it: one operation, granted, of which nothing is to be told. */
static __always_inline bool says_nothing(struct scratch *scratch, struct profile *profile)
{
	__u64 bit = scratch->asked;

	if (bit & (bit - 1) || bit & (~scratch->granted | scratch->logged))
		return false;
	return !(config_of(profile, operation_number(scratch->family, lowest(bit))) & CONFIG_GRANT_LOG);
}

/* Every operation of the request settled: 0, -EPERM if one is refused; 1 if that is up to the administrator. */
__noinline int settle_all(__u32 slot, __u32 kind)
{
	struct scratch *scratch = slot_of(slot);
	struct working *working;
	struct binding *binding;
	struct profile *profile;
	struct counts *counts;

	if (!scratch)
		return -EPERM;
	working = &scratch->working;
	binding = bound(scratch->book, scratch->domain);
	if (!binding)
		return -EPERM;
	working->profile = binding->profile;
	profile = profiled(scratch->book, binding->profile);
	scratch->refused = 0;
	if (profile && says_nothing(scratch, profile))
		return 0;
	working->rest = scratch->asked;
	working->slot = slot;
	working->enforced = 0;
	working->kind = kind;
	working->question = 0;
	working->questions = 0;
	working->waits = kind == EVENT_REQUEST && !scratch->once;
	bpf_loop(64, settle, &scratch, 0);
	if (working->questions)
		return 1;
	if (!working->enforced)
		return 0;
	counts = counted();
	if (counts)
		__sync_fetch_and_add(&counts->refused, 1);
	return -EPERM;
}

struct enforcement {
	struct profile *profile;
	__u64 rest;
	__u32 family;
	__u32 enforced;
};

static long is_enforced(__u64 index, struct enforcement *enforcement)
{
	__u64 rest = enforcement->rest;

	if (!rest)
		return 1;
	enforcement->rest = rest & (rest - 1);
	if ((config_of(enforcement->profile, operation_number(enforcement->family, lowest(rest))) & CONFIG_MODE) !=
	    MODE_ENFORCING)
		return 0;
	enforcement->enforced = 1;
	return 1;
}

/* Whether any of the operations is enforced in the domain; it is if that can't be said. */
__noinline int enforces(__u32 family, __u64 asked, __u32 domain)
{
	struct enforcement enforcement = { .rest = asked, .family = family };
	struct state *state = the_state();
	struct binding *binding;

	if (!state)
		return 1;
	if (!state->active)
		return 0;
	binding = bound(state->book & 1, domain);
	if (!binding)
		return 1;
	enforcement.profile = profiled(state->book & 1, binding->profile);
	if (!enforcement.profile)
		return 1;
	bpf_loop(64, is_enforced, &enforcement, 0);
	return enforcement.enforced;
}

/* What a request is answered that found no slot: -EAGAIN where any of the operations is enforced, else 0. */
static __noinline int crowded(__u32 domain, __u32 family, __u64 asked)
{
	return enforces(family, asked, domain) ? -EAGAIN : 0;
}

#endif
