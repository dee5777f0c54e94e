/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Process numbers as pid namespaces have them. */
#ifndef SEKISHO_KERNEL_PID_H
#define SEKISHO_KERNEL_PID_H

#include "base.h"

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
} RELOCATED;

struct pid {
	unsigned int level;
	struct upid numbers[1];
} RELOCATED;

/* A struct task_struct, seen for its numbers. */
struct task_struct___pid {
	struct pid *thread_pid;
} RELOCATED;

#endif
