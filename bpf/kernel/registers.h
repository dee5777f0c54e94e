/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The registers that a system call was entered with, of each processor family, and what calls are known by there. */
#ifndef SEKISHO_KERNEL_REGISTERS_H
#define SEKISHO_KERNEL_REGISTERS_H

#include "base.h"

struct pt_regs___exec_x86 {
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long r10;
	unsigned long orig_ax;
} RELOCATED;

struct pt_regs___exec_arm64 {
	__u64 regs[31];
	int syscallno;
} RELOCATED;

enum x86_call {
	X86_EXECVE = 59, X86_EXECVEAT = 322,
	X86_32_EXECVE = 11, X86_32_EXECVEAT = 358,
	X86_X32_EXECVE = 0x40000000 + 520, X86_X32_EXECVEAT = 0x40000000 + 545,
};

enum arm64_call {
	ARM64_EXECVE = 221, ARM64_EXECVEAT = 281,
};

#endif
