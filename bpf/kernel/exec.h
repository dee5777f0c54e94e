/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the kernel knows while it looks up a path and while it executes a program. */
#ifndef SEKISHO_KERNEL_EXEC_H
#define SEKISHO_KERNEL_EXEC_H

#include "base.h"

#define FMODE_EXEC 0x20		/* in f_flags: opened for execution */
#define PROC_MAGIC 0x9fa0

struct filename {
	const char *name;
} RELOCATED;

/* A symbolic link that is being followed. */
struct saved {
	struct path link;
} RELOCATED;

struct nameidata {
	struct path path;
	struct qstr last;
	unsigned int depth;
	struct saved *stack;
	struct filename *name;
	struct nameidata *saved;
} RELOCATED;

struct linux_binprm {
	struct file *file;
	unsigned long p;
	int argc;
	int envc;
	const char *filename;
	const char *interp;
} RELOCATED;

#endif
