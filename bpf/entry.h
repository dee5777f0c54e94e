/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Entries of directories: what is made, removed, linked and renamed. */
#ifndef SEKISHO_ENTRY_H
#define SEKISHO_ENTRY_H

#include "file.h"

SEC("lsm/path_unlink")
int BPF_PROG(path_unlink, const struct path *dir, struct dentry *dentry, int ret)
{
	return ret ? verdict(ret) : ask_entry(ASK(FILE_UNLINK), dir->mnt, dentry, false, 0, 0, 0);
}

SEC("lsm/path_rmdir")
int BPF_PROG(path_rmdir, const struct path *dir, struct dentry *dentry, int ret)
{
	return ret ? verdict(ret) : ask_entry(ASK(FILE_RMDIR), dir->mnt, dentry, true, 0, 0, 0);
}

SEC("lsm/path_mkdir")
int BPF_PROG(path_mkdir, const struct path *dir, struct dentry *dentry, unsigned short mode, int ret)
{
	return ret ? verdict(ret) : ask_entry(ASK(FILE_MKDIR), dir->mnt, dentry, true, mode & S_IALLUGO, 0, 0);
}

static __always_inline __u64 making(__u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return ASK(FILE_MKFIFO);
	case S_IFSOCK:
		return ASK(FILE_MKSOCK);
	case S_IFBLK:
		return ASK(FILE_MKBLOCK);
	case S_IFCHR:
		return ASK(FILE_MKCHAR);
	}
	return ASK(FILE_CREATE);
}

/* Files that are opened into being come here too, and sockets that are bound to a path. */
SEC("lsm/path_mknod")
int BPF_PROG(path_mknod, const struct path *dir, struct dentry *dentry, unsigned short mode, unsigned int device,
	     int ret)
{
	if (ret)
		return verdict(ret);
	return ask_entry(making(mode), dir->mnt, dentry, false, mode & S_IALLUGO, (device & 0xfff00) >> 8,
			 (device & 0xff) | ((device >> 12) & 0xfff00));
}

SEC("lsm/path_symlink")
int BPF_PROG(path_symlink, const struct path *dir, struct dentry *dentry, const char *target, int ret)
{
	struct scratch *scratch;
	long length;
	__u32 slot;
	int error;

	if (ret)
		return verdict(ret);
	slot = prepare(ASK(FILE_SYMLINK), &error);
	scratch = slot_of(slot);
	if (!scratch)
		return error;
	error = name_entry(slot, FIRST, dir->mnt, dentry, false);
	length = bpf_probe_read_kernel_str(scratch->third.bytes, NAME_BYTES, target);
	if (length > 0 && length < NAME_BYTES)
		scratch->third.length = length - 1;
	else if (!error)
		error = length > 0 ? -ENAMETOOLONG : -EAGAIN;
	return conclude(slot, error);
}

/*
 * Two names (addresses) into the slot. If the first is a directory's then the second is one's too, though there may be
 * nothing yet that it names.
 */
__noinline int name_pair(__u32 slot, __u64 mount, __u64 dentry, __u64 other_mount, __u64 other)
{
	struct inode *inode = BPF_CORE_READ((struct dentry *)dentry, d_inode);
	__u32 slash = inode && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR ? NAME_SLASH : 0;
	int error = name_of(slot, slash, mount, dentry);

	return error ? error : name_of(slot, slash | NAME_SECOND, other_mount, other);
}

/*
 * Both names into the slot, as name_pair() does, by the way that is quick for what a hook is given. The second name is
 * a directory's if the first is.
 */
static __always_inline int name_both(__u32 slot, struct vfsmount *mnt, struct dentry *dentry, struct vfsmount *other_mnt,
				     struct dentry *other)
{
	struct inode *inode = dentry->d_inode;
	bool slash = present(inode) && (inode->i_mode & S_IFMT) == S_IFDIR;
	int error = name_entry(slot, FIRST, mnt, dentry, slash);

	return error ? error : name_entry(slot, SECOND, other_mnt, other, slash);
}

/* A hard link can't leave its mount, so that of the new name is the old one's. */
SEC("lsm/path_link")
int BPF_PROG(path_link, struct dentry *old_dentry, const struct path *new_dir, struct dentry *new_dentry, int ret)
{
	__u32 slot;
	int error;

	if (ret)
		return verdict(ret);
	slot = prepare(ASK(FILE_LINK), &error);
	if (slot == NO_SLOT)
		return error;
	return conclude(slot, name_both(slot, new_dir->mnt, old_dentry, new_dir->mnt, new_dentry));
}

/* The verdict on one half of an exchange; the slot is free for the other then. */
__noinline int judge_exchange(__u32 slot, __u64 mount, __u64 dentry, __u64 other_mount, __u64 other)
{
	struct scratch *scratch = slot_of(slot);
	int error = name_pair(slot, mount, dentry, other_mount, other);

	if (!scratch)
		return -EPERM;
	error = error ? judge_unnameable(slot, error) : judge(slot);
	scratch->facts_ready = 0;
	return error;
}

/* An exchange is two renames: the other way round is asked first. */
SEC("lsm/path_rename")
int BPF_PROG(path_rename, const struct path *old_dir, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry, unsigned int flags, int ret)
{
	__u32 slot;
	int error;

	if (ret)
		return verdict(ret);
	slot = prepare(ASK(FILE_RENAME), &error);
	if (slot == NO_SLOT)
		return error;
	if (flags & RENAME_EXCHANGE)
		error = judge_exchange(slot, address_of(new_dir->mnt), address_of(new_dentry), address_of(old_dir->mnt),
				       address_of(old_dentry));
	if (error) {
		release(slot);
		return verdict(error);
	}
	return conclude(slot, name_both(slot, old_dir->mnt, old_dentry, new_dir->mnt, new_dentry));
}

#endif
