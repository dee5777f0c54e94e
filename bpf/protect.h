/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The engine's own protection: from every domain that isn't a manager's, root's included, whatever policy allows. User
 * space says in guards what is held: its maps, programs and links, the file system that they are pinned in, the
 * directory of its policy, its control group.
 *
 * Process 1 isn't held, so that the machine can be shut down. Links need no look: those of these programs can be neither
 * detached nor replaced through a descriptor, so that it is enough that their pins stay.
 */
#ifndef SEKISHO_PROTECT_H
#define SEKISHO_PROTECT_H

#include "kernel/guard.h"
#include "kernel/namespace.h"
#include "scratch.h"
#include "task.h"
#include "ipc.h"

enum guard_kind {
	GUARD_INODE = 0,	/* number is an inode's of the file system device */
	GUARD_MAP = 1,		/* number is an id, and so below */
	GUARD_PROGRAM = 2,
	GUARD_LINK = 3,
	GUARD_SPACE = 4,	/* number is a mount namespace's: the one in which the engine finds its files */
};

enum guard_flag {
	GUARD_TREE = 1,		/* it and all below it aren't to be changed */
	GUARD_WAY = 2,		/* it leads to such: not to be moved, removed, covered or unmounted */
	GUARD_FILES = 4,	/* files that are right in it aren't to be written */
	GUARD_SOME = 8,		/* inode 0: something in that file system is held */
};

/* device is major << 20 | minor as mountinfo has them. */
struct guard_key {
	__u32 kind;
	__u32 device;
	__u64 number;
};

TABLE(guards, struct guard_key, __u32, 4096);

#define GUARD_DEPTH 12		/* what is held has no more levels below it */

/* How a file is touched. */
enum touch {
	TOUCH_ENTRY = 1,	/* it is moved, removed, covered */
	TOUCH_CONTENT = 2,	/* it is written */
};

struct touched {
	__u64 dentry;
	__u64 touch;
};

static __always_inline __u32 guard_of(__u32 kind, __u32 device, __u64 number)
{
	struct guard_key key = { .kind = kind, .device = device, .number = number };
	__u32 *flags = bpf_map_lookup_elem(&guards, &key);

	return flags ? *flags : 0;
}

#define TICK 10000000ull	/* ns, as proc has when processes began */

/* Whether the task is of the process that user space said is the daemon, and not of one that has its number now. */
static __always_inline bool is_process_of_daemon(struct state *now, struct task_struct *task)
{
	struct task_struct___started *first;

	if (!now->daemon || BPF_CORE_READ(task, tgid) != now->daemon)
		return false;
	first = (struct task_struct___started *)BPF_CORE_READ(task, group_leader);
	return BPF_CORE_READ(first, start_boottime) / TICK == now->daemon_started;
}

/* Whether the current task may do to the engine what it likes. */
__noinline int trusted(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct state *now = the_state();
	struct domain *known;
	__u32 domain;

	if (!now || !now->active)
		return 1;
	if (task->flags & PF_KTHREAD || task->tgid == 1)
		return 1;
	if (is_process_of_daemon(now, task))
		return 1;
	domain = domain_of(task);
	known = bpf_map_lookup_elem(&domains, &domain);
	return known && known->flags & (DOMAIN_MANAGER | DOMAIN_PROTECTED);
}

/* Whether that task is the engine's daemon. */
static __always_inline bool is_daemon(struct task_struct *task)
{
	struct state *now = the_state();
	struct domain *known;
	__u32 domain;

	if (!now || !now->active)
		return false;
	if (is_process_of_daemon(now, task))
		return true;
	domain = domain_of(task);
	known = bpf_map_lookup_elem(&domains, &domain);
	return known && known->flags & DOMAIN_PROTECTED;
}

/* Whether touching the file touches what is held. */
__noinline int touches_held(struct touched *touched)
{
	struct dentry *dentry, *parent;
	__u32 device, touch;

	if (!touched)
		return 1;
	dentry = (struct dentry *)touched->dentry;
	touch = touched->touch;
	device = BPF_CORE_READ(dentry, d_sb, s_dev);
	if (!guard_of(GUARD_INODE, device, 0))
		return 0;
	for (int level = 0; level < GUARD_DEPTH; level++) {
		__u64 inode = BPF_CORE_READ(dentry, d_inode, i_ino);
		__u32 flags = inode ? guard_of(GUARD_INODE, device, inode) : 0;

		if (flags & GUARD_TREE)
			return 1;
		if (level == 0 && flags & GUARD_WAY && touch & TOUCH_ENTRY)
			return 1;
		if (level == 1 && flags & GUARD_FILES && touch & TOUCH_CONTENT)
			return 1;
		parent = BPF_CORE_READ(dentry, d_parent);
		if (parent == dentry)
			return 0;
		dentry = parent;
	}
	return 0;
}

static __always_inline bool held(struct dentry *dentry, __u32 touch)
{
	struct touched touched = { .dentry = (__u64)dentry, .touch = touch };

	return touches_held(&touched);
}

static __always_inline int protect(struct dentry *dentry, __u32 touch)
{
	return held(dentry, touch) && !trusted() ? -EPERM : 0;
}

/* Whether what is done to the mount is seen where the engine looks. */
static __always_inline bool seen_by_engine(struct vfsmount *mnt)
{
	struct mount___grouped *mount = container_of(mnt, struct mount___grouped, mnt);

	return BPF_CORE_READ(mount, mnt_group_id) ||
	       guard_of(GUARD_SPACE, 0, BPF_CORE_READ(mount, mnt_ns, ns.inum));
}

SEC("lsm/bpf_map")
int BPF_PROG(protect_map, struct bpf_map *map)
{
	return guard_of(GUARD_MAP, 0, map->id) && !trusted() ? -EPERM : 0;
}

