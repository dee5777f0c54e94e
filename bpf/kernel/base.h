/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What we read of the kernel's own structures: their fields that are used here and no others. The loader's relocations
 * put in where each of them is in the kernel that runs.
 */
#ifndef SEKISHO_KERNEL_BASE_H
#define SEKISHO_KERNEL_BASE_H

#include "types.h"

#define RELOCATED __attribute__((preserve_access_index))

typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#define EPERM 1
#define ENOENT 2
#define EAGAIN 11
#define ENOMEM 12
#define ENAMETOOLONG 36

#define S_IFMT 00170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000

typedef unsigned int umode_t_;

struct list_head {
	struct list_head *next;
} RELOCATED;

struct qstr {
	__u32 len;
	const unsigned char *name;
} RELOCATED;

struct super_block;
struct nameidata;

typedef struct { __u32 val; } kuid_t;
typedef struct { __u32 val; } kgid_t;

struct inode {
	unsigned short i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	__u32 i_rdev;
	unsigned int i_flags;
	unsigned int __i_nlink;
} RELOCATED;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
	unsigned int d_flags;
} RELOCATED;

struct file_system_type {
	const char *name;
} RELOCATED;

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
	struct dentry *s_root;
	struct file_system_type *s_type;
	unsigned long s_flags;
} RELOCATED;

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
} RELOCATED;

struct mnt_namespace;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
} RELOCATED;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} RELOCATED;

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	struct path f_path;
	struct inode *f_inode;
} RELOCATED;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
} RELOCATED;

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	const struct cred *cred;
	const struct cred *real_cred;
	struct nameidata *nameidata;
	unsigned in_execve : 1;
} RELOCATED;

#define PF_IO_WORKER 0x00000010
#define PF_KTHREAD 0x00200000

#endif
