/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The access control rule: the first entry, in the order of policy, that fits the request and whose conditions hold
 * grants. A list of entries says at one lookup what it grants plainly, and which rules are to be asked otherwise.
 */
#ifndef SEKISHO_DECIDE_H
#define SEKISHO_DECIDE_H

#include "automaton.h"
#include "clauses.h"

#define BIT(number) (1ull << (number))

/* Name operations whose wholly literal entries stand in pairs: their second operand is a name, or their only number. */
#define PAIRED_NAMES (BIT(BIT_FILE_LINK) | BIT(BIT_FILE_RENAME) | BIT(BIT_FILE_PIVOT_ROOT))
#define PAIRED_NUMBERS (BIT(BIT_FILE_CREATE) | BIT(BIT_FILE_MKDIR) | BIT(BIT_FILE_MKFIFO) | BIT(BIT_FILE_MKSOCK) | \
			BIT(BIT_FILE_IOCTL) | BIT(BIT_FILE_CHMOD) | BIT(BIT_FILE_CHOWN) | BIT(BIT_FILE_CHGRP))
/* Operations on a domain that an entry on any domain above it is about, too. */
#define LINEAGE (BIT(BIT_TASK_MANUAL_DOMAIN_TRANSITION) - 1)
#define CHAIN 1	/* what a list says depends on a chain of rules, which is for pursue() */
#define MOST_STEPS (1u << 22)

