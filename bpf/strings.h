/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Arguments and environment of the program that is being executed. The kernel has copied them where nothing here can
 * read them before the program has its memory; then it is too late to answer with an error. So what is decided on is
 * read from the caller's memory, where another thread may change it. What has been read is noted; once the program has
 * its memory, that is compared with what is there, and a program with anything else than was decided on is killed.
 */
#ifndef SEKISHO_STRINGS_H
#define SEKISHO_STRINGS_H

#include "task.h"
#include "kernel/exec.h"
#include "kernel/registers.h"

#define STRINGS 1024		/* so many can be looked at */
#define STRING_BYTES 4096	/* room for one */
#define STRING_SEEN 4087	/* so much of it is looked at */
#define E2BIG 7
#define EFAULT 14

/* What has been read of a program's strings. */
struct quoted {
	__u64 seed;
	__u64 hashes[STRINGS];	/* by number; 0: not looked at */
	char text[STRING_BYTES + 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct quoted);
} quotations SEC(".maps");

/* Words of a string being gone through; what is behind its end in the last is zero. */
struct mixture {
	const char *text;
	__u64 hash;
};

static long mix_word(__u64 index, struct mixture *mixture)
{
	__u64 hash = mixture->hash ^ *(const __u64 *)(mixture->text + (index & (STRING_BYTES / 8 - 1)) * 8);

	hash *= 0x9e3779b97f4a7c15ull;
	mixture->hash = hash ^ hash >> 29;
	return 0;
}

/* Not 0. The string has zeroes behind it, eight at least. */
static __always_inline __u64 hash_string(__u64 seed, const char *text, __u32 length)
{
	struct mixture mixture = { .text = text, .hash = seed ^ length };

	bpf_loop((length + 7) / 8, mix_word, &mixture, 0);
	return mixture.hash | 1;
}

/* The caller's pointer (address) to the string: of the arguments, or of the environment. 0: there is none, or it can't be told. */
__noinline __u64 string_address(__u32 index, __u32 environment)
{
	__u64 registers = bpf_task_pt_regs(bpf_get_current_task_btf());
	struct pt_regs___exec_x86 *x86 = (void *)registers;
	struct pt_regs___exec_arm64 *arm64 = (void *)registers;
	__u64 arguments = 0, variables = 0, array, address = 0;
	__u32 narrow = 0;

	if (bpf_core_field_exists(x86->orig_ax)) {
		__u64 cx = BPF_CORE_READ(x86, cx), dx = BPF_CORE_READ(x86, dx), si = BPF_CORE_READ(x86, si);

		switch (BPF_CORE_READ(x86, orig_ax)) {
		case X86_X32_EXECVE:
			narrow = 1;
		case X86_EXECVE:
			arguments = si;
			variables = dx;
			break;
		case X86_X32_EXECVEAT:
			narrow = 1;
		case X86_EXECVEAT:
			arguments = dx;
			variables = BPF_CORE_READ(x86, r10);
			break;
		case X86_32_EXECVE:
			narrow = 1;
			arguments = (__u32)cx;
			variables = (__u32)dx;
			break;
		case X86_32_EXECVEAT:
			narrow = 1;
			arguments = (__u32)dx;
			variables = (__u32)si;
			break;
		}
	} else if (bpf_core_field_exists(arm64->syscallno)) {
		__u32 call = BPF_CORE_READ(arm64, syscallno);

		if (call == ARM64_EXECVE) {
			arguments = BPF_CORE_READ(arm64, regs[1]);
			variables = BPF_CORE_READ(arm64, regs[2]);
		} else if (call == ARM64_EXECVEAT) {
			arguments = BPF_CORE_READ(arm64, regs[2]);
			variables = BPF_CORE_READ(arm64, regs[3]);
		}
	}
	array = environment ? variables : arguments;
	if (!array)
		return 0;
	if (narrow) {
		__u32 word = 0;

		bpf_probe_read_user(&word, sizeof(word), (void *)(array + index * 4ull));
		return word;
	}
	bpf_probe_read_user(&address, sizeof(address), (void *)(array + index * 8ull));
	return address;
}

/* See clauses.h. */
__noinline int program_string(__u32 slot, __u32 number)
{
	struct scratch *scratch = slot_of(slot);
	struct task *mine = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0);
	struct quoted *quoted = bpf_task_storage_get(&quotations, bpf_get_current_task_btf(), NULL,
						     BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct linux_binprm *program;
	__u32 length = 0, argc;
	__u64 address, hash;
	long size;

	if (!scratch || !mine || !quoted)
		return -EAGAIN;
	program = (void *)scratch->program;
	argc = mine->argc;
	if (!program || number >= argc + (__u32)BPF_CORE_READ(program, envc))
		return -ENOENT;
	if (number >= STRINGS)
		return -E2BIG;
	address = number < argc ? string_address(number, 0) : string_address(number - argc, 1);
	if (address) {
		size = bpf_probe_read_user_str(scratch->work, STRING_SEEN + 1, (void *)address);
		if (size <= 0)
			return -EFAULT;
		length = (size - 1) & (STRING_BYTES - 1);
	} else if (number) {
		return -EFAULT;
	}
	/* Who is given no arguments at all is given an empty one. */
	__builtin_memset(scratch->work + length, 0, 8);
	if (!quoted->seed)
		quoted->seed = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1;
	hash = hash_string(quoted->seed, scratch->work, length);
	asm volatile("" : "+r"(number));
	number &= STRINGS - 1;	/* as it is; the verifier has forgotten */
	if (!quoted->hashes[number])
		quoted->hashes[number] = hash;
	/* It may have been another one before. */
	return quoted->hashes[number] == hash ? length : -EAGAIN;
}

#endif
