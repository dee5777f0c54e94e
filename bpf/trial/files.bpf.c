/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The hooks of files and mounts, with a judge that allows everything and tells what was asked: for tests. */
#include "../kernel/base.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "../scratch.h"

/* In the place of the real ones. */
#define SEKISHO_TASK_H
#define SEKISHO_JUDGE_H
#define SEKISHO_LINK_H
#define SEKISHO_MEMBER_H

struct asked {
	__u64 operations;
	__u64 numbers[3];
	__u32 error;
	__u32 ignore_first;
	struct name first;
	struct name second;
	struct text third;
};

ROW(marked, __u32, 1, 0);

/* Those of one thread group are asked about. */
static __always_inline __u64 checked(__u32 family, __u64 asked, __u32 *domain)
{
	__u32 zero = 0;
	__u32 *group = bpf_map_lookup_elem(&marked, &zero);

	*domain = 1;
	return group && *group && *group == bpf_get_current_pid_tgid() >> 32 ? asked : 0;
}

static __always_inline __u32 begin(__u32 family, __u64 asked, __u32 domain)
{
	__u32 slot = claim();
	struct scratch *scratch = slot_of(slot);

	if (!scratch)
		return NO_SLOT;
	__builtin_memset(scratch, 0, __builtin_offsetof(struct scratch, facts));
	scratch->first.length = 0;
	scratch->second.length = 0;
	scratch->third.length = 0;
	scratch->asked = asked;
	scratch->domain = domain;
	return slot;
}

static __always_inline int verdict(int error)
{
	barrier_var(error);
	return error > 0 || error < -4095 ? -EPERM : error;
}

static __always_inline int crowded(__u32 domain, __u32 family, __u64 asked)
{
	return -EAGAIN;
}

__noinline int judge_unnameable(__u32 slot, int error)
{
	struct scratch *scratch = slot_of(slot);
	struct asked *asked = bpf_ringbuf_reserve(&events, sizeof(*asked), 0);

	if (!asked)
		return 0;
	if (scratch) {
		asked->operations = scratch->asked;
		asked->error = error;
		asked->ignore_first = scratch->ignore_first;
		__builtin_memcpy(asked->numbers, scratch->numbers, sizeof(asked->numbers));
		bpf_probe_read_kernel(&asked->first, sizeof(asked->first), &scratch->first);
		bpf_probe_read_kernel(&asked->second, sizeof(asked->second), &scratch->second);
		bpf_probe_read_kernel(&asked->third, sizeof(asked->third), &scratch->third);
	}
	bpf_ringbuf_submit(asked, 0);
	return 0;
}

__noinline int judge(__u32 slot)
{
	return judge_unnameable(slot, 0);
}

static __always_inline void opened_for_exec(struct file *file)
{
}

/* Every name is built. */
struct asker {
	__u64 asked;
	__u32 domain;
};

struct member {
	struct asker asker;
	struct inode *directory;
	struct vfsmount *mnt;
	struct dentry *dentry, *other;
	__u64 number;
	bool slash, apart;
};

#define NUMBERED (ASK(FILE_CREATE) | ASK(FILE_MKDIR) | ASK(FILE_MKFIFO) | ASK(FILE_MKSOCK))

static __always_inline struct asker asker_of(__u64 asked)
{
	struct asker asker = {};

	asker.asked = checked(FAMILY_NAME, asked, &asker.domain);
	return asker;
}

static __always_inline bool is_granted(struct asker *asker, struct vfsmount *mnt, struct dentry *dentry,
				       struct inode *inode)
{
	return false;
}

static __always_inline bool is_granted_made(struct asker *asker, struct vfsmount *mnt, struct dentry *dentry)
{
	return false;
}

static __always_inline bool is_granted_entry(struct member *member)
{
	return false;
}

static __always_inline void forget_made(void)
{
}

static __always_inline void remember_entry(struct scratch *scratch, struct member *member)
{
}

static __always_inline void remember_made(struct scratch *scratch, struct dentry *dentry)
{
}

static __always_inline void look(struct scratch *scratch, struct vfsmount *mnt, struct dentry *dentry)
{
}

static __always_inline void remember(struct scratch *scratch, struct inode *inode)
{
}

#include "../file.h"
#include "../entry.h"
#include "../mount.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
