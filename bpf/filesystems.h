/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Which types of file systems lie on a device: the kernel's own list can't be reached from here. */
#ifndef SEKISHO_FILESYSTEMS_H
#define SEKISHO_FILESYSTEMS_H

#include "scratch.h"

#define TYPE_BYTES 16
#define FIRST_ON_DEVICE 64

enum lies_on {
	ON_NOTHING,
	ON_DEVICE,
	ON_UNKNOWN,
};

#define TYPES 128

/* First those that lie on nothing. */
static const char types[TYPES][TYPE_BYTES] = {
	"9p", "afs", "autofs", "bcachefs", "bdev", "binder", "binfmt_misc", "bpf", "ceph", "cgroup", "cgroup2", "cifs",
	"coda", "configfs", "cpuset", "debugfs", "devpts", "devtmpfs", "ecryptfs", "efivarfs", "functionfs", "fuse",
	"fusectl", "gadgetfs", "hugetlbfs", "ipathfs", "mqueue", "ncpfs", "nfs", "nfs4", "nfsd", "nsfs", "ocfs2_dlmfs",
	"orangefs", "overlay", "pipefs", "proc", "pstore", "pvfs2", "ramfs", "resctrl", "rootfs", "rpc_pipefs",
	"securityfs", "selinuxfs", "shiftfs", "smackfs", "smb3", "sockfs", "sysfs", "tmpfs", "tracefs", "ubifs", "virtiofs",
	"vboxsf", "xenfs", "zfs",
	[FIRST_ON_DEVICE] = "adfs", "affs", "befs", "bfs", "btrfs", "cramfs", "efs", "erofs", "exfat", "ext2", "ext3", "ext4",
	"f2fs",
	"freevxfs", "fuseblk", "gfs2", "gfs2meta", "hfs", "hfsplus", "hpfs", "iso9660", "jfs", "minix", "msdos", "nilfs2",
	"ntfs", "ntfs3", "ocfs2", "omfs", "qnx4", "qnx6", "reiserfs", "romfs", "squashfs", "sysv", "udf", "ufs", "v7",
	"vfat", "vxfs", "xfs", "zonefs",
};

struct sought {
	__u64 first, second;	/* the type, as two words */
	__u64 found;		/* enum lies_on */
};

/* A loop of the verifier's own would be followed through each of the types. */
static long compare_type(__u32 index, struct sought *sought)
{
	const __u64 *type = (const __u64 *)types[index & (TYPES - 1)];

	if (type[0] != sought->first || type[1] != sought->second)
		return 0;
	sought->found = index < FIRST_ON_DEVICE ? ON_NOTHING : ON_DEVICE;
	return 1;
}

/* What file systems of the type (an address) lie on. Of fuse.NAME, fuse counts. */
__noinline int lies_on(__u64 type)
{
	__u64 text[2] = {};
	struct sought sought = { .found = ON_UNKNOWN };

	if (bpf_probe_read_kernel_str(text, TYPE_BYTES, (void *)type) <= 0)
		return ON_UNKNOWN;
	if ((text[0] & 0xffffffffffull) == *(const __u64 *)"fuse.\0\0")
		return ON_NOTHING;
	if (text[0] == *(const __u64 *)"fuseblk.")
		return ON_DEVICE;
	sought.first = text[0];
	sought.second = text[1];
	bpf_loop(TYPES, compare_type, &sought, 0);
	return sought.found;
}

#endif
