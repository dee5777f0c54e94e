/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Entries of directories: what is made, removed, linked and renamed. */
#ifndef SEKISHO_ENTRY_H
#define SEKISHO_ENTRY_H

#include "file.h"

SEC("lsm/path_unlink")
int BPF_PROG(path_unlink, const struct path *dir, struct dentry *dentry, int ret)
{
	struct asking asking = { .asked = ASK(FILE_UNLINK) };

	return ret ? verdict(ret) : ask_of(&asking, dir->mnt, dentry);
}

SEC("lsm/path_rmdir")
int BPF_PROG(path_rmdir, const struct path *dir, struct dentry *dentry, int ret)
{
	struct asking asking = { .asked = ASK(FILE_RMDIR), .slash = true };

	return ret ? verdict(ret) : ask_of(&asking, dir->mnt, dentry);
}

SEC("lsm/path_mkdir")
int BPF_PROG(path_mkdir, const struct path *dir, struct dentry *dentry, unsigned short mode, int ret)
{
	struct asking asking = { .asked = ASK(FILE_MKDIR), .numbers = { mode & S_IALLUGO }, .slash = true };

	return ret ? verdict(ret) : ask_of(&asking, dir->mnt, dentry);
}

/* Files that are opened into being come here too, and sockets that are bound to a path. */
SEC("lsm/path_mknod")
int BPF_PROG(path_mknod, const struct path *dir, struct dentry *dentry, unsigned short mode, unsigned int device,
	     int ret)
{
	struct asking asking = { .asked = ASK(FILE_CREATE), .numbers = { mode & S_IALLUGO } };
	__u32 kind = mode & S_IFMT;

	if (ret)
		return verdict(ret);
	if (kind == S_IFIFO) {
		asking.asked = ASK(FILE_MKFIFO);
	} else if (kind == S_IFSOCK) {
		asking.asked = ASK(FILE_MKSOCK);
	} else if (kind == S_IFBLK || kind == S_IFCHR) {
		asking.asked = kind == S_IFBLK ? ASK(FILE_MKBLOCK) : ASK(FILE_MKCHAR);
		asking.numbers[1] = (device & 0xfff00) >> 8;
		asking.numbers[2] = (device & 0xff) | ((device >> 12) & 0xfff00);
	}
	return ask_of(&asking, dir->mnt, dentry);
}

SEC("lsm/path_symlink")
int BPF_PROG(path_symlink, const struct path *dir, struct dentry *dentry, const char *target, int ret)
{
	__u64 asked;
	__u32 domain, slot;
	struct scratch *scratch;
	long length;
	int error;

	if (ret)
		return verdict(ret);
	asked = checked(FAMILY_NAME, ASK(FILE_SYMLINK), &domain);
	if (!asked)
		return 0;
	slot = begin(FAMILY_NAME, asked, domain);
	scratch = slot_of(slot);
	if (!scratch)
		return verdict(crowded(domain, FAMILY_NAME, asked));
	error = name_entry(slot, FIRST, dir->mnt, dentry, false);
	length = bpf_probe_read_kernel_str(scratch->third.bytes, NAME_BYTES, target);
	if (length <= 0)
		error = error ? error : -EAGAIN;
	else if (length == NAME_BYTES)
		error = error ? error : -ENAMETOOLONG;
	else
		scratch->third.length = length - 1;
	error = error ? judge_unnameable(slot, error) : judge(slot);
	release(slot);
	return verdict(error);
}

/* What an operation on two names is asked with; both are directories' if slash. */
struct pair {
	__u64 asked;
	struct vfsmount *first_mnt, *second_mnt;
	struct dentry *first, *second;
	bool slash;
};

static __always_inline int ask_pair(const struct pair *pair)
{
	__u64 asked;
	__u32 domain, slot;
	int error;

	asked = checked(FAMILY_NAME, pair->asked, &domain);
	if (!asked)
		return 0;
	slot = begin(FAMILY_NAME, asked, domain);
	if (slot == NO_SLOT)
		return verdict(crowded(domain, FAMILY_NAME, asked));
	error = name_entry(slot, FIRST, pair->first_mnt, pair->first, pair->slash);
	if (!error)
		error = name_entry(slot, SECOND, pair->second_mnt, pair->second, pair->slash);
	error = error ? judge_unnameable(slot, error) : judge(slot);
	release(slot);
	return verdict(error);
}

static __always_inline bool is_directory(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	return inode && (inode->i_mode & S_IFMT) == S_IFDIR;
}

/* A hard link can't leave its mount, so that of the new name is the old one's. */
SEC("lsm/path_link")
int BPF_PROG(path_link, struct dentry *old_dentry, const struct path *new_dir, struct dentry *new_dentry, int ret)
{
	struct pair pair = {
		.asked = ASK(FILE_LINK),
		.first_mnt = new_dir->mnt, .first = old_dentry,
		.second_mnt = new_dir->mnt, .second = new_dentry,
	};

	return ret ? verdict(ret) : ask_pair(&pair);
}

/* An exchange is two renames: the other way round is asked first. */
SEC("lsm/path_rename")
int BPF_PROG(path_rename, const struct path *old_dir, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry, unsigned int flags, int ret)
{
	struct pair there = {
		.asked = ASK(FILE_RENAME),
		.first_mnt = old_dir->mnt, .first = old_dentry,
		.second_mnt = new_dir->mnt, .second = new_dentry,
		.slash = is_directory(old_dentry),
	};
	struct pair back = {
		.asked = ASK(FILE_RENAME),
		.first_mnt = new_dir->mnt, .first = new_dentry,
		.second_mnt = old_dir->mnt, .second = old_dentry,
		.slash = is_directory(new_dentry),
	};
	int error = 0;

	if (ret)
		return verdict(ret);
	if (flags & RENAME_EXCHANGE)
		error = ask_pair(&back);
	return error ? verdict(error) : ask_pair(&there);
}

#endif
