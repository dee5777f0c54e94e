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

static __always_inline void gather_task(struct facts *facts)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *cred = BPF_CORE_READ(task, cred);
	__u64 *values = facts->values;

	values[FACT_UID] = BPF_CORE_READ(cred, uid.val);
	values[FACT_GID] = BPF_CORE_READ(cred, gid.val);
	values[FACT_EUID] = BPF_CORE_READ(cred, euid.val);
	values[FACT_EGID] = BPF_CORE_READ(cred, egid.val);
	values[FACT_SUID] = BPF_CORE_READ(cred, suid.val);
	values[FACT_SGID] = BPF_CORE_READ(cred, sgid.val);
	values[FACT_FSUID] = BPF_CORE_READ(cred, fsuid.val);
	values[FACT_FSGID] = BPF_CORE_READ(cred, fsgid.val);
	gather_numbers(values, task);
	facts->have = HAVE_TASK;
}

static __always_inline void gather_inode(struct facts *facts, __u64 address, __u32 which)
{
	struct inode *inode = (void *)address;
	__u64 *values = &facts->values[FACT_PATH1 + which * FACTS_PER_INODE];
	__u32 mode, device, node;

	if (!inode)
		return;
	mode = BPF_CORE_READ(inode, i_mode);
	device = BPF_CORE_READ(inode, i_sb, s_dev);
	node = BPF_CORE_READ(inode, i_rdev);
	values[INODE_UID] = BPF_CORE_READ(inode, i_uid.val);
	values[INODE_GID] = BPF_CORE_READ(inode, i_gid.val);
	values[INODE_INO] = BPF_CORE_READ(inode, i_ino);
	values[INODE_MAJOR] = device >> MINOR_BITS;
	values[INODE_MINOR] = device & ((1u << MINOR_BITS) - 1);
	values[INODE_PERM] = mode & 07777;
	values[INODE_TYPE] = mode & S_IFMT;
	values[INODE_DEV_MAJOR] = node >> MINOR_BITS;
	values[INODE_DEV_MINOR] = node & ((1u << MINOR_BITS) - 1);
	facts->have |= HAVE_PATH1 << which;
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
	gather_task(&scratch->facts);
	own = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0);
	scratch->facts.handler = own && own->flags & TASK_HANDLER;
	gather_inode(&scratch->facts, scratch->inodes[0], 0);
	gather_inode(&scratch->facts, scratch->inodes[1], 1);
	gather_inode(&scratch->facts, scratch->inodes[2], 2);
	gather_inode(&scratch->facts, scratch->inodes[3], 3);
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
