/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* From a request to a verdict: decide, report. */
#ifndef SEKISHO_JUDGE_H
#define SEKISHO_JUDGE_H

#include "scratch.h"

/* A slot with an empty request in it: NO_SLOT if there is none, then answer crowded(). Names are filled in by names.h. */
static __always_inline __u32 begin(__u32 family, __u64 asked, __u32 domain)
{
	return NO_SLOT;
}

/* What a request is answered that found no slot: -EAGAIN where any of the operations is enforced, else 0. */
static __noinline int crowded(__u32 domain, __u32 family, __u64 asked)
{
	return 0;
}

/* The verdict on the request in the slot: 0, or a negative errno. What is to be told to user space has been sent. */
__noinline int judge(__u32 slot)
{
	return 0;
}

/* The verdict on a request whose name can't be built (error: a negative errno): told, and refused where enforced. */
__noinline int judge_unnameable(__u32 slot, int error)
{
	return 0;
}

#endif
