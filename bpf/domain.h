/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Domains that executions and transitions lead to. One that isn't there yet is made here at once, with what the domain
 * has that the task comes from: nobody in user space is waited for.
 */
#ifndef SEKISHO_DOMAIN_H
#define SEKISHO_DOMAIN_H

#include "task.h"
#include "text.h"
#include "automaton.h"

#define DOMAIN_NAME 4086	/* a domain's name is shorter */
#define PREFIX 64		/* before the first slash a file system's name stands, never so long */
#define NUMBERS_BY_KERNEL (1u << 24)
#define MOMENT 4096		/* how often one looks whether another processor is done */

static __always_inline struct domain *domain_at(__u32 domain)
{
	return bpf_map_lookup_elem(&domains, &domain);
}

static __always_inline __u32 *child_of(__u32 parent, __u32 word)
{
	struct child_key key = { .parent = parent, .word = word };

	return bpf_map_lookup_elem(&children, &key);
}

#define ADD_NAME(size, name, value) bpf_map_update_elem(&names_##size, name, value, BPF_NOEXIST)

static __always_inline long add_name(struct name *name, struct name_value *value)
{
	__u32 length = name->length;

	if (length <= 32 - NAME_HEAD)
		return ADD_NAME(32, name, value);
	if (length <= 64 - NAME_HEAD)
		return ADD_NAME(64, name, value);
	if (length <= 128 - NAME_HEAD)
		return ADD_NAME(128, name, value);
	if (length <= 256 - NAME_HEAD)
		return ADD_NAME(256, name, value);
	if (length <= 1024 - NAME_HEAD)
		return ADD_NAME(1024, name, value);
	return ADD_NAME(4096, name, value);
}

/* The id of the slot's first name, which has one afterwards; 0 if that can't be. */
__noinline __u32 named(__u32 slot)
{
	struct name_value fresh = {}, *value;
	struct scratch *scratch = slot_of(slot);
	struct counts *all = counted();
	__u32 id = name_id(slot, TEXT_FIRST);

	if (id || !scratch || !all || scratch->first.length > NAME_BYTES)
		return id;
	fresh.id = __sync_fetch_and_add(&all->next_name, 1) | KERNEL_MADE;
	fresh.units = encoded_length(slot, TEXT_FIRST, scratch->first.length);
	add_name(&scratch->first, &fresh);
	/* Somebody may have been faster. */
	value = name_value_of(&scratch->first, false);
	id = value ? value->id : 0;
	scratch->first_id = id;
	return id;
}

/* Characters of the word in a domain's name; 0 where that isn't known. */
__noinline __u32 word_units(__u32 slot, __u32 word)
{
	struct scratch *scratch = slot_of(slot);
	struct name_value *value;
	__u32 *units;

	if (!scratch)
		return 0;
	if (word == scratch->first_id) {
		value = name_value_of(&scratch->first, false);
		return value ? value->units : 0;
	}
	units = bpf_map_lookup_elem(&words, &word);
	return units ? *units : 0;
}

/* Whether a domain can be named after the slot's first name: it has a slash, and no dot before the first. */
__noinline int is_path(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);

	if (!scratch)
		return 0;
	for (int i = 0; i < PREFIX; i++) {
		if (i >= scratch->first.length || scratch->first.bytes[i] == '.')
			return 0;
		if (scratch->first.bytes[i] == '/')
			return 1;
	}
	return 0;
}

static __always_inline void copy_bindings(__u32 to, __u32 from)
{
	struct binding *source, copy = {};

	source = bpf_map_lookup_elem(&bindings_0, &from);
	if (source) {
		copy.shared = source->shared;
		copy.profile = source->profile;
		bpf_map_update_elem(&bindings_0, &to, &copy, BPF_ANY);
	}
	source = bpf_map_lookup_elem(&bindings_1, &from);
	if (source) {
		copy.shared = source->shared;
		copy.profile = source->profile;
		bpf_map_update_elem(&bindings_1, &to, &copy, BPF_ANY);
	}
}

/* Who brings a domain about, for the event in the slot: a function of its own, or the callers' stacks grow too large. */
__noinline int gather_teller(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);

	if (scratch)
		gather_task(&scratch->event.facts, scratch);
	return 0;
}

/* User space is told of a domain; its last word goes along where that is the slot's first name. */
static __always_inline void tell_domain(__u32 slot, __u8 kind, __u32 domain, __u32 word, __u32 other)
{
	struct scratch *scratch = slot_of(slot);
	struct counts *all = counted();
	__u32 length = 0;
	__u64 who;

	if (!scratch)
		return;
	who = bpf_get_current_pid_tgid();
	if (word && word == scratch->first_id)
		length = scratch->first.length;
	if (length > NAME_BYTES)
		length = 0;
	__builtin_memset(&scratch->event, 0, sizeof(scratch->event));
	scratch->event.size = sizeof(scratch->event) + length;
	scratch->event.kind = kind;
	scratch->event.domain = domain;
	scratch->event.other = other;
	scratch->event.time = bpf_ktime_get_boot_ns();
	scratch->event.pid = who >> 32;
	scratch->event.thread = (__u32)who;
	scratch->event.numbers[0] = word;
	scratch->event.lengths[0] = length;
	gather_teller(slot);
	bpf_probe_read_kernel(scratch->texts, length & 4095, scratch->first.bytes);
	if (!all)
		return;
	if (bpf_ringbuf_output(&events, &scratch->event, sizeof(scratch->event) + (length & 4095), 0))
		__sync_fetch_and_add(&all->lost, 1);
	else
		__sync_fetch_and_add(&all->events, 1);
}

