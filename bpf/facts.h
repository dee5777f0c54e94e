/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What conditions and records look at: the task, the files, the program being executed. Gathered when first asked for. */
#ifndef SEKISHO_FACTS_H
#define SEKISHO_FACTS_H

#include "kernel/pid.h"
#include "scratch.h"

/* What of struct linux_binprm is read here. */
struct linux_binprm___facts {
	int argc;
	int envc;
} RELOCATED;

#define MINOR_BITS 20

/* The upid of a process (its thread group's leader), 0 if it has none. */
static __always_inline struct pid *process_pid(struct task_struct *task)
{
	struct task_struct___pid *leader = (void *)BPF_CORE_READ(task, group_leader);

	return leader ? BPF_CORE_READ(leader, thread_pid) : NULL;
}

struct numbered {
	__u32 number;
	__u64 namespace;
};

/* The number that the pid has in the namespace of that depth. */
static __always_inline struct numbered number_at(struct pid *pid, __u32 level)
{
	struct numbered found = {};
	struct upid *upid;

	if (!pid)
		return found;
	upid = (void *)__builtin_preserve_access_index(&pid->numbers[0]) + level * bpf_core_type_size(struct upid);
	found.number = BPF_CORE_READ(upid, nr);
	found.namespace = (__u64)BPF_CORE_READ(upid, ns);
	return found;
}

/* task.pid and task.ppid: as getpid() and getppid() have them. */
static __always_inline void gather_numbers(__u64 *values, struct task_struct *task)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);
	struct pid *mine = process_pid(task), *theirs = process_pid(parent);
	__u32 level = mine ? BPF_CORE_READ(mine, level) : 0;
	struct numbered own = number_at(mine, level), above = {};

	if (theirs && BPF_CORE_READ(theirs, level) >= level)
		above = number_at(theirs, level);
	values[FACT_PID] = own.number;
	values[FACT_PPID] = above.namespace == own.namespace ? above.number : 0;
}

/*
 * Credentials and inodes are read at once up to the last field that is of use, into what the registers are read into
 * elsewhere; the verifier checks that it is in there.
 */
#define CRED_HEAD 64
#define INODE_HEAD 128
_Static_assert(INODE_HEAD <= sizeof(((struct scratch *)0)->registers), "an inode's head has no room");
#define CRED_FIELD(head, field) (*(__u32 *)((head) + bpf_core_field_offset(struct cred, field)))
#define INODE_FIELD(head, type, field) (*(type *)((head) + bpf_core_field_offset(struct inode, field)))

static __always_inline void gather_task(struct facts *facts, struct scratch *scratch)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 *values = facts->values;
	void *head = scratch->registers;

	/* A read that fails leaves zeros. */
	bpf_probe_read_kernel(head, CRED_HEAD, BPF_CORE_READ(task, cred));
	values[FACT_UID] = CRED_FIELD(head, uid.val);
	values[FACT_GID] = CRED_FIELD(head, gid.val);
	values[FACT_EUID] = CRED_FIELD(head, euid.val);
	values[FACT_EGID] = CRED_FIELD(head, egid.val);
	values[FACT_SUID] = CRED_FIELD(head, suid.val);
	values[FACT_SGID] = CRED_FIELD(head, sgid.val);
	values[FACT_FSUID] = CRED_FIELD(head, fsuid.val);
	values[FACT_FSGID] = CRED_FIELD(head, fsgid.val);
	gather_numbers(values, task);
	facts->have = HAVE_TASK;
}

static __always_inline void gather_inode(struct scratch *scratch, __u32 which)
{
	__u64 *values = &scratch->facts.values[FACT_PATH1 + which * FACTS_PER_INODE];
	void *head = scratch->registers;
	__u32 mode, device, node;

	if (!scratch->inodes[which] || bpf_probe_read_kernel(head, INODE_HEAD, (void *)scratch->inodes[which]))
		return;
	mode = INODE_FIELD(head, __u16, i_mode);
	device = BPF_CORE_READ(INODE_FIELD(head, struct super_block *, i_sb), s_dev);
	node = INODE_FIELD(head, __u32, i_rdev);
	values[INODE_UID] = INODE_FIELD(head, __u32, i_uid.val);
	values[INODE_GID] = INODE_FIELD(head, __u32, i_gid.val);
	values[INODE_INO] = INODE_FIELD(head, __u64, i_ino);
	values[INODE_MAJOR] = device >> MINOR_BITS;
	values[INODE_MINOR] = device & ((1u << MINOR_BITS) - 1);
	values[INODE_PERM] = mode & 07777;
	values[INODE_TYPE] = mode & S_IFMT;
	values[INODE_DEV_MAJOR] = node >> MINOR_BITS;
	values[INODE_DEV_MINOR] = node & ((1u << MINOR_BITS) - 1);
	scratch->facts.have |= HAVE_PATH1 << which;
}

/* Of the slot's facts those that are left of a program when its environment is decided on: its file's and its folder's. */
static __always_inline void gather_program(struct scratch *scratch)
{
	if (scratch->facts_ready)
		return;
	gather_inode(scratch, 0);
	gather_inode(scratch, 1);
}

/* The slot's facts are what they say from here on. */
__noinline int gather(__u32 slot)
{
	struct scratch *scratch = slot_of(slot);
	struct linux_binprm___facts *program;
	struct task *own;

	if (!scratch || scratch->facts_ready)
		return 0;
	if (scratch->nobody) {
		/* What another request has left there is nobody's affair either. */
		__builtin_memset(&scratch->facts, 0, sizeof(scratch->facts));
		scratch->facts_ready = 1;
		return 0;
	}
	gather_task(&scratch->facts, scratch);
	own = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0);
	scratch->facts.handler = own && own->flags & TASK_HANDLER;
	gather_inode(scratch, 0);
	gather_inode(scratch, 1);
	gather_inode(scratch, 2);
	gather_inode(scratch, 3);
	program = (void *)scratch->program;
	if (program) {
		scratch->facts.values[FACT_ARGC] = BPF_CORE_READ(program, argc);
		scratch->facts.values[FACT_ENVC] = BPF_CORE_READ(program, envc);
		scratch->facts.have |= HAVE_EXECUTION;
	}
	if (scratch->family == FAMILY_NAME && scratch->asked & (1ull << BIT_FILE_SYMLINK))
		scratch->facts.have |= HAVE_TARGET;
	scratch->facts_ready = 1;
	return 0;
}

/* The fact_group bit of a fact. */
static __always_inline __u32 group_of(__u32 fact)
{
	if (fact < FACT_ARGC)
		return HAVE_TASK;
	if (fact < FACT_PATH1)
		return HAVE_EXECUTION;
	if (fact < FACT_PATH1_PARENT)
		return HAVE_PATH1;
	if (fact < FACT_PATH2)
		return HAVE_PATH1_PARENT;
	if (fact < FACT_PATH2_PARENT)
		return HAVE_PATH2;
	return HAVE_PATH2_PARENT;
}

#endif