/* The number of the lowest bit set; mask isn't 0. */
static __always_inline __u32 lowest(__u64 mask)
{
	__u64 below = (mask & -mask) - 1;

	below -= below >> 1 & 0x5555555555555555ull;
	below = (below & 0x3333333333333333ull) + (below >> 2 & 0x3333333333333333ull);
	below = (below + (below >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return below * 0x0101010101010101ull >> 56;
}

static __always_inline __u64 ungranted(struct scratch *scratch)
{
	return scratch->asked & ~scratch->granted;
}

/* Which of the slot's texts the request's leading name is: a mount is looked up by where it is mounted. */
static __always_inline __u32 leading(struct scratch *scratch)
{
	return scratch->asked & BIT(BIT_FILE_MOUNT) ? TEXT_SECOND : TEXT_FIRST;
}

/* The value of the numeric operand at that place of the grammar. */
static __always_inline __u64 operand_number(struct scratch *scratch, __u32 operand)
{
	__u32 names;

	if (scratch->family == FAMILY_INET)
		return scratch->port;
	if (scratch->family == FAMILY_DOMAIN)
		return scratch->numbers[0];
	names = scratch->asked & BIT(BIT_FILE_MOUNT) ? 3 : 1;
	operand -= names;
	return operand < 3 ? scratch->numbers[operand] : 0;
}

static __always_inline bool name_test_holds(__u32 slot, struct scratch *scratch, struct test *test)
{
	__u32 length;

	if (test->kind == TEST_NAME)
		return test->operand < 2 && test->place && name_id(slot, test->operand) == test->place;
	if (test->operand == 0)
		length = scratch->first.length;
	else if (test->operand == 1)
		length = scratch->second.length;
	else
		length = scratch->third.length;
	return accepted(slot, test->operand, length, test->place);
}

static __always_inline bool test_holds(__u32 slot, struct scratch *scratch, __u32 list, struct test *test)
{
	__u64 number;

	if (test->kind == TEST_NONE)
		return true;
	if (test->kind == TEST_NAME || test->kind == TEST_AUTOMATON)
		return name_test_holds(slot, scratch, test);
	number = operand_number(scratch, test->operand);
	if (test->kind == TEST_NUMBER)
		return test->low <= number && number <= test->high;
	return test->kind == TEST_RANGES && in_ranges(scratch, list, test->place, test->count, number);
}

/* Whether the operands of the request are those of the rule at place. */
__noinline int rule_fits(__u32 slot, __u32 list, __u32 place)
{
	struct place_key key = { .list = list, .place = place };
	struct scratch *scratch = slot_of(slot);
	struct rule *rule = bpf_map_lookup_elem(&rules, &key);

	if (!scratch || !rule)
		return 0;
	if (!(rule->flags & RULE_IGNORE_FIRST && scratch->ignore_first) &&
	    !test_holds(slot, scratch, list, &rule->tests[0]))
		return 0;
	return test_holds(slot, scratch, list, &rule->tests[1]) && test_holds(slot, scratch, list, &rule->tests[2]);
}

/* What the rule at place says holds: it grants all of the request that it is about and that nothing else granted. */
__noinline int grant(__u32 slot, __u32 list, __u32 place)
{
	struct place_key key = { .list = list, .place = place };
	struct scratch *scratch = slot_of(slot);
	struct rule *rule = bpf_map_lookup_elem(&rules, &key);
	__u64 bits;

	if (!scratch || !rule)
		return 0;
	bits = rule->operations & ungranted(scratch);
	scratch->granted |= bits;
	if (rule->flags & RULE_LOG)
		scratch->logged |= bits;
	if (rule->flags & RULE_NO_LOG)
		scratch->unlogged |= bits;
	if (!scratch->list || (bits & -bits) < scratch->source) {
		scratch->source = bits & -bits;
		scratch->list = list;
		scratch->entry = rule->entry;
		scratch->candidate = rule->candidate;
		scratch->preference = rule->preference;
		scratch->target_id = rule->target;
	}
	if (rule->flags & (RULE_MOVE_CHILD | RULE_MOVE_DOMAIN) && bits > scratch->moving) {
		scratch->moving = bits;
		scratch->move = rule->move;
		scratch->move_kind = rule->flags & (RULE_MOVE_CHILD | RULE_MOVE_DOMAIN);
	}
	return 0;
}

/* A rule has been found that grants. With several chains to go through it is so only if none of the others has an earlier. */
static __always_inline void hold(struct scratch *scratch, struct pursuit *pursuit)
{
	if (scratch->family != FAMILY_DOMAIN) {
		grant(pursuit->slot, pursuit->list, pursuit->place - 1);
		return;
	}
	if (!pursuit->best || pursuit->asked < pursuit->entry) {
		pursuit->best = pursuit->place;
		pursuit->entry = pursuit->asked;
	}
	pursuit->left = 0;
}

/* On to what the list has on the next domain of the target's lineage. */
static __always_inline long ask_domain(struct scratch *scratch, struct pursuit *pursuit)
{
	__u32 target = pursuit->domain;
	struct found_key key = { .list = pursuit->list, .operand = FOUND_DOMAIN | target };
	struct found *record = bpf_map_lookup_elem(&found, &key);
	struct domain *domain = bpf_map_lookup_elem(&domains, &target);
	__u64 wanted = ungranted(scratch);

	pursuit->domain = domain && wanted & LINEAGE ? domain->parent : 0;
	if (!record)
		return 0;
	if (record->plain & wanted) {
		/* No special entry on any domain stands before it. */
		scratch->granted |= record->plain & wanted;
		pursuit->best = 0;
		return !(wanted & ~record->plain);
	}
	pursuit->place = record->chain;
	pursuit->left = record->count;
	return 0;
}

static __always_inline long ask_clause(struct scratch *scratch, struct pursuit *pursuit)
{
	struct place_key key = { .list = pursuit->list, .place = pursuit->clause };
	struct clause *clause = bpf_map_lookup_elem(&clauses, &key);
	int holds;

	if (!clause) {
		pursuit->broken = 1;
		return 1;
	}
	holds = is_on_text(clause->kind) ? text_clause_holds(pursuit->slot, pursuit->list, pursuit->clause) :
					   number_clause_holds(pursuit->slot, pursuit->list, pursuit->clause);
	pursuit->clause++;
	pursuit->clauses = holds ? pursuit->clauses - 1 : 0;
	if (holds && !pursuit->clauses)
		hold(scratch, pursuit);
	return 0;
}

static __always_inline long ask_rule(struct scratch *scratch, struct pursuit *pursuit)
{
	struct place_key key = { .list = pursuit->list, .place = pursuit->place };
	struct rule *rule = bpf_map_lookup_elem(&rules, &key);

	if (!rule) {
		pursuit->broken = 1;
		return 1;
	}
	pursuit->place++;
	pursuit->left--;
	if (pursuit->best && rule->entry > pursuit->entry) {
		pursuit->left = 0;
		return 0;
	}
	if (!(rule->operations & ungranted(scratch)))
		return 0;
	if (rule->tests[0].kind != TEST_NONE && !rule_fits(pursuit->slot, pursuit->list, key.place))
		return 0;
	pursuit->asked = rule->entry;
	if (!rule->clause_count) {
		hold(scratch, pursuit);
		return 0;
	}
	gather(pursuit->slot);
	pursuit->clause = rule->clauses;
	pursuit->clauses = rule->clause_count;
	return 0;
}

static long ask_next(__u64 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct pursuit *pursuit = &scratch->working.pursuit;

	if (!ungranted(scratch))
		return 1;
	if (pursuit->clauses)
		return ask_clause(scratch, pursuit);
	if (pursuit->left)
		return ask_rule(scratch, pursuit);
	if (pursuit->domain)
		return ask_domain(scratch, pursuit);
	pursuit->done = 1;
	return 1;
}

/* What pursue() is to go through. */
static __always_inline int chain(struct scratch *scratch, __u32 list, __u32 place, __u32 count, __u32 domain)
{
	struct pursuit *pursuit = &scratch->working.pursuit;

	pursuit->list = list;
	pursuit->place = place;
	pursuit->left = count;
	pursuit->domain = domain;
	return CHAIN;
}

/* A chain is gone through until nothing of the request is left: 0, or -EAGAIN if it isn't all there. */
__noinline int pursue(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);
	struct pursuit *pursuit;

	if (!scratch)
		return -EAGAIN;
	pursuit = &scratch->working.pursuit;
	pursuit->slot = slot;
	pursuit->clauses = 0;
	pursuit->best = 0;
	pursuit->broken = 0;
	pursuit->done = 0;
	bpf_loop(MOST_STEPS, ask_next, &scratch, 0);
	if (pursuit->best)
		grant(slot, pursuit->list, pursuit->best - 1);
	return pursuit->broken || (!pursuit->done && ungranted(scratch)) ? -EAGAIN : 0;
}

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