static long until_it_exists(__u32 turn, void *context)
{
	struct domain *record = *(struct domain **)context;

	return !!(*(volatile __u32 *)&record->flags & DOMAIN_EXISTS);
}

/*
 * The domain, if a task may move to it from another: it exists and its profile is there, or it is made now, with the
 * profile and the groups of the other. 0: it can't be had.
 */
__noinline __u32 usable(__u32 slot, __u32 domain, __u32 from)
{
	struct scratch *scratch = slot_of(slot);
	struct domain *record = domain_at(domain), *creator = domain_at(from);
	struct binding *binding;
	struct profile *profile;

	if (!scratch || !record || !creator)
		return 0;
	if (!(record->flags & DOMAIN_EXISTS)) {
		/* Other namespaces may mean something else by the same numbers of profiles and groups. */
		if (record->root != creator->root || record->length >= DOMAIN_NAME)
			return 0;
		if (!(__sync_fetch_and_or(&record->flags, DOMAIN_MAKING) & DOMAIN_MAKING)) {
			copy_bindings(domain, from);
			record->creator = from;
			__sync_fetch_and_or(&record->flags, DOMAIN_EXISTS);
			__sync_fetch_and_and(&record->flags, ~DOMAIN_MAKING);
			tell_domain(slot, EVENT_DOMAIN, domain, record->word, record->parent);
			return domain;
		}
		bpf_loop(MOMENT, until_it_exists, &record, 0);
		if (!(*(volatile __u32 *)&record->flags & DOMAIN_EXISTS))
			return 0;
	}
	binding = bound(scratch->book, domain);
	profile = binding ? profiled(scratch->book, binding->profile) : NULL;
	return profile && profile->defined ? domain : 0;
}

/*
 * A new domain below parent, which a program executed in from is named after; 0 if there can't be one. A name is given
 * an id only where a domain's number has been had for it, so that names don't grow without end when domains can't.
 */
static __always_inline __u32 make_domain(__u32 slot, __u32 parent, __u32 word, __u32 from)
{
	struct domain *above = domain_at(parent), *creator = domain_at(from), fresh = {}, *record;
	struct child_key key = { .parent = parent };
	struct scratch *scratch = slot_of(slot);
	struct counts *all = counted();
	__u32 *found, number, id, units;

	if (!scratch || !above || !creator || !all || above->root != creator->root)
		return 0;
	units = word ? word_units(slot, word) : encoded_length(slot, TEXT_FIRST, scratch->first.length);
	if (!units || units >= DOMAIN_NAME || above->length + 1 + units >= DOMAIN_NAME)
		return 0;
	number = __sync_fetch_and_add(&all->next_domain, 1);
	id = DOMAINS_BY_KERNEL + number;
	record = number < NUMBERS_BY_KERNEL ? domain_at(id) : NULL;
	if (!record) {
		/* They are used up; the count doesn't grow until it begins anew. */
		__sync_fetch_and_sub(&all->next_domain, 1);
		return 0;
	}
	fresh.word = word ? word : named(slot);
	if (!fresh.word)
		return 0;
	fresh.parent = parent;
	fresh.root = above->root;
	fresh.length = above->length + 1 + units;
	fresh.creator = from;
	fresh.flags = DOMAIN_EXISTS;
	copy_bindings(id, from);
	bpf_map_update_elem(&domains, &id, &fresh, BPF_ANY);
	key.word = fresh.word;
	if (!bpf_map_update_elem(&children, &key, &id, BPF_NOEXIST)) {
		tell_domain(slot, EVENT_DOMAIN, id, fresh.word, parent);
		return id;
	}
	/* Another was faster, or there is no room; nobody has heard of ours. */
	fresh.flags = 0;
	bpf_map_update_elem(&domains, &id, &fresh, BPF_ANY);
	__sync_val_compare_and_swap(&all->next_domain, number + 1, number);
	found = child_of(parent, key.word);
	return found ? usable(slot, *found, from) : 0;
}

/*
 * The domain below parent (0: the namespace) that is named after word (0: the slot's first name), for a task that comes
 * from another domain; 0 if it can't be had.
 */
__noinline __u32 below(__u32 slot, __u32 parent, __u32 word, __u32 from)
{
	__u32 *found;

	if (!word) {
		if (!is_path(slot))
			return 0;
		word = name_id(slot, TEXT_FIRST);
	}
	found = word ? child_of(parent, word) : NULL;
	if (found)
		return usable(slot, *found, from);
	return parent ? make_domain(slot, parent, word, from) : 0;
}

#endif
