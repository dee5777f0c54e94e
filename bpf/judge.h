/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* From a request to a verdict: decide, report. */
#ifndef SEKISHO_JUDGE_H
#define SEKISHO_JUDGE_H

#include "decide.h"
#include "moves.h"
#include "settle.h"

#define MOST_ATTEMPTS 3	/* so often policy is asked again that was replaced meanwhile */

/* A program's answer: the verifier of newer kernels wants to see that it is 0 or a negative errno. */
static __always_inline int verdict(int error)
{
	/* The compiler sees what judge() returns and would leave the rest out; the verifier doesn't. */
	barrier_var(error);
	return error > 0 || error < -4095 ? -EPERM : error;
}

/* A slot with an empty request in it: NO_SLOT if there is none, then answer crowded(). Names are filled in by names.h. */
static __always_inline __u32 begin(__u32 family, __u64 asked, __u32 domain)
{
	__u32 slot = claim();
	struct scratch *scratch;

	if (slot == NO_SLOT)
		return NO_SLOT;
	scratch = slot_of(slot);
	if (!scratch) {
		release(slot);
		return NO_SLOT;
	}
	__builtin_memset(scratch, 0, __builtin_offsetof(struct scratch, working));
	scratch->working.aside = 0;
	scratch->working.question = 0;
	scratch->facts.have = 0;
	scratch->first.length = 0;
	scratch->first.space = SPACE_NAME;
	scratch->first.zero = 0;
	scratch->second.length = 0;
	scratch->second.space = SPACE_NAME;
	scratch->second.zero = 0;
	scratch->third.length = 0;
	scratch->domain = domain;
	scratch->family = family;
	scratch->asked = asked;
	return slot;
}

/* What the request is about to be decided by. */
static __always_inline struct binding *begin_decision(struct scratch *scratch, struct state *state)
{
	__u32 book = *(volatile __u32 *)&state->book & 1;
	struct binding *binding = bound(book, scratch->domain);

	scratch->book = book;
	scratch->working.sequence = *(volatile __u32 *)&state->sequence[book];
	if (binding) {
		scratch->working.own = *(volatile __u32 *)&binding->list;
		scratch->working.shared = *(volatile __u32 *)&binding->shared;
	}
	scratch->granted = scratch->plain = scratch->logged = scratch->unlogged = scratch->moving = 0;
	scratch->list = scratch->entry = 0;
	scratch->candidate = scratch->target_id = scratch->preference = 0;
	scratch->move = scratch->move_kind = 0;
	return binding;
}

/* Whether what the request has been decided by still holds. */
static __always_inline bool is_settled(struct scratch *scratch, struct state *state, struct binding *binding)
{
	struct working *working = &scratch->working;
	__u32 book = scratch->book & 1;

	return book == (*(volatile __u32 *)&state->book & 1) &&
	       working->sequence == *(volatile __u32 *)&state->sequence[book] &&
	       working->own == *(volatile __u32 *)&binding->list &&
	       working->shared == *(volatile __u32 *)&binding->shared;
}

/* The request gives way to the search for the domain's task auto_domain_transition. */
static __always_inline void step_aside(struct scratch *scratch)
{
	scratch->working.aside = 1;
	scratch->working.family = scratch->family;
	scratch->working.operations = scratch->asked;
	scratch->family = FAMILY_STANDING;
	scratch->asked = BIT(BIT_TASK_AUTO_DOMAIN_TRANSITION);
}

static __always_inline void step_back(struct scratch *scratch)
{
	scratch->working.aside = 0;
	scratch->family = scratch->working.family;
	scratch->asked = scratch->working.operations;
}

/* Whether anything stands by in the lists of the request's domain, and the request isn't after that itself. */
static __always_inline bool stands_by(struct scratch *scratch, struct state *state)
{
	struct binding *binding = bound(state->book & 1, scratch->domain);

	return binding && (binding->list | binding->shared) & LIST_STANDING && scratch->family != FAMILY_STANDING &&
	       !scratch->stood_by;
}

static __always_inline void inconsistent(void)
{
	struct counts *counts = counted();

	if (counts)
		__sync_fetch_and_add(&counts->inconsistent, 1);
}

/*
 * The request decided by the policy that holds, and before it the search for a move if there is to be one. A list may be
 * replaced, and taken away, while it is being asked: what it then doesn't grant is asked for again. -EAGAIN: policy
 * isn't all there, or changes all the time; -EPERM: the task is killed.
 */
static __always_inline int decide_request(struct scratch *scratch, __u32 slot, struct state *state)
{
#pragma nounroll
	for (__u64 attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
		struct binding *binding = begin_decision(scratch, state);
		int error;

		if (!binding)
			return -EAGAIN;
		error = ask_list(scratch, slot, scratch->working.own);
		error = error ? error : ask_list(scratch, slot, scratch->working.shared);
		if ((error || ungranted(scratch)) && !is_settled(scratch, state, binding))
			continue;
		if (error || !scratch->working.aside)
			return error;
		step_back(scratch);
		if (scratch->granted && move(slot, RULE_MOVE_DOMAIN, scratch->target_id))
			return -EPERM;
	}
	return -EAGAIN;
}

/*
 * The verdict on the request in the slot: 0, or a negative errno. What is to be told to user space has been sent, and
 * the task has moved if it has to. Operations with more than one operand are asked for one at a time. Those that stand
 * by are only looked for: what was found is in the slot, and -EAGAIN says that it couldn't be looked for.
 */
__noinline int judge(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);
	struct state *state = the_state();
	int error;

	if (!scratch || !state)
		return -EPERM;
	if (!state->active)
		return 0;
	if (stands_by(scratch, state)) {
		gather(slot);	/* while it is clear what the request is */
		step_aside(scratch);
	}
	error = decide_request(scratch, slot, state);
	if (error == -EPERM)
		return error;
	if (error)
		inconsistent();
	if (scratch->working.aside)
		step_back(scratch);
	if (scratch->family == FAMILY_STANDING)
		return error;
	error = settle_all(slot, EVENT_REQUEST);
	if (error > 0)
		error = put_question(slot, scratch->working.enforced);
	return error || !scratch->move_kind ? error : move(slot, scratch->move_kind, scratch->move);
}

/* The verdict on a request whose name can't be built (error: a negative errno): told, and refused where enforced. */
__noinline int judge_unnameable(__u32 slot, int error)
{
	struct scratch *scratch = slot_of(slot);
	struct state *state = the_state();
	struct counts *counts = counted();

	if (!scratch || !state)
		return -EPERM;
	if (!state->active)
		return 0;
	if (counts)
		__sync_fetch_and_add(&counts->unnameable, 1);
	scratch->granted = 0;
	scratch->book = state->book & 1;
	return settle_all(slot, EVENT_UNNAMEABLE) ? verdict(error < 0 ? error : -EPERM) : 0;
}

#endif
