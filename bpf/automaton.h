/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Automata. Each is a region of cells; a state is an offset in the region, 0 the start. The cell at state + symbol is
 * symbol + 1 and what follows from the symbol there, or another state's. Symbols: the bytes, any other byte, the end.
 */
#ifndef SEKISHO_AUTOMATON_H
#define SEKISHO_AUTOMATON_H

#include "scratch.h"
#include "text.h"

#define SYMBOL_OTHER 256
#define SYMBOL_ACCEPT 257
#define SYMBOL_SHIFT 23
#define CELL_VALUE ((1u << SYMBOL_SHIFT) - 1)
#define NO_CELL 0xffffffffu
#define VISIBLE 4086	/* encoded characters of an argument that conditions look at */

/* What follows from the symbol in that state, NO_CELL if nothing does. */
static __always_inline __u32 follow(__u32 state, __u32 symbol)
{
	__u32 place = state + symbol, block = place / CELL_BLOCK, cell;
	struct cells *blocks = bpf_map_lookup_elem(&cells, &block);

	if (!blocks)
		return NO_CELL;
	cell = blocks->cells[place & (CELL_BLOCK - 1)];
	return cell >> SYMBOL_SHIFT == symbol + 1 ? cell & CELL_VALUE : NO_CELL;
}

/* The state after one more byte. */
static __always_inline __u32 advance(__u32 origin, __u32 state, __u32 byte)
{
	__u32 next = follow(origin + state, byte);

	return next == NO_CELL ? follow(origin + state, SYMBOL_OTHER) : next;
}

/* So many bytes at a time: a turn of the loop costs as much as a byte. */
#define STRIDE 4

static long walk_bytes(__u64 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct working *working = &scratch->working;
	__u32 first = (__u32)index * STRIDE & (TEXT_BYTES - 1), left = working->length - first;
	__u8 *bytes = (__u8 *)scratch + (working->from & 0x3fff) + first;
	__u32 origin = working->origin, state;

	state = advance(origin, working->state, bytes[0]);
	if (state == NO_CELL || left < 2)
		goto out;
	state = advance(origin, state, bytes[1]);
	if (state == NO_CELL || left < 3)
		goto out;
	state = advance(origin, state, bytes[2]);
	if (state == NO_CELL || left < 4)
		goto out;
	state = advance(origin, state, bytes[3]);
out:
	working->state = state;
	return state == NO_CELL;
}

_Static_assert(__builtin_offsetof(struct scratch, work) <= 0x3fff, "texts are out of reach");
_Static_assert(0x3fff + TEXT_BYTES + STRIDE <= sizeof(struct scratch), "texts end beyond the scratch");

static __always_inline __u32 text_begin(__u32 which)
{
	if (which == TEXT_FIRST)
		return __builtin_offsetof(struct scratch, first.bytes);
	if (which == TEXT_SECOND)
		return __builtin_offsetof(struct scratch, second.bytes);
	if (which == TEXT_THIRD)
		return __builtin_offsetof(struct scratch, third.bytes);
	return __builtin_offsetof(struct scratch, work);
}

/* What the automaton accepts so many bytes of the text with; 0: it doesn't. automaton is where it begins, + 1. */
static __always_inline __u32 accept_text(struct scratch *scratch, __u32 which, __u32 length, __u32 automaton)
{
	struct working *working = &scratch->working;
	__u32 accept;

	if (!automaton || length > TEXT_BYTES)
		return 0;
	working->from = text_begin(which);
	working->origin = automaton - 1;
	working->state = 0;
	working->length = length;
	bpf_loop((length + STRIDE - 1) / STRIDE, walk_bytes, &scratch, 0);
	if (working->state == NO_CELL)
		return 0;
	accept = follow(working->origin + working->state, SYMBOL_ACCEPT);
	return accept == NO_CELL ? 0 : accept;
}

__noinline __u32 accepted(__u32 slot, __u32 which, __u32 length, __u32 automaton)
{
	struct scratch *scratch = slot_of(slot);

	return scratch ? accept_text(scratch, which, length, automaton) : 0;
}

static long measure_byte(__u64 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct working *working = &scratch->working;
	__u32 at = (working->from & 0x3fff) + ((__u32)index & (TEXT_BYTES - 1));
	__u8 byte = ((__u8 *)scratch)[at];

	if (working->units >= working->end)
		return 1;
	working->units += byte == '\\' ? 2 : byte > 0x20 && byte < 0x7f ? 1 : 4;
	working->length++;
	return 0;
}

static __always_inline void measure(struct scratch *scratch, __u32 which, __u32 length, __u32 limit)
{
	scratch->working.from = text_begin(which);
	scratch->working.end = limit;
	scratch->working.units = 0;
	scratch->working.length = 0;
	bpf_loop(length, measure_byte, &scratch, 0);
}

/* Characters of the encoded form of so many bytes of the text. */
__noinline __u32 encoded_length(__u32 slot, __u32 which, __u32 length)
{
	struct scratch *scratch = slot_of(slot);

	if (!scratch || length > TEXT_BYTES)
		return 0;
	measure(scratch, which, length, 0xffffffff);
	return scratch->working.units;
}

/* How many bytes of an argument in the slot's work conditions look at. */
static __always_inline __u32 visible_length(struct scratch *scratch, __u32 length)
{
	if (length > VISIBLE)
		length = VISIBLE;
	if (length <= VISIBLE / 4)
		return length;
	measure(scratch, TEXT_WORK, length, VISIBLE);
	return scratch->working.length;
}

#endif