SEC("lsm/bpf_prog")
int BPF_PROG(protect_prog, struct bpf_prog *prog)
{
	return guard_of(GUARD_PROGRAM, 0, BPF_CORE_READ(prog, aux, id)) && !trusted() ? -EPERM : 0;
}

SEC("lsm/bpf")
int BPF_PROG(protect_link, int cmd, union bpf_attr *attr)
{
	__u32 id = 0;

	if (cmd != BPF_LINK_GET_FD_BY_ID || bpf_probe_read_kernel(&id, sizeof(id), attr))
		return 0;
	return guard_of(GUARD_LINK, 0, id) && !trusted() ? -EPERM : 0;
}

/* What makes or removes an entry. */
#define PROTECT_ENTRY(hook)									\
	SEC("lsm/" #hook)									\
	int BPF_PROG(protect_##hook, struct inode *dir, struct dentry *dentry)			\
	{											\
		return protect(dentry, TOUCH_ENTRY);						\
	}

PROTECT_ENTRY(inode_unlink)
PROTECT_ENTRY(inode_rmdir)
PROTECT_ENTRY(inode_create)
PROTECT_ENTRY(inode_mkdir)
PROTECT_ENTRY(inode_mknod)
PROTECT_ENTRY(inode_symlink)

SEC("lsm/inode_rename")
int BPF_PROG(protect_inode_rename, struct inode *from, struct dentry *old, struct inode *to, struct dentry *new)
{
	return protect(old, TOUCH_ENTRY) ?: protect(new, TOUCH_ENTRY);
}

/* Neither a new name for what is held, by which it could be changed, nor one among what is held. */
SEC("lsm/inode_link")
int BPF_PROG(protect_inode_link, struct dentry *old, struct inode *dir, struct dentry *new)
{
	return protect(old, TOUCH_ENTRY) ?: protect(new, TOUCH_ENTRY);
}

/* Pinning comes by no other hook. */
SEC("lsm/path_mknod")
int BPF_PROG(protect_path_mknod, const struct path *dir, struct dentry *dentry)
{
	return protect(dentry, TOUCH_ENTRY);
}

SEC("lsm/file_open")
int BPF_PROG(protect_file_open, struct file *file)
{
	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	return protect(file->f_path.dentry, TOUCH_CONTENT);
}

#define PROTECT_PATH(hook)									\
	SEC("lsm/" #hook)									\
	int BPF_PROG(protect_##hook, const struct path *path)					\
	{											\
		return protect(BPF_CORE_READ(path, dentry), TOUCH_CONTENT);			\
	}

PROTECT_PATH(path_chmod)
PROTECT_PATH(path_chown)
PROTECT_PATH(path_truncate)

SEC("lsm/sb_umount")
int BPF_PROG(protect_umount, struct vfsmount *mnt, int flags)
{
	if (!held(BPF_CORE_READ(mnt, mnt_root), TOUCH_ENTRY) || !seen_by_engine(mnt))
		return 0;
	return trusted() ? 0 : -EPERM;
}

static __always_inline int protect_mount_at(struct vfsmount *mnt, struct dentry *dentry)
{
	if (!held(dentry, TOUCH_ENTRY) || !seen_by_engine(mnt))
		return 0;
	return trusted() ? 0 : -EPERM;
}

SEC("lsm/sb_mount")
int BPF_PROG(protect_mount, const char *device, const struct path *path, const char *type, unsigned long flags)
{
	if (flags & (MS_REMOUNT | MS_PROPAGATION))
		return 0;
	return protect_mount_at(BPF_CORE_READ(path, mnt), BPF_CORE_READ(path, dentry));
}

SEC("lsm/move_mount")
int BPF_PROG(protect_move_mount, const struct path *from, const struct path *to)
{
	return protect_mount_at(BPF_CORE_READ(from, mnt), BPF_CORE_READ(from, dentry)) ?:
	       protect_mount_at(BPF_CORE_READ(to, mnt), BPF_CORE_READ(to, dentry));
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(protect_pivot, const struct path *old_path, const struct path *new_path)
{
	return protect_mount_at(BPF_CORE_READ(old_path, mnt), BPF_CORE_READ(old_path, dentry)) ?:
	       protect_mount_at(BPF_CORE_READ(new_path, mnt), BPF_CORE_READ(new_path, dentry));
}

static __always_inline int protect_daemon(struct task_struct *task)
{
	return is_daemon(task) && !same_process(task) && !trusted() ? -EPERM : 0;
}

SEC("lsm/task_kill")
int BPF_PROG(protect_kill, struct task_struct *p, struct kernel_siginfo *info, int sig)
{
	return sig && !sent_later(ctx) ? protect_daemon(p) : 0;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(protect_ptrace, struct task_struct *child, unsigned int mode)
{
	return mode & PTRACE_MODE_ATTACH ? protect_daemon(child) : 0;
}

/* Its limits, its priority. */
SEC("lsm/task_setrlimit")
int BPF_PROG(protect_limits, struct task_struct *p)
{
	return protect_daemon(p);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(protect_scheduler, struct task_struct *p)
{
	return protect_daemon(p);
}

SEC("lsm/task_setnice")
int BPF_PROG(protect_nice, struct task_struct *p)
{
	return protect_daemon(p);
}

/* The kernel's memory, written by who has the right to, and programs that write other processes'. */
SEC("lsm/locked_down")
int BPF_PROG(protect_memory, enum lockdown_reason what)
{
	if (what != bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_DEV_MEM) &&
	    what != bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_BPF_WRITE_USER))
		return 0;
	return trusted() ? 0 : -EPERM;
}

#endif
