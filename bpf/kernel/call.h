/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Which system call the current task is in, for hooks that several of them come through. The registers that a call was
 * made with can't be changed while it runs. 32-bit programs on arm64 aren't known.
 */
#ifndef SEKISHO_KERNEL_CALL_H
#define SEKISHO_KERNEL_CALL_H

#include "base.h"

struct pt_regs {
	/* x86-64 */
	unsigned long di;
	unsigned long si;
	unsigned long bx;
	unsigned long cx;
	unsigned long orig_ax;
} RELOCATED;

struct pt_regs___arm64 {
	__s32 syscallno;
	__u64 orig_x0;
	__u64 regs[31];
} RELOCATED;

struct thread_info___x86 {
	__u32 status;
} RELOCATED;

struct task_struct___x86 {
	struct thread_info___x86 thread_info;
} RELOCATED;

#define TS_COMPAT 2		/* x86: it came by the 32-bit entry */
#define X32_BIT 0x40000000

enum call {
	CALL_OTHER = 0,
	CALL_REBOOT, CALL_VHANGUP, CALL_SETHOSTNAME, CALL_SETDOMAINNAME, CALL_INIT_MODULE, CALL_FINIT_MODULE,
	CALL_DELETE_MODULE, CALL_KEXEC_LOAD, CALL_KEXEC_FILE_LOAD, CALL_UNSHARE, CALL_SETNS, CALL_PTRACE, CALL_VM_READ,
	CALL_VM_WRITE, CALL_GET_DESCRIPTOR, CALL_SET_SCHEDULER, CALL_SET_PARAMETER, CALL_SET_ATTRIBUTES,
	CALL_FANOTIFY_MARK,
};

/* What a call was made with. */
struct called {
	__u32 call;
	__u64 first;
	__u64 second;
};

static __always_inline __u32 call_of_x86(__u64 number)
{
	switch (number) {
	case 101: case 521: return CALL_PTRACE;		/* 512 and above: x32 */
	case 142: return CALL_SET_PARAMETER;
	case 144: return CALL_SET_SCHEDULER;
	case 153: return CALL_VHANGUP;
	case 169: return CALL_REBOOT;
	case 170: return CALL_SETHOSTNAME;
	case 171: return CALL_SETDOMAINNAME;
	case 175: return CALL_INIT_MODULE;
	case 176: return CALL_DELETE_MODULE;
	case 246: case 528: return CALL_KEXEC_LOAD;
	case 272: return CALL_UNSHARE;
	case 301: return CALL_FANOTIFY_MARK;
	case 308: return CALL_SETNS;
	case 310: case 539: return CALL_VM_READ;
	case 311: case 540: return CALL_VM_WRITE;
	case 313: return CALL_FINIT_MODULE;
	case 314: return CALL_SET_ATTRIBUTES;
	case 320: return CALL_KEXEC_FILE_LOAD;
	case 438: return CALL_GET_DESCRIPTOR;
	}
	return CALL_OTHER;
}

static __always_inline __u32 call_of_ia32(__u64 number)
{
	switch (number) {
	case 26: return CALL_PTRACE;
	case 74: return CALL_SETHOSTNAME;
	case 88: return CALL_REBOOT;
	case 111: return CALL_VHANGUP;
	case 121: return CALL_SETDOMAINNAME;
	case 128: return CALL_INIT_MODULE;
	case 129: return CALL_DELETE_MODULE;
	case 154: return CALL_SET_PARAMETER;
	case 156: return CALL_SET_SCHEDULER;
	case 283: return CALL_KEXEC_LOAD;
	case 310: return CALL_UNSHARE;
	case 339: return CALL_FANOTIFY_MARK;
	case 346: return CALL_SETNS;
	case 347: return CALL_VM_READ;
	case 348: return CALL_VM_WRITE;
	case 350: return CALL_FINIT_MODULE;
	case 351: return CALL_SET_ATTRIBUTES;
	case 438: return CALL_GET_DESCRIPTOR;
	}
	return CALL_OTHER;
}

static __always_inline __u32 call_of_arm64(__u64 number)
{
	switch (number) {
	case 58: return CALL_VHANGUP;
	case 97: return CALL_UNSHARE;
	case 104: return CALL_KEXEC_LOAD;
	case 105: return CALL_INIT_MODULE;
	case 106: return CALL_DELETE_MODULE;
	case 117: return CALL_PTRACE;
	case 118: return CALL_SET_PARAMETER;
	case 119: return CALL_SET_SCHEDULER;
	case 142: return CALL_REBOOT;
	case 161: return CALL_SETHOSTNAME;
	case 162: return CALL_SETDOMAINNAME;
	case 263: return CALL_FANOTIFY_MARK;
	case 268: return CALL_SETNS;
	case 270: return CALL_VM_READ;
	case 271: return CALL_VM_WRITE;
	case 273: return CALL_FINIT_MODULE;
	case 274: return CALL_SET_ATTRIBUTES;
	case 294: return CALL_KEXEC_FILE_LOAD;
	case 438: return CALL_GET_DESCRIPTOR;
	}
	return CALL_OTHER;
}

/* The call that the current task is in, with its first two arguments. */
__noinline int call_now(struct called *called)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = (struct pt_regs *)bpf_task_pt_regs(task);

	if (!called)
		return 0;
	called->call = CALL_OTHER;
	if (bpf_core_field_exists(((struct pt_regs *)0)->orig_ax)) {
		__u64 number = registers->orig_ax;

		if (((struct task_struct___x86 *)task)->thread_info.status & TS_COMPAT) {
			called->first = (__u32)registers->bx;
			called->second = (__u32)registers->cx;
			called->call = call_of_ia32((__u32)number);
		} else {
			called->first = registers->di;
			called->second = registers->si;
			called->call = call_of_x86((__u32)number & ~X32_BIT);
		}
	} else if (bpf_core_field_exists(((struct pt_regs___arm64 *)0)->syscallno)) {
		struct pt_regs___arm64 *others = (struct pt_regs___arm64 *)registers;

		called->first = others->orig_x0;
		called->second = others->regs[1];
		called->call = call_of_arm64((__u32)others->syscallno);
	}
	return 0;
}

#endif
