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
	GUARD_TREE = 1,		/* neither it nor what is right in it is to be changed; each directory below has its own */
	GUARD_WAY = 2,		/* it leads to such: not to be moved, removed, covered or unmounted */
	GUARD_FILES = 4,	/* files that are right in it aren't to be written */
};

/* device is major << 20 | minor as mountinfo has them. */
struct guard_key {
	__u32 kind;
	__u32 device;
	__u64 number;
};

TABLE(guards, struct guard_key, __u32, 4096);

/*
 * A bit for each inode in guards, where several may share one: nearly every file that is made, removed or written is
 * none of them, and is done with at once.
 */
#define SIEVE_WORDS 1024
struct sieve {
	__u64 words[SIEVE_WORDS];
};
ROW(sieves, struct sieve, 1, 0);

/* How a file is touched. */
enum touch {
	TOUCH_ENTRY = 1,	/* it is moved, removed, covered */
	TOUCH_CONTENT = 2,	/* it is written */
};

struct sock___owned {
	struct pid *sk_peer_pid;	/* of one that listens: whose it is */
} RELOCATED;

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

/* Whether that task is a manager's, or process 1. */
static __always_inline bool is_manager(struct task_struct *task)
{
	struct state *now = the_state();
	struct domain *known;
	__u32 domain;

	if (!now || !now->active)
		return false;
	if (BPF_CORE_READ(task, tgid) == 1)
		return true;
	domain = domain_of(task);
	known = bpf_map_lookup_elem(&domains, &domain);
	return known && known->flags & DOMAIN_MANAGER;
}

/* Whether the inode may be in guards: the engine's user space reckons the same. */
static __always_inline bool sifted(struct sieve *sieve, __u32 device, __u64 inode)
{
	__u64 hash = (inode + ((__u64)device << 32)) * 0x9e3779b97f4a7c15ull >> 48;

	return sieve->words[hash >> 6] >> (hash & 63) & 1;
}

/* Whether touching the file touches what is held, by the numbers of its inode (0: it has none yet) and its directory's. */
__noinline int touches_held(__u32 device, __u64 inode, __u64 directory, __u32 touch)
{
	__u32 flags = inode ? guard_of(GUARD_INODE, device, inode) : 0;

	if (flags & GUARD_TREE || (flags & GUARD_WAY && touch & TOUCH_ENTRY))
		return 1;
	flags = guard_of(GUARD_INODE, device, directory);
	return flags & GUARD_TREE || (flags & GUARD_FILES && touch & TOUCH_CONTENT);
}

