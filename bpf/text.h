/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * From names to their ids. The maps of names have keys of six sizes, so that looking a short name up doesn't mean
 * hashing four kilobytes; which one a name is in follows from its length.
 */
#ifndef SEKISHO_TEXT_H
#define SEKISHO_TEXT_H

#include "scratch.h"

#define NAME_HEAD 4	/* of struct name, before its bytes */

/* Where a slot's texts are. FIRST and SECOND of names.h are the first two. */
enum text_place {
	TEXT_FIRST = 0,
	TEXT_SECOND = 1,
	TEXT_THIRD = 2,
	TEXT_WORK = 3,		/* its length is the caller's to know */
};

/* The name's value in the map of keys of that size; what of the key is behind the name is made zero unless it is. */
#define NAME_IN(size, name, length) ({						\
	/* Reading fails, and a read that fails leaves zeros. */		\
	if (!padded)								\
		bpf_probe_read_kernel((name)->bytes + (length), (size) - NAME_HEAD - (length), NULL);	\
	(struct name_value *)bpf_map_lookup_elem(&names_##size, (name));	\
})

static __always_inline struct name_value *name_value_of(struct name *name, bool padded)
{
	__u32 length = name->length;

	if (length <= 32 - NAME_HEAD)
		return NAME_IN(32, name, length);
	if (length <= 64 - NAME_HEAD)
		return NAME_IN(64, name, length);
	if (length <= 128 - NAME_HEAD)
		return NAME_IN(128, name, length);
	if (length <= 256 - NAME_HEAD)
		return NAME_IN(256, name, length);
	if (length <= 1024 - NAME_HEAD)
		return NAME_IN(1024, name, length);
	if (length <= NAME_BYTES)
		return NAME_IN(4096, name, length);
	return NULL;
}

/* The id of the slot's first or second name; 0 if it has none. */
__noinline __u32 name_id(__u32 slot, __u32 which)
{
	struct scratch *scratch = slot_of(slot);
	struct name_value *value;
	__u32 id;

	if (!scratch)
		return 0;
	if (which == TEXT_FIRST) {
		if (scratch->ids_ready & 1)
			return scratch->first_id;
		value = name_value_of(&scratch->first, scratch->ids_ready & 4);
		id = value ? value->id : 0;
		scratch->first_id = id;
		scratch->ids_ready |= 1;
		return id;
	}
	if (scratch->ids_ready & 2)
		return scratch->second_id;
	value = name_value_of(&scratch->second, scratch->ids_ready & 8);
	id = value ? value->id : 0;
	scratch->second_id = id;
	scratch->ids_ready |= 2;
	return id;
}

#endif
