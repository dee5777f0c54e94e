/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Which domain the current task is in, and whether anything it asks for is looked at there. */
#ifndef SEKISHO_TASK_H
#define SEKISHO_TASK_H

#include "scratch.h"

/*
 * Those of the operations asked for that the current task's domain has enabled; *domain is that domain. 0: nothing is
 * to be checked, the caller answers 0 at once.
 */
static __always_inline __u64 checked(__u32 family, __u64 asked, __u32 *domain)
{
	*domain = 0;
	return 0;
}

#endif
