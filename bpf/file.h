/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Files: what is opened, made, removed, renamed and changed. */
#ifndef SEKISHO_FILE_H
#define SEKISHO_FILE_H

#include "judge.h"
#include "link.h"
#include "member.h"
#include "names.h"
#include "task.h"

#define O_ACCMODE 3
#define O_WRONLY 1
#define O_APPEND 02000
#define FMODE_EXEC 0x20		/* in f_flags: opened to be executed */
#define FMODE_BACKING (1u << 25)	/* opened by a file system that lies on others, for a file checked already */
#define FMODE_CREATED (1u << 20)
#define O_EXCL 0200

#define F_SETFL 4
#define RENAME_EXCHANGE 2
#define S_IALLUGO 07777
#define NOBODY 0xffffffffu	/* the owner isn't to change */

#define ASK(operation) (1ull << BIT_##operation)

/*
 * A slot that holds the request of the current task, without names; with NO_SLOT in the lower half, the upper is what
 * the request is answered. The verifier goes through it once, and not once more for each way out of it.
 */
__noinline __u64 prepared(__u64 asked, __u32 domain)
{
	__u32 slot;
	int error = 0;

	if (!asked)
		return NO_SLOT;
	slot = begin(FAMILY_NAME, asked, domain);
	if (slot == NO_SLOT)
		error = crowded(domain, FAMILY_NAME, asked);
	return (__u64)error << 32 | slot;
}

static __always_inline __u32 prepare_for(struct asker *asker, int *error)
{
	__u64 both = prepared(asker->asked, asker->domain);

	*error = verdict((int)(both >> 32));
	return both;
}

static __always_inline __u32 prepare(__u64 asked, int *error)
{
	struct asker asker = {};

	asker.asked = checked(FAMILY_NAME, asked, &asker.domain);
	return prepare_for(&asker, error);
}

/* The verdict on the request whose name has been built, or couldn't be. */
static __always_inline int conclude(__u32 slot, int error)
{
	error = error ? judge_unnameable(slot, error) : judge(slot);
	release(slot);
	return verdict(error);
}

/* The verdict on operations on one file; slash: the name is a directory's, even if none is there yet. */
static __always_inline int ask_entry(__u64 asked, struct vfsmount *mnt, struct dentry *dentry, bool slash,
				     __u64 first, __u64 second, __u64 third)
{
	struct scratch *scratch;
	int error;
	__u32 slot = prepare(asked, &error);

	scratch = slot_of(slot);
	if (!scratch)
		return error;
	scratch->numbers[0] = first;
	scratch->numbers[1] = second;
	scratch->numbers[2] = third;
	return conclude(slot, name_entry(slot, FIRST, mnt, dentry, slash));
}

/* The same of a member: nothing matters but its name, its number, and the other name. */
static __always_inline int ask_member(__u64 asked, struct member *member)
{
	struct scratch *scratch;
	int error;
	__u32 slot;

	member->asker = asker_of(asked);
	if (!member->asker.asked || is_granted_entry(member))
		return 0;
	slot = prepare_for(&member->asker, &error);
	scratch = slot_of(slot);
	if (!scratch)
		return error;
	scratch->numbers[0] = member->number;
	look(scratch, member->mnt, member->dentry);
	error = name_entry(slot, FIRST, member->mnt, member->dentry, member->slash);
	if (!error && member->other)
		error = name_entry(slot, SECOND, member->mnt, member->other, member->slash);
	error = error ? judge_unnameable(slot, error) : judge(slot);
	if (!error)
		remember_entry(scratch, member);
	release(slot);
	return verdict(error);
}

/* The verdict on an operation on one entry of the directory. */
static __always_inline int ask_in(const struct path *dir, __u64 asked, struct dentry *dentry, bool slash, __u64 number)
{
	struct member member = { .directory = dir->dentry->d_inode, .mnt = dir->mnt, .dentry = dentry, .slash = slash,
				 .number = number };

	return ask_member(asked, &member);
}

/* The verdict on operations on a file that is there, of which nothing matters but its name. */
static __always_inline int ask_file(__u64 asked, struct vfsmount *mnt, struct dentry *dentry, struct inode *inode)
{
	struct asker asker = asker_of(asked);
	struct scratch *scratch;
	int error;
	__u32 slot;

	if (!asker.asked || is_granted(&asker, mnt, dentry, inode))
		return 0;
	slot = prepare_for(&asker, &error);
	scratch = slot_of(slot);
	if (!scratch)
		return error;
	look(scratch, mnt, dentry);
	error = name_entry(slot, FIRST, mnt, dentry, false);
	error = error ? judge_unnameable(slot, error) : judge(slot);
	if (!error)
		remember(scratch, inode);
	release(slot);
	return verdict(error);
}

/* The same of one that this very call has made; alone: the call would fail if it were there, and can't begin anew. */
static __always_inline int ask_made(__u64 asked, struct vfsmount *mnt, struct dentry *dentry, bool alone)
{
	struct asker asker = asker_of(asked);
	struct scratch *scratch;
	int error;
	__u32 slot;

	if (!asker.asked || is_granted_made(&asker, mnt, dentry))
		return 0;
	slot = prepare_for(&asker, &error);
	scratch = slot_of(slot);
	if (!scratch)
		return error;
	scratch->once = alone;
	look(scratch, mnt, dentry);
	error = name_entry(slot, FIRST, mnt, dentry, false);
	error = error ? judge_unnameable(slot, error) : judge(slot);
	if (!error)
		remember_made(scratch, dentry);
	release(slot);
	return verdict(error);
}

