/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The access control rule: the first entry, in the order of policy, that fits the request and whose conditions hold
 * grants. A list of entries says at one lookup what it grants plainly, and which rules are to be asked otherwise.
 */
#ifndef SEKISHO_DECIDE_H
#define SEKISHO_DECIDE_H

#include "chain.h"

/* Name operations whose wholly literal entries stand in pairs: their second operand is a name, or their only number. */
#define PAIRED_NAMES (BIT(BIT_FILE_LINK) | BIT(BIT_FILE_RENAME) | BIT(BIT_FILE_PIVOT_ROOT))
#define PAIRED_NUMBERS (BIT(BIT_FILE_CREATE) | BIT(BIT_FILE_MKDIR) | BIT(BIT_FILE_MKFIFO) | BIT(BIT_FILE_MKSOCK) | \
			BIT(BIT_FILE_IOCTL) | BIT(BIT_FILE_CHMOD) | BIT(BIT_FILE_CHOWN) | BIT(BIT_FILE_CHGRP))

/* Pairs: the entries that are two literal names, or a literal name and a number. */
static __always_inline void ask_pairs(struct scratch *scratch, __u32 slot, __u32 list)
{
	__u64 wanted = ungranted(scratch) & (PAIRED_NAMES | PAIRED_NUMBERS);
	struct pair_key key = { .list = list, .first = name_id(slot, TEXT_FIRST) };

	if (!key.first)
		return;
	key.operation = lowest(wanted);
	key.second = wanted & PAIRED_NAMES ? name_id(slot, TEXT_SECOND) : scratch->numbers[0];
	if (bpf_map_lookup_elem(&pairs, &key))
		scratch->granted |= wanted & -wanted;
}

/* What a list says of a request that a name leads. */
static __always_inline int ask_name(struct scratch *scratch, __u32 slot, struct list *list, __u32 id)
{
	struct found_key key = { .list = id };
	struct found *record = NULL;
	__u32 place, length, accept;

	if (!(ungranted(scratch) & list->names))
		return 0;
	place = leading(scratch);
	key.operand = name_id(slot, place);
	if (key.operand)
		record = bpf_map_lookup_elem(&found, &key);
	if (!record && list->automaton) {
		length = place == TEXT_FIRST ? scratch->first.length : scratch->second.length;
		accept = accepted(slot, place, length, list->automaton);
		if (accept) {
			key.operand = FOUND_ACCEPT | accept;
			record = bpf_map_lookup_elem(&found, &key);
			if (!record)
				return -EAGAIN;
		}
	}
	if (record)
		scratch->granted |= record->plain & scratch->asked;
	/* Only of the list that is asked first: what another grants one of its special entries may grant before. */
	if (record && id == scratch->working.own)
		scratch->plain = record->plain;
	if (list->flags & LIST_EXECUTES && scratch->asked & BIT(BIT_FILE_EXECUTE))
		scratch->candidate = record ? record->last : 0;
	if (ungranted(scratch) & (PAIRED_NAMES | PAIRED_NUMBERS))
		ask_pairs(scratch, slot, id);
	if (!record || !record->count || !ungranted(scratch))
		return 0;
	return chain(scratch, id, record->chain, record->count, 0);
}

/* -1, 0 or 1 as the first address is before, at or after the other. Network byte order. */
static __always_inline int compare(const __u8 *one, const __u8 *other)
{
#pragma unroll
	for (int half = 0; half < 2; half++) {
		__u64 left = __builtin_bswap64(((const __u64 *)one)[half]);
		__u64 right = __builtin_bswap64(((const __u64 *)other)[half]);

		if (left != right)
			return left < right ? -1 : 1;
	}
	return 0;
}

static long halve_intervals(__u64 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct working *working = &scratch->working;
	__u32 middle = working->begin + (working->end - working->begin) / 2;
	struct place_key key = { .list = working->list, .place = middle };
	struct interval *interval;

	if (working->begin >= working->end)
		return 1;
	interval = bpf_map_lookup_elem(&intervals, &key);
	if (!interval) {
		working->broken = 1;
		return 1;
	}
	if (interval->version < scratch->version ||
	    (interval->version == scratch->version && compare(interval->high, scratch->address) < 0)) {
		working->begin = middle + 1;
		return 0;
	}
	if (interval->version > scratch->version || compare(scratch->address, interval->low) < 0) {
		working->end = middle;
		return 0;
	}
	chain(scratch, working->list, interval->chain, interval->count, 0);
	working->found = 1;
	return 1;
}

/* What a list says of a request about an address and a port. */
static __always_inline int ask_address(struct scratch *scratch, struct list *list, __u32 id)
{
	struct endpoint_key key = { .list = id };
	struct working *working;

	if (!(ungranted(scratch) & list->inet))
		return 0;
	key.operation = lowest(ungranted(scratch));
	key.port = scratch->port;
	key.version = scratch->version;
	__builtin_memcpy(key.address, scratch->address, sizeof(key.address));
	if (bpf_map_lookup_elem(&endpoints, &key))
		scratch->granted |= BIT(key.operation);
	if (!ungranted(scratch) || !list->interval_count)
		return 0;
	working = &scratch->working;
	working->list = id;
	working->begin = list->intervals;
	working->end = list->intervals + list->interval_count;
	working->broken = 0;
	working->found = 0;
	bpf_loop(32, halve_intervals, &scratch, 0);
	if (working->broken)
		return -EAGAIN;
	return working->found ? CHAIN : 0;
}

/* What a list says of any other request. */
static __always_inline int ask_other(struct scratch *scratch, struct list *list, __u32 id)
{
	if (scratch->family == FAMILY_DOMAIN) {
		if (!(ungranted(scratch) & list->domains))
			return 0;
		return chain(scratch, id, 0, 0, scratch->target);
	}
	if (scratch->family == FAMILY_STANDING)
		return chain(scratch, id, list->standing_chain, list->standing_count, 0);
	scratch->granted |= list->capabilities & scratch->asked;
	if (!ungranted(scratch) || !list->capability_count)
		return 0;
	return chain(scratch, id, list->capability_chain, list->capability_count, 0);
}

/* What a list says at once: 0, CHAIN if the rest is for pursue(), or -EAGAIN if it isn't all there. */
__noinline int ask_at_once(__u32 slot, __u32 id)
{
	struct list *list = bpf_map_lookup_elem(&lists, &id);
	struct scratch *scratch = slot_of(slot);

	if (!scratch || !list)
		return -EAGAIN;
	if (scratch->family == FAMILY_NAME)
		return ask_name(scratch, slot, list, id);
	return scratch->family == FAMILY_INET ? ask_address(scratch, list, id) : ask_other(scratch, list, id);
}

/* What a list says: 0, or -EAGAIN if it isn't all there. list 0 is none. */
static __always_inline int ask_list(struct scratch *scratch, __u32 slot, __u32 list)
{
	int next;

	if (!list || !ungranted(scratch))
		return 0;
	next = ask_at_once(slot, list);
	return next == CHAIN ? pursue(slot) : next;
}

#endif
