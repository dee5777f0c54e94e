/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What a path leads to: programs can't look anything up, so far nothing is found, and what
 * is enforced is refused.
 */
#ifndef SEKISHO_LOOKUP_H
#define SEKISHO_LOOKUP_H

#include "names.h"

/* The name of what the path (an address) leads to, into the slot's first name: 0, or a negative errno. */
__noinline int look_up(__u32 slot, __u64 path)
{
	struct scratch *scratch = slot_of(slot);

	if (!scratch || bpf_probe_read_kernel_str(scratch->work, WORK_END, (void *)path) <= 0)
		return -EAGAIN;
	return -ENOENT;
}

#endif