static __always_inline int ask_there(__u64 asked, const struct path *path)
{
	return ask_file(asked, path->mnt, path->dentry, path->dentry->d_inode);
}

static __always_inline int ask_number(__u64 asked, const struct path *path, __u64 number)
{
	return ask_entry(asked, path->mnt, path->dentry, false, number, 0, 0);
}

/* What opening with these flags asks for. */
static __always_inline __u64 open_asks(unsigned int flags)
{
	__u64 write = flags & O_APPEND ? ASK(FILE_APPEND) : ASK(FILE_WRITE);

	switch (flags & O_ACCMODE) {
	case 0:
		return ASK(FILE_READ);
	case O_WRONLY:
		return write;
	}
	/* Access mode 3 is good for ioctl only, but the kernel's TOMOYO asks for both. */
	return ASK(FILE_READ) | write;
}

SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file, int ret)
{
	__u64 asked;

	if (ret)
		return verdict(ret);
	/* What execution opens is checked there; the other side of an overlay is opened for who may open this one. */
	if (file->f_flags & FMODE_EXEC) {
		opened_for_exec(file);
		return 0;
	}
	if (file->f_mode & FMODE_BACKING)
		return 0;
	asked = open_asks(file->f_flags);
	if (file->f_mode & FMODE_CREATED)
		return ask_made(asked, file->f_path.mnt, file->f_path.dentry, file->f_flags & O_EXCL);
	return ask_file(asked, file->f_path.mnt, file->f_path.dentry, file->f_inode);
}

SEC("lsm/path_truncate")
int BPF_PROG(path_truncate, const struct path *path, int ret)
{
	return ret ? verdict(ret) : ask_there(ASK(FILE_TRUNCATE), path);
}

/* Since 6.2; before, path_truncate is asked for files that are open too. */
SEC("lsm/file_truncate")
int BPF_PROG(file_truncate, struct file *file, int ret)
{
	return ret ? verdict(ret) : ask_file(ASK(FILE_TRUNCATE), file->f_path.mnt, file->f_path.dentry, file->f_inode);
}

SEC("lsm/inode_getattr")
int BPF_PROG(inode_getattr, const struct path *path, int ret)
{
	return ret ? verdict(ret) : ask_there(ASK(FILE_GETATTR), path);
}

SEC("lsm/file_ioctl")
int BPF_PROG(file_ioctl, struct file *file, unsigned int command, unsigned long argument, int ret)
{
	return ret ? verdict(ret) : ask_number(ASK(FILE_IOCTL), &file->f_path, command);
}

SEC("lsm/file_ioctl_compat")
int BPF_PROG(file_ioctl_compat, struct file *file, unsigned int command, unsigned long argument, int ret)
{
	return ret ? verdict(ret) : ask_number(ASK(FILE_IOCTL), &file->f_path, command);
}

/* Whoever gives up O_APPEND, or takes it, asks for what he could have opened the file for. */
SEC("lsm/file_fcntl")
int BPF_PROG(file_fcntl, struct file *file, unsigned int command, unsigned long argument, int ret)
{
	if (ret)
		return verdict(ret);
	if (command != F_SETFL || !((argument ^ file->f_flags) & O_APPEND))
		return 0;
	return ask_file(argument & O_APPEND ? ASK(FILE_APPEND) : ASK(FILE_WRITE), file->f_path.mnt, file->f_path.dentry,
			file->f_inode);
}

SEC("lsm/path_chmod")
int BPF_PROG(path_chmod, const struct path *path, unsigned short mode, int ret)
{
	return ret ? verdict(ret) : ask_number(ASK(FILE_CHMOD), path, mode & S_IALLUGO);
}

/* Owner and group are two requests, on a name that is built once. */
SEC("lsm/path_chown")
int BPF_PROG(path_chown, const struct path *path, __u64 uid, __u64 gid, int ret)
{
	__u64 operations = ((__u32)uid != NOBODY ? ASK(FILE_CHOWN) : 0) | ((__u32)gid != NOBODY ? ASK(FILE_CHGRP) : 0);
	struct scratch *scratch;
	__u64 asked;
	__u32 slot;
	int error;

	if (ret || !operations)
		return verdict(ret);
	slot = prepare(operations, &error);
	scratch = slot_of(slot);
	if (!scratch)
		return error;
	error = name_path(slot, FIRST, path->mnt, path->dentry);
	if (error)
		return conclude(slot, error);
	asked = scratch->asked;
	if (asked & ASK(FILE_CHOWN)) {
		scratch->asked = ASK(FILE_CHOWN);
		scratch->numbers[0] = (__u32)uid;
		error = judge(slot);
	}
	if (!error && asked & ASK(FILE_CHGRP)) {
		scratch->asked = ASK(FILE_CHGRP);
		scratch->numbers[0] = (__u32)gid;
		error = judge(slot);
	}
	release(slot);
	return verdict(error);
}

SEC("lsm/path_chroot")
int BPF_PROG(path_chroot, const struct path *path, int ret)
{
	return ret ? verdict(ret) : ask_entry(ASK(FILE_CHROOT), path->mnt, path->dentry, true, 0, 0, 0);
}

#endif
