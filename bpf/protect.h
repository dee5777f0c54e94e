/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The engine's own protection: what is in the kernel, its pins, the directory of its policy, and the mounts on the way.
 *
 * Process 1 isn't held, so that the machine can be shut down. Links need no look: those of these programs can be neither
 * detached nor replaced through a descriptor, so that it is enough that their pins stay.
 */
#ifndef SEKISHO_PROTECT_H
#define SEKISHO_PROTECT_H

#include "guards.h"

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
	return (is_own_name(map->name) || guard_of(GUARD_MAP, 0, map->id)) && !trusted() ? -EPERM : 0;
}

SEC("lsm/bpf_prog")
int BPF_PROG(protect_prog, struct bpf_prog *prog)
{
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);

	if (!is_own_name(aux->name) && !guard_of(GUARD_PROGRAM, 0, BPF_CORE_READ(aux, id)))
		return 0;
	return trusted() ? 0 : -EPERM;
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
	forget(old);
	forget(new);
	return protect(old, TOUCH_ENTRY) ?: protect(new, TOUCH_ENTRY);
}

/* Neither a new name for what is held, by which it could be changed, nor one among what is held. */
SEC("lsm/inode_link")
int BPF_PROG(protect_inode_link, struct dentry *old, struct inode *dir, struct dentry *new)
{
	forget(old);
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

#define IS_NAME(text) (!bpf_strncmp(name, sizeof(text), text))

/*
 * Whether the file in proc shows what is in a process's memory, or where. From 6.18 on the kernel asks nobody there who
 * reads it if he may measure performance, as root may.
 */
__noinline int shows_memory(__u64 file)
{
	const unsigned char *from = BPF_CORE_READ((struct dentry *)file, d_name.name);
	char name[16] = {};

	if (bpf_probe_read_kernel_str(name, sizeof(name), from) < 0)
		return 1;
	return IS_NAME("environ") || IS_NAME("auxv") || IS_NAME("maps") || IS_NAME("smaps") ||
	       IS_NAME("smaps_rollup") || IS_NAME("numa_maps") || IS_NAME("pagemap") || IS_NAME("mem");
}

SEC("lsm/file_open")
int BPF_PROG(protect_file_open, struct file *file)
{
	struct dentry *dentry = file->f_path.dentry;

	if (!(file->f_mode & FMODE_WRITE))
		return dentry->d_sb->s_magic == PROC_MAGIC && shows_memory(address_of(dentry)) &&
		       is_lever(address_of(file->f_inode)) && is_held() ? -EPERM : 0;
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

#endif
