/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Conditions. A clause on what doesn't exist is false, whichever operator it has. */
#ifndef SEKISHO_CLAUSES_H
#define SEKISHO_CLAUSES_H

#include "automaton.h"
#include "facts.h"

static long halve_ranges(__u64 index, struct scratch **context)
{
	struct working *working = &(*context)->working;
	__u32 middle = working->begin + (working->end - working->begin) / 2;
	struct place_key key = { .list = working->list, .place = middle };
	struct range *range;

	if (working->begin >= working->end)
		return 1;
	range = bpf_map_lookup_elem(&ranges, &key);
	if (!range)
		return 1;
	if (working->low < range->low) {
		working->end = middle;
		return 0;
	}
	if (working->low > range->high) {
		working->begin = middle + 1;
		return 0;
	}
	working->found = 1;
	return 1;
}

/* Whether one of so many of the list's ranges, which ascend and don't overlap, has the number. */
static __always_inline bool in_ranges(struct scratch *scratch, __u32 list, __u32 place, __u32 count, __u64 number)
{
	struct working *working = &scratch->working;

	working->low = number;
	working->list = list;
	working->begin = place;
	working->end = place + count;
	working->found = 0;
	bpf_loop(32, halve_ranges, &scratch, 0);
	return working->found;
}

/*
 * The string of the program being executed that has this number, arguments first and the environment after them, into
 * the slot's work: its length, or a negative errno. Only as much of it as conditions look at has to be there.
 */
__noinline int program_string(__u32 slot, __u32 number);

enum string_state {
	VARIABLE_UNSET = 0,
	VARIABLE_SET = 1,
	VARIABLE_UNLIKE = 2,	/* set, and one of its values says no */
	VARIABLE_UNREADABLE = 3,
};

static long look_at_string(__u64 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct working *working = &scratch->working;
	int length = program_string(working->slot, working->first + (__u32)index);
	__u32 accept;

	if (length < 0) {
		working->variable = VARIABLE_UNREADABLE;
		return 1;
	}
	length = visible_length(scratch, length);
	/* Inline: the verifier counts how deep calls go. */
	accept = accept_text(scratch, TEXT_WORK, length, working->automaton);
	if (!accept)
		return 0;
	working->variable = VARIABLE_SET;
	if ((accept == 2) == working->equal)
		return 0;
	working->variable = VARIABLE_UNLIKE;
	return 1;
}

/* working.variable is what so many of the program's strings come to. */
static __always_inline void look_at(struct scratch *scratch, __u32 slot, __u32 first, __u32 count, struct clause *clause)
{
	struct working *working = &scratch->working;

	working->slot = slot;
	working->first = first;
	working->automaton = clause->place;
	working->variable = VARIABLE_UNSET;
	working->equal = clause->equal;
	bpf_loop(count, look_at_string, &scratch, 0);
}

static __always_inline bool argument_holds(struct scratch *scratch, struct clause *clause)
{
	bool equal = clause->equal;

	if (clause->low >= scratch->facts.values[FACT_ARGC])
		return !equal;
	if (scratch->working.variable == VARIABLE_UNREADABLE)
		return false;
	return (scratch->working.variable != VARIABLE_UNSET) == equal;
}

/*
 * The automaton accepts a string of the environment with 1 if it is the variable, with 2 if it is and its value is the
 * clause's besides; low is 1 if the clause asks for the variable not to be there at all.
 */
static __always_inline bool variable_holds(struct scratch *scratch, struct clause *clause)
{
	bool equal = clause->equal, null = clause->low;
	struct working *working = &scratch->working;

	if (working->variable == VARIABLE_UNREADABLE)
		return false;
	if (null)
		return (working->variable == VARIABLE_UNSET) == equal;
	return working->variable == VARIABLE_UNSET ? !equal : working->variable == VARIABLE_SET;
}

static __always_inline bool is_on_text(__u32 kind)
{
	return kind == CLAUSE_REALPATH || kind == CLAUSE_TARGET || kind == CLAUSE_ARGUMENT || kind == CLAUSE_VARIABLE;
}

/* Whether a clause on a string holds: the path of the program, what a symbolic link holds, arguments, environment. */
__noinline int text_clause_holds(__u32 slot, __u32 list, __u32 place)
{
	struct place_key key = { .list = list, .place = place };
	struct scratch *scratch = slot_of(slot);
	struct clause *clause = bpf_map_lookup_elem(&clauses, &key);
	__u32 group, first, count;

	if (!scratch || !clause)
		return 0;
	group = clause->kind == CLAUSE_TARGET ? HAVE_TARGET : HAVE_EXECUTION;
	if (!(scratch->facts.have & group))
		return 0;
	if (clause->kind == CLAUSE_REALPATH || clause->kind == CLAUSE_TARGET)
		return !!accepted(slot, TEXT_THIRD, scratch->third.length, clause->place) == clause->equal;
	first = clause->kind == CLAUSE_ARGUMENT ? clause->low : scratch->facts.values[FACT_ARGC];
	count = clause->kind == CLAUSE_ARGUMENT ? 1 : scratch->facts.values[FACT_ENVC];
	look_at(scratch, slot, first, count, clause);
	return clause->kind == CLAUSE_ARGUMENT ? argument_holds(scratch, clause) : variable_holds(scratch, clause);
}

/* The value of a fact; false if what it belongs to doesn't exist. */
static __always_inline bool fact_of(struct scratch *scratch, __u32 fact, __u64 *value)
{
	if (fact >= FACTS || !(scratch->facts.have & group_of(fact)))
		return false;
	*value = scratch->facts.values[fact];
	return true;
}

/* Whether any other clause holds. Facts have been gathered. */
__noinline int number_clause_holds(__u32 slot, __u32 list, __u32 place)
{
	struct place_key key = { .list = list, .place = place };
	struct scratch *scratch = slot_of(slot);
	struct clause *clause = bpf_map_lookup_elem(&clauses, &key);
	__u64 value = 0, low, high;
	bool equal;

	if (!scratch || !clause)
		return 0;
	equal = clause->equal;
	switch (clause->kind) {
	case CLAUSE_ALWAYS:
		return 1;
	case CLAUSE_HANDLER:
		return !!scratch->facts.handler == equal;
	case CLAUSE_NUMBER:
	case CLAUSE_RANGES:
	case CLAUSE_BITS:
		break;
	default:
		return 0;
	}
	if (!fact_of(scratch, clause->left, &value))
		return 0;
	if (clause->kind == CLAUSE_BITS)
		return ((value & clause->low) == clause->low) == equal;
	if (clause->kind == CLAUSE_RANGES)
		return in_ranges(scratch, list, clause->place, clause->count, value) == equal;
	low = clause->low;
	high = clause->high;
	if (clause->right) {
		if (!fact_of(scratch, clause->right, &low))
			return 0;
		high = low;
	}
	return (low <= value && value <= high) == equal;
}

#endif
