/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Chains of rules: gone through in the order of policy until nothing of the request is left to be granted. */
#ifndef SEKISHO_CHAIN_H
#define SEKISHO_CHAIN_H

#include "automaton.h"
#include "clauses.h"

#define BIT(number) (1ull << (number))

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

/* What the rule says holds: it grants all of the request that it is about and that nothing else granted. */
static __always_inline void grant_by(struct scratch *scratch, __u32 list, struct rule *rule)
{
	__u64 bits = rule->operations & ungranted(scratch);

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
}

/* The same of the rule at place. */
__noinline int grant(__u32 slot, __u32 list, __u32 place)
{
	struct place_key key = { .list = list, .place = place };
	struct scratch *scratch = slot_of(slot);
	struct rule *rule = bpf_map_lookup_elem(&rules, &key);

	if (scratch && rule)
		grant_by(scratch, list, rule);
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

/* Most rules that aren't plain have one number more, a mode or a port: rules are looked up but once for that. */
static __always_inline bool is_number(struct rule *rule)
{
	return rule->tests[0].kind == TEST_NUMBER && rule->tests[1].kind == TEST_NONE && !(rule->flags & RULE_IGNORE_FIRST);
}

static __always_inline bool number_fits(struct scratch *scratch, struct rule *rule)
{
	__u64 number = operand_number(scratch, rule->tests[0].operand);

	return rule->tests[0].low <= number && number <= rule->tests[0].high;
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
	if (rule->tests[0].kind != TEST_NONE && !(is_number(rule) ? number_fits(scratch, rule) :
						  rule_fits(pursuit->slot, pursuit->list, key.place)))
		return 0;
	pursuit->asked = rule->entry;
	if (!rule->clause_count) {
		if (scratch->family == FAMILY_DOMAIN)
			hold(scratch, pursuit);
		else
			grant_by(scratch, pursuit->list, rule);
		return 0;
	}
	scratch->conditional = 1;
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

#endif
