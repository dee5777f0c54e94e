/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Files: what is opened, made, removed, renamed and changed. */
#ifndef SEKISHO_FILE_H
#define SEKISHO_FILE_H

#include "judge.h"
#include "link.h"
#include "names.h"
#include "task.h"

#define O_ACCMODE 3
#define O_WRONLY 1
#define O_RDWR 2
#define O_APPEND 02000
#define FMODE_EXEC 0x20		/* in f_flags: opened to be executed */
#define FMODE_BACKING (1u << 25)	/* opened by a file system that lies on others, for a file checked already */
#define F_SETFL 4
#define RENAME_EXCHANGE 2
#define S_IALLUGO 07777
#define NOBODY 0xffffffffu	/* the owner isn't to change */

#define ASK(operation) (1ull << BIT_##operation)

/* What a request may be about besides its name. */
struct asking {
	__u64 asked;
	__u64 numbers[3];
	bool slash;		/* the name is a directory's, even if none is there yet */
};

/* The verdict on operations on one file. */
static __always_inline int ask_of(const struct asking *asking, struct vfsmount *mnt, struct dentry *dentry)
{
	struct scratch *scratch;
	__u32 domain, slot;
	__u64 asked;
	int error;

	asked = checked(FAMILY_NAME, asking->asked, &domain);
	if (!asked)
		return 0;
	slot = begin(FAMILY_NAME, asked, domain);
	scratch = slot_of(slot);
	if (!scratch)
		return verdict(crowded(domain, FAMILY_NAME, asked));
	scratch->numbers[0] = asking->numbers[0];
	scratch->numbers[1] = asking->numbers[1];
	scratch->numbers[2] = asking->numbers[2];
	error = name_entry(slot, FIRST, mnt, dentry, asking->slash);
	error = error ? judge_unnameable(slot, error) : judge(slot);
	release(slot);
	return verdict(error);
}

static __always_inline int ask(__u64 asked, const struct path *path)
{
	struct asking asking = { .asked = asked };

	return ask_of(&asking, path->mnt, path->dentry);
}

static __always_inline int ask_number(__u64 asked, const struct path *path, __u64 number)
{
	struct asking asking = { .asked = asked, .numbers = { number } };

	return ask_of(&asking, path->mnt, path->dentry);
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
	case O_RDWR:
		return ASK(FILE_READ) | write;
	}
	return 0;
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
	return asked ? ask(asked, &file->f_path) : 0;
}

SEC("lsm/path_truncate")
int BPF_PROG(path_truncate, const struct path *path, int ret)
{
	return ret ? verdict(ret) : ask(ASK(FILE_TRUNCATE), path);
}

/* Since 6.2; before, path_truncate is asked for files that are open too. */
SEC("lsm/file_truncate")
int BPF_PROG(file_truncate, struct file *file, int ret)
{
	return ret ? verdict(ret) : ask(ASK(FILE_TRUNCATE), &file->f_path);
}

SEC("lsm/inode_getattr")
int BPF_PROG(inode_getattr, const struct path *path, int ret)
{
	return ret ? verdict(ret) : ask(ASK(FILE_GETATTR), path);
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
	return ask(argument & O_APPEND ? ASK(FILE_APPEND) : ASK(FILE_WRITE), &file->f_path);
}

SEC("lsm/path_chmod")
int BPF_PROG(path_chmod, const struct path *path, unsigned short mode, int ret)
{
	return ret ? verdict(ret) : ask_number(ASK(FILE_CHMOD), path, mode & S_IALLUGO);
}

/* Owner and group are two requests. */
SEC("lsm/path_chown")
int BPF_PROG(path_chown, const struct path *path, __u64 uid, __u64 gid, int ret)
{
	int error = 0;

	if (ret)
		return verdict(ret);
	if ((__u32)uid != NOBODY)
		error = ask_number(ASK(FILE_CHOWN), path, (__u32)uid);
	if (!error && (__u32)gid != NOBODY)
		error = ask_number(ASK(FILE_CHGRP), path, (__u32)gid);
	return verdict(error);
}

SEC("lsm/path_chroot")
int BPF_PROG(path_chroot, const struct path *path, int ret)
{
	struct asking asking = { .asked = ASK(FILE_CHROOT), .slash = true };

	return ret ? verdict(ret) : ask_of(&asking, path->mnt, path->dentry);
}

#endif