/* Whether the file is held, or the directory that it is right in. */
static __always_inline bool held(struct dentry *dentry, __u32 touch)
{
	__u32 zero = 0, device = dentry->d_sb->s_dev;
	struct sieve *sieve = bpf_map_lookup_elem(&sieves, &zero);
	__u64 directory = dentry->d_parent->d_inode->i_ino, number = 0;
	struct inode *inode = dentry->d_inode;

	if (!sieve)
		return true;
	if (present(inode))
		number = inode->i_ino;
	if (!sifted(sieve, device, directory) && !(number && sifted(sieve, device, number)))
		return false;
	return touches_held(device, number, directory, touch);
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

/* What makes or removes an entry; a pin is a file that is created. */
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

/* The task that the pid is the number of; NULL for none. */
static __always_inline struct task_struct *task_by(struct pid *pid)
{
	void *node = BPF_CORE_READ((struct pid___tasks *)pid, tasks[0].first);

	return node ? node - bpf_core_field_offset(struct task_struct___linked, pid_links) : NULL;
}

#define FTRACE "ftrace_enabled"

/*
 * Whether the file in proc is the daemon's, by which it could be made the first to go when memory is short, or the one
 * that turns off every program which is called at the beginning of a function of the kernel's, as ours are.
 */
__noinline int is_lever(__u64 inode)
{
	struct proc_inode___held *file = (void *)(inode - bpf_core_field_offset(struct proc_inode___held, vfs_inode));
	const struct ctl_table *entry = BPF_CORE_READ(file, sysctl_entry);
	struct pid *pid = BPF_CORE_READ(file, pid);
	struct state *now = the_state();
	struct task_struct *task;
	char name[sizeof(FTRACE)];

	if (!now)
		return 0;
	if (entry)
		return bpf_probe_read_kernel_str(name, sizeof(name), (void *)BPF_CORE_READ(entry, procname)) ==
		       sizeof(FTRACE) && !bpf_strncmp(name, sizeof(FTRACE) - 1, FTRACE);
	task = pid ? task_by(pid) : NULL;
	return task && is_process_of_daemon(now, task);
}

SEC("lsm/file_open")
int BPF_PROG(protect_file_open, struct file *file)
{
	struct dentry *dentry = file->f_path.dentry;

	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	if (dentry->d_sb->s_magic == PROC_MAGIC && is_lever(address_of(file->f_inode)) && !trusted())
		return -EPERM;
	return protect(dentry, TOUCH_CONTENT);
}

/* Whoever locks what the daemon locks, or is told before it is written to, lets the daemon wait for as long as he likes. */
SEC("lsm/file_lock")
int BPF_PROG(protect_lock, struct file *file, unsigned int command)
{
	return command == F_UNLCK ? 0 : protect(file->f_path.dentry, TOUCH_CONTENT);
}

#define PROTECT_PATH(hook)									\
	SEC("lsm/" #hook)									\
	int BPF_PROG(protect_##hook, const struct path *path)					\
	{											\
		return protect(path->dentry, TOUCH_CONTENT);						\
	}

PROTECT_PATH(path_chmod)
PROTECT_PATH(path_chown)
PROTECT_PATH(path_truncate)

SEC("lsm/sb_umount")
int BPF_PROG(protect_umount, struct vfsmount *mnt, int flags)
{
	if (!held(mnt->mnt_root, TOUCH_ENTRY) || !seen_by_engine(mnt))
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
	return protect_mount_at(path->mnt, path->dentry);
}

SEC("lsm/move_mount")
int BPF_PROG(protect_move_mount, const struct path *from, const struct path *to)
{
	return protect_mount_at(from->mnt, from->dentry) ?: protect_mount_at(to->mnt, to->dentry);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(protect_pivot, const struct path *old_path, const struct path *new_path)
{
	return protect_mount_at(old_path->mnt, old_path->dentry) ?:
	       protect_mount_at(new_path->mnt, new_path->dentry);
}

static __always_inline int protect_daemon(struct task_struct *task)
{
	return is_daemon(task) && !same_process(task) && !trusted() ? -EPERM : 0;
}

/* Whoever controls a manager's process is one. */
static __always_inline int protect_manager(struct task_struct *task)
{
	return is_manager(task) && !same_process(task) && !trusted() ? -EPERM : 0;
}

/* Whether the current task is held to policy; who isn't may look at what we are, as administrators' tools do. */
static __always_inline bool is_held(void)
{
	return !trusted() && enforces(FAMILY_NAME, BIT(BIT_FILE_EXECUTE), domain_of(bpf_get_current_task_btf()));
}

SEC("lsm/task_kill")
int BPF_PROG(protect_kill, struct task_struct *p, struct kernel_siginfo *info, int sig)
{
	return sig && !sent_later(ctx) ? protect_daemon(p) : 0;
}

/* Signals that a file sends to whom somebody has made its owner: the daemon is no file's. May run in an interrupt. */
SEC("lsm/file_send_sigiotask")
int BPF_PROG(protect_sigio, struct task_struct *task)
{
	struct state *now = the_state();

	return now && now->active && is_process_of_daemon(now, task) ? -EPERM : 0;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(protect_ptrace, struct task_struct *child, unsigned int mode)
{
	if (mode & PTRACE_MODE_ATTACH)
		return protect_daemon(child) ?: protect_manager(child);
	/* Its environment, its descriptors' names, its maps. */
	return is_daemon(child) && !same_process(child) && is_held() ? -EPERM : 0;
}

/*
 * Who asks the daemon for something is known to it by the process that connected. That could give the connection to
 * another, and then become a program that may ask: so whether it may is decided when it connects. As the daemon has it:
 * whoever is a manager, or held to nothing.
 */
SEC("lsm/unix_stream_connect")
int BPF_PROG(protect_connect, struct sock *sock, struct sock *other, struct sock *newsk, int ret)
{
	struct pid *owner = BPF_CORE_READ((struct sock___owned *)other, sk_peer_pid);
	struct state *now = the_state();

	if (ret || !now || !now->daemon || BPF_CORE_READ(owner, numbers[0].nr) != now->daemon)
		return verdict(ret);
	return is_held() ? -EPERM : 0;
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

/* Hardware that no name leads to, and that is above every policy: not for who is held to one. */
static __always_inline bool is_hardware(enum lockdown_reason what)
{
	return what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_IOPORT) ||
	       what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_MSR);
}

/* The kernel's memory, written by who has the right to, and programs that write other processes'. */
SEC("lsm/locked_down")
int BPF_PROG(protect_memory, enum lockdown_reason what)
{
	if (is_hardware(what))
		return is_held() ? -EPERM : 0;
	if (what != bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_DEV_MEM) &&
	    what != bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_BPF_WRITE_USER))
		return 0;
	return trusted() ? 0 : -EPERM;
}

#endif
