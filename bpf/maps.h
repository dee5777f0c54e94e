/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Every map. Sizes marked with a * are what the loader asks for when it isn't told otherwise. */
#ifndef SEKISHO_MAPS_H
#define SEKISHO_MAPS_H

#include "layout.h"

#define TABLE(name, key_type, value_type, entries)		\
	struct {						\
		__uint(type, BPF_MAP_TYPE_HASH);		\
		__uint(map_flags, BPF_F_NO_PREALLOC);		\
		__uint(max_entries, entries);			\
		__type(key, key_type);				\
		__type(value, value_type);			\
	} name SEC(".maps")

#define ROW(name, value_type, entries, flags)			\
	struct {						\
		__uint(type, BPF_MAP_TYPE_ARRAY);		\
		__uint(map_flags, flags);			\
		__uint(max_entries, entries);			\
		__type(key, __u32);				\
		__type(value, value_type);			\
	} name SEC(".maps")

/* Names by size: struct name cut off after so many bytes. */
#define NAMES(size)						\
	struct names_##size##_key { char bytes[size]; };	\
	TABLE(names_##size, struct names_##size##_key, struct name_value, 1048576 /* * */)

NAMES(32);
NAMES(64);
NAMES(128);
NAMES(256);
NAMES(1024);
NAMES(4096);

TABLE(found, struct found_key, struct found, 4194304 /* * */);
TABLE(rules, struct place_key, struct rule, 4194304 /* * */);
TABLE(clauses, struct place_key, struct clause, 1048576 /* * */);
TABLE(ranges, struct place_key, struct range, 1048576 /* * */);
TABLE(pairs, struct pair_key, __u8, 1048576 /* * */);
TABLE(endpoints, struct endpoint_key, __u8, 1048576 /* * */);
TABLE(intervals, struct place_key, struct interval, 1048576 /* * */);
TABLE(lists, __u32, struct list, 65536 /* * */);
TABLE(children, struct child_key, __u32, DOMAINS /* * */);
TABLE(controls, struct control_key, __u32, 65536 /* * */);
TABLE(namespaces, struct namespace_key, struct namespace_value, 4096 /* * */);

/*
 * Of names that policy gives to programs (rule.candidate, rule.target, rule.move, found.last): characters of the encoded
 * form or, of a pattern, of its text; and the whole name of what aggregators put in another name's place.
 */
TABLE(words, __u32, __u32, 1048576 /* * */);
TABLE(replacements, __u32, struct name, 65536 /* * */);

/* Automata: see automaton.h. In blocks, since a row's elements take a multiple of eight bytes; mapped, they are one piece. */
#define CELL_BLOCK 1024
struct cells { __u32 cells[CELL_BLOCK]; };
ROW(cells, struct cells, 4096 /* * */, BPF_F_MMAPABLE);

ROW(domains, struct domain, DOMAINS /* * */, 0);
ROW(bindings_0, struct binding, DOMAINS /* * */, 0);
ROW(bindings_1, struct binding, DOMAINS /* * */, 0);
ROW(profiles_0, struct profile, PROFILES, 0);
ROW(profiles_1, struct profile, PROFILES, 0);
ROW(state, struct state, 1, BPF_F_MMAPABLE);
ROW(counts, struct counts, 1, BPF_F_MMAPABLE);

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8388608 /* * */);
} events SEC(".maps");

#endif
