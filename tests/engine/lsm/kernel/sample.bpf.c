/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the loader has to cope with, one of each: tests compile and load it. */
#include "types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define RELOCATED __attribute__((preserve_access_index))

struct inode {
	unsigned long i_ino;
} RELOCATED;

struct file {
	struct inode *f_inode;
} RELOCATED;

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *group_leader;
} RELOCATED;

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} RELOCATED;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} RELOCATED;

struct entry {
	__u64 count;
	__u8 small;
	__u8 rest[7];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1000);
	__type(key, __u32);
	__type(value, struct entry);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 100);
	__type(key, __u32);
	__type(value, __u32);
} cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} tasks SEC(".maps");

const volatile __u32 limit = 7;
static const volatile __u32 unlimited = 9;
__u64 seen;
__u64 began = 5;

struct question {
	__u32 first, second;
	__u64 answer;
};

static int step(__u32 number, void *data)
{
	*(__u64 *)data += number;
	return 0;
}

static __noinline int plus(int one, int other)
{
	seen++;
	return one + other + limit;
}

__noinline int square(int number)
{
	return plus(number * number, unlimited);
}

__hidden __noinline int thrice(int number)
{
	seen += 2;
	return number * 3;
}

/* A callback, functions that call others, all sorts of variables, a map. */
SEC("syscall")
int compute(struct question *question)
{
	struct entry entry = {};
	__u32 key = question->first;

	bpf_loop(10, step, &entry.count, 0);
	question->answer = square(question->second) + entry.count + began + thrice(1);
	bpf_map_update_elem(&entries, &key, &entry, 0);
	return 3;
}

/* Fields of the running kernel. */
SEC("syscall")
int identify(struct question *question)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	question->first = BPF_CORE_READ(task, group_leader, pid);
	question->answer = BPF_CORE_READ(task, tgid);
	return -1;
}

/* A record of `first` bytes that ends in the lowest byte of `answer`; thrown away if `second` says so. */
SEC("syscall")
int send(struct question *question)
{
	__u32 size = question->first;
	char *record = size == 100 ? bpf_ringbuf_reserve(&events, 100, 0) :
		bpf_ringbuf_reserve(&events, 13, 0);

	if (!record)
		return -1;
	__builtin_memset(record, 0, 13);
	record[12] = question->answer;
	if (question->second)
		bpf_ringbuf_discard(record, 0);
	else
		bpf_ringbuf_submit(record, 0);
	return 0;
}

/* The verifier refuses this: nothing says that there is such an entry. */
SEC("syscall")
int careless(struct question *question)
{
	__u32 key = 0;
	struct entry *entry = bpf_map_lookup_elem(&entries, &key);

	question->answer = entry->count;
	return 0;
}

SEC("iter/task")
int each_task(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	__u32 pid;

	if (!task)
		return 0;
	pid = BPF_CORE_READ(task, pid);
	bpf_seq_write(context->meta->seq, &pid, sizeof(pid));
	return 0;
}

/* A task may not open the file whose number is in its storage. */
SEC("lsm/file_open")
int BPF_PROG(opened, struct file *file, int ret)
{
	__u64 *number;

	if (ret)
		return ret;
	number = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), 0, 0);
	if (number && *number && BPF_CORE_READ(file, f_inode, i_ino) == *number)
		return -1;
	return 0;
}

/* A hook without a verdict. */
SEC("lsm/bprm_committed_creds")
int BPF_PROG(committed)
{
	__sync_fetch_and_add(&seen, 100);
	return 0;
}

SEC("lsm.s/file_open")
int BPF_PROG(opened_slowly, struct file *file, int ret)
{
	return 0;
}

SEC("lsm/no_such_hook")
int BPF_PROG(nowhere, int ret)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
