/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * How the programs for the kernel's hooks get to run: as an LSM, or before the kernel's own functions that call the LSMs.
 * There some of what the kernel offers isn't to be had. The verifier knows which it is, and doesn't look at the rest.
 */
#ifndef SEKISHO_FLAVOUR_H
#define SEKISHO_FLAVOUR_H

#include "kernel/base.h"

const volatile __u32 modify_return = 0;	/* the loader says */

#endif
