/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Where a program goes whose execution has been decided on: what its entry prefers, else transition control. */
#ifndef SEKISHO_TRANSITION_H
#define SEKISHO_TRANSITION_H

#include "domain.h"

static __always_inline __u32 control_at(__u32 book, __u32 root, __u32 program, __u32 domain)
{
	struct control_key key = { .book = book, .root = root, .program = program, .domain = domain };
	__u32 *bits = bpf_map_lookup_elem(&controls, &key);

	return bits ? *bits : 0;
}

/* Which of the directives decides where the program goes from the domain: CONTROL_..., 0 for a child of the domain. */
__noinline __u32 control_of(__u32 book, __u32 domain, __u32 program)
{
	struct domain *record = domain_at(domain);
	struct namespace_key key = { .book = book };
	struct namespace_value *space;
	__u32 root, bits;

	if (!record)
		return 0;
	key.root = root = record->root;
	space = bpf_map_lookup_elem(&namespaces, &key);
	if (!space || !space->controls)
		return 0;
	bits = control_at(book, root, 0, 0) | control_at(book, root, 0, domain);
	if (program)
		bits |= control_at(book, root, program, 0) | control_at(book, root, program, domain);
	/* A namespace's name is no last word. */
	if (record->parent) {
		bits |= control_at(book, root, 0, CONTROL_LAST | record->word);
		if (program)
			bits |= control_at(book, root, program, CONTROL_LAST | record->word);
	}
	if ((bits & (CONTROL_NO_RESET | CONTROL_RESET)) == CONTROL_RESET)
		return CONTROL_RESET;
	if ((bits & (CONTROL_NO_INITIALIZE | CONTROL_INITIALIZE)) == CONTROL_INITIALIZE)
		return CONTROL_INITIALIZE;
	if ((bits & (CONTROL_NO_KEEP | CONTROL_KEEP)) == CONTROL_KEEP)
		return CONTROL_KEEP;
	return 0;
}

static __always_inline __u32 preferred(__u32 slot, struct scratch *scratch, struct domain *record, __u32 word)
{
	__u32 domain = scratch->domain;

	switch (scratch->preference) {
	case PREFER_KEEP:
		return domain;
	case PREFER_CHILD:
		return below(slot, domain, word, domain);
	case PREFER_INITIALIZE:
		return below(slot, record->root, word, domain);
	case PREFER_RESET:
		return below(slot, 0, word, domain);
	case PREFER_PARENT:
		return usable(slot, record->parent ? record->parent : domain, domain);
	case PREFER_DOMAIN:
		return usable(slot, scratch->target_id, domain);
	case PREFER_PATH:
		return below(slot, domain, scratch->target_id, domain);
	}
	return 0;
}

static __always_inline bool enforced(__u32 book, __u32 domain, __u32 operation)
{
	struct binding *binding = bound(book, domain);
	struct profile *profile = binding ? profiled(book, binding->profile) : NULL;

	return profile && operation < OPERATIONS_ROOM && (profile->config[operation] & CONFIG_MODE) == CONFIG_MODE;
}

/* The program stays in the domain since its own can't be had. This is told once. */
static __noinline void transition_failed(__u32 slot, __u32 domain)
{
	struct domain *record = domain_at(domain);

	if (record && !(__sync_fetch_and_or(&record->flags, DOMAIN_TRANSITION_FAILED) & DOMAIN_TRANSITION_FAILED))
		tell_domain(slot, EVENT_FAILED, domain, 0, 0);
}

/*
 * The domain in which the program runs whose execution the slot's request was about; it exists. 0: it can't be had and
 * execution fails with ENOMEM.
 */
__noinline __u32 destination(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);
	struct domain *record;
	__u32 domain, word, to, control;

	if (!scratch)
		return 0;
	domain = scratch->domain;
	record = domain_at(domain);
	if (!record)
		return 0;
	word = scratch->candidate;
	if (scratch->preference != PREFER_NONE)
		return preferred(slot, scratch, record, word);
	control = control_of(scratch->book, domain, word ? word : name_id(slot, TEXT_FIRST));
	if (control == CONTROL_KEEP)
		return domain;
	if (control == CONTROL_RESET)
		return below(slot, 0, word, domain);
	to = below(slot, control == CONTROL_INITIALIZE ? record->root : domain, word, domain);
	if (to || enforced(scratch->book, domain, OP_FILE_EXECUTE))
		return to;
	transition_failed(slot, domain);
	return domain;
}

#endif
