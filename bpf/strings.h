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
#define QUOTATIONS 20480	/* room for all that are */
#define E2BIG 7
#define EFAULT 14

/* What has been read of a program's strings: each once, so that all that is decided is decided on the same. */
struct quoted {
	__u64 used;
	__u16 places[STRINGS];	/* by number: where it is, +1; 0: not looked at */
	__u16 lengths[STRINGS];
	char bytes[QUOTATIONS];	/* zeroes behind each, up to a multiple of eight */
	char text[STRING_BYTES + 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct quoted);
} quotations SEC(".maps");

/* The file of a program as it was when it was asked for: of a script nothing is left later but its interpreter. */
struct program_file {
	__u32 have;		/* fact_group bits of values */
	__u32 length;
	__u64 values[2 * FACTS_PER_INODE];
	char path[4096];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct program_file);
} program_files SEC(".maps");

/* The slot's program and what the slot knows of its file: 0, or a negative errno. */
__noinline int keep_file(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);
	struct program_file *kept;

	if (!scratch)
		return -EAGAIN;
	kept = bpf_task_storage_get(&program_files, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!kept)
		return -ENOMEM;
	gather_program(scratch);
	kept->have = scratch->facts.have & (HAVE_PATH1 | HAVE_PATH1_PARENT);
	__builtin_memcpy(kept->values, &scratch->facts.values[FACT_PATH1], sizeof(kept->values));
	kept->length = scratch->third.length;
	return bpf_probe_read_kernel(kept->path, scratch->third.length & 4095, scratch->third.bytes) ? -EAGAIN : 0;
}

/* The same into the slot again. */
__noinline int recall_file(__u32 slot)
{
	struct program_file *kept = bpf_task_storage_get(&program_files, bpf_get_current_task_btf(), NULL, 0);
	struct scratch *scratch = slot_of(slot);

	if (!scratch || !kept)
		return -ENOENT;
	scratch->facts.have |= kept->have;
	__builtin_memcpy(&scratch->facts.values[FACT_PATH1], kept->values, sizeof(kept->values));
	scratch->third.length = kept->length;
	return bpf_probe_read_kernel(scratch->third.bytes, kept->length & 4095, kept->path) ? -EAGAIN : 0;
}

/* The caller's pointer (address) to the string: of the arguments, or of the environment. 0: there is none, or it can't be told. */
static __always_inline __u64 string_address(__u32 index, bool environment)
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

/* The size of a string of the caller's, its end included, or a negative errno. Before 6.13 an empty one's is told as 0. */
static __always_inline long read_string(char *text, __u64 address)
{
	long size = bpf_probe_read_user_str(text, STRING_SEEN + 1, (void *)address);

	return size ? size : 1;
}

/* See clauses.h. This calls nothing: it is called from as deep as anything may be. */
__noinline int program_string(__u32 slot, __u32 number)
{
	struct scratch *scratch = slot_of(slot);
	struct linux_binprm *program;
	struct quoted *quoted;
	__u32 length = 0, argc, place;
	struct task *mine;
	__u64 address;
	long size;

	if (!scratch || number >= STRINGS)
		return -E2BIG;
	program = (void *)scratch->program;
	mine = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0);
	if (!program || !mine)
		return -ENOENT;
	argc = mine->argc;
	if (number >= argc + (__u32)BPF_CORE_READ(program, envc))
		return -ENOENT;
	quoted = bpf_task_storage_get(&quotations, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!quoted)
		return -ENOMEM;
	/* Bounds as they are; the verifier has forgotten them since. */
	asm volatile("" : "+r"(number));
	number &= STRINGS - 1;
	place = quoted->places[number];
	if (place) {
		place--;
		length = quoted->lengths[number];
		if (place > QUOTATIONS - STRING_BYTES || length > STRING_SEEN)
			return -EAGAIN;
		bpf_probe_read_kernel(scratch->work, length, quoted->bytes + place);
		return length;
	}
	address = string_address(number < argc ? number : number - argc, number >= argc);
	if (address) {
		size = read_string(scratch->work, address);
		if (size <= 0)
			return -EFAULT;
		length = (size - 1) & (STRING_BYTES - 1);
	} else if (number) {
		/* Only who is given no arguments at all is given an empty one. */
		return -EFAULT;
	}
	place = quoted->used;
	if (place > QUOTATIONS - STRING_BYTES || length > STRING_SEEN)
		return -E2BIG;
	bpf_probe_read_kernel(quoted->bytes + place, length, scratch->work);
	__builtin_memset(quoted->bytes + place + length, 0, 8);
	asm volatile("" : "+r"(number));
	number &= STRINGS - 1;
	quoted->places[number] = place + 1;
	quoted->lengths[number] = length;
	quoted->used = (place + length + 8) & ~7;
	return length;
}

#endif
