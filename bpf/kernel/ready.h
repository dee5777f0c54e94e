/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Who is sent signals when a file is ready. */
#ifndef SEKISHO_KERNEL_READY_H
#define SEKISHO_KERNEL_READY_H

#include "base.h"

struct file;

struct fown_struct {
	struct file *file;
	int signum;
} RELOCATED;

struct file___pointing {
	struct fown_struct *f_owner;
} RELOCATED;

struct file___holding {
	struct fown_struct f_owner;
} RELOCATED;

#endif
