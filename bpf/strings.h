/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Arguments and environment of the program that is being executed. See clauses.h. */
#ifndef SEKISHO_STRINGS_H
#define SEKISHO_STRINGS_H

#include "scratch.h"

/* TODO: clauses on arguments and environment don't hold, and records are without them. */
__noinline int program_string(__u32 slot, __u32 number)
{
	return slot == NO_SLOT ? -EAGAIN : -ENOENT;
}

#endif
