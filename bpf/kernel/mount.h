/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What names are built from, beside base.h: file systems, mount namespaces, and what gives odd objects their names. */
#ifndef SEKISHO_KERNEL_MOUNT_H
#define SEKISHO_KERNEL_MOUNT_H

#include "base.h"

#define PROC_SUPER_MAGIC 0x9fa0
#define PIPEFS_MAGIC 0x50495045
#define SOCKFS_MAGIC 0x534f434b
#define ANON_INODE_FS_MAGIC 0x09041934
#define NSFS_MAGIC 0x6e736673
#define PIDFS_MAGIC 0x50494446
#define DMA_BUF_MAGIC 0x444d4142

#define FS_REQUIRES_DEV 1

struct dentry_operations {
	char *(*d_dname)(struct dentry *dentry, char *buffer, int size);
} RELOCATED;

struct inode_operations {
	int (*rename)(void);
} RELOCATED;

/* Where short names are, since 6.14. */
union shortname_store {
	unsigned char string[32];
} RELOCATED;

/* The fields that names need of structures that base.h has too. */
struct dentry___named {
	struct { struct { unsigned int sequence; } seqcount; } d_seq;
	struct dentry___named *d_parent;
	struct qstr d_name;
	unsigned char d_iname[32];	/* before 6.14 */
	union shortname_store d_shortname;
	struct inode___named *d_inode;
	struct super_block___named *d_sb;
	const struct dentry_operations *d_op;
	void *d_fsdata;
} RELOCATED;

struct inode___named {
	const struct inode_operations *i_op;
	void *i_private;
} RELOCATED;

struct file_system_type___named {
	int fs_flags;
} RELOCATED;

struct super_block___named {
	struct dentry___named *s_root;
	struct file_system_type___named *s_type;
} RELOCATED;

struct ns_common {
	__u64 ns_id;
	const struct proc_ns_operations *ops;
} RELOCATED;

struct proc_ns_operations {
	const char *name;
} RELOCATED;

/* A namespace that holds a detached tree: seq is 0, or since 6.18 its id is. */
struct mnt_namespace {
	__u64 seq;
	bool is_anon;
	struct ns_common ns;
	struct mount *root;
} RELOCATED;

struct pid;

struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
} RELOCATED;

struct signal_struct {
	struct pid *pids[4];	/* by enum pid_type */
} RELOCATED;

#define PIDTYPE_TGID 1

struct nsproxy___named {
	struct mnt_namespace *mnt_ns;
} RELOCATED;

struct task_struct___named {
	struct signal_struct *signal;
	struct nsproxy___named *nsproxy;
} RELOCATED;

struct dma_buf {
	const char *name;
} RELOCATED;

#define EINVAL 22

#define MS_REMOUNT 32
#define MS_BIND 0x1000
#define MS_MOVE 0x2000
#define MS_UNBINDABLE (1 << 17)
#define MS_PRIVATE (1 << 18)
#define MS_SLAVE (1 << 19)
#define MS_SHARED (1 << 20)
#define MS_MGC_VAL 0xc0ed0000
#define MS_MGC_MSK 0xffff0000

/* The mounts of a file system: a list until 6.17, then a chain. */
struct list_head___both {
	struct list_head *next, *prev;
} RELOCATED;

struct super_block___mounts {
	struct list_head___both s_mounts;
} RELOCATED;

struct super_block___chain {
	struct mount *s_mounts;
} RELOCATED;

struct mount___chain {
	struct mount *mnt_next_for_sb;
} RELOCATED;

#endif
