/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Entries of directories: what is made, removed, linked and renamed. */
#ifndef SEKISHO_ENTRY_H
#define SEKISHO_ENTRY_H

#include "file.h"

SEC("lsm/path_unlink")
int BPF_PROG(path_unlink, const struct path *dir, struct dentry *dentry, int ret)
{
	return ret ? verdict(ret) : ask_in(dir, ASK(FILE_UNLINK), dentry, false, 0);
}

SEC("lsm/path_rmdir")
int BPF_PROG(path_rmdir, const struct path *dir, struct dentry *dentry, int ret)
{
	return ret ? verdict(ret) : ask_in(dir, ASK(FILE_RMDIR), dentry, true, 0);
}

SEC("lsm/path_mkdir")
int BPF_PROG(path_mkdir, const struct path *dir, struct dentry *dentry, unsigned short mode, int ret)
{
	return ret ? verdict(ret) : ask_in(dir, ASK(FILE_MKDIR), dentry, true, mode & S_IALLUGO);
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
	__u64 asked = making(mode);

	forget_made();
	if (ret)
		return verdict(ret);
	if (asked & NUMBERED)
		return ask_in(dir, asked, dentry, false, mode & S_IALLUGO);
	return ask_entry(asked, dir->mnt, dentry, false, mode & S_IALLUGO, (device & 0xfff00) >> 8,
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

/* Both names into the slot. The second is a directory's if the first is, though there may be nothing yet that it names. */
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

/* Nothing is renamed from one mount to another. */
SEC("lsm/path_rename")
int BPF_PROG(path_rename, const struct path *old_dir, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry, unsigned int flags, int ret)
{
	struct inode *inode = old_dentry->d_inode;
	struct member member = { .directory = old_dir->dentry->d_inode, .mnt = old_dir->mnt, .dentry = old_dentry,
				 .other = new_dentry };

	if (ret)
		return verdict(ret);
	member.slash = present(inode) && (inode->i_mode & S_IFMT) == S_IFDIR;
	member.apart = address_of(old_dir->dentry) != address_of(new_dir->dentry);
	return ask_member(ASK(FILE_RENAME), &member);
}

/* An exchange is two renames: this is the other one. Of its own, for kernels that would have it use too much stack. */
SEC("lsm/path_rename")
int BPF_PROG(path_exchange, const struct path *old_dir, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry, unsigned int flags, int ret)
{
	__u32 slot;
	int error;

	if (ret || !(flags & RENAME_EXCHANGE))
		return verdict(ret);
	slot = prepare(ASK(FILE_RENAME), &error);
	if (slot == NO_SLOT)
		return error;
	return conclude(slot, name_both(slot, new_dir->mnt, new_dentry, old_dir->mnt, old_dentry));
}

#endif
