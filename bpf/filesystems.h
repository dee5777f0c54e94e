/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Which types of file systems lie on a device: the kernel's own list can't be reached from here. */
#ifndef SEKISHO_FILESYSTEMS_H
#define SEKISHO_FILESYSTEMS_H

#include "scratch.h"

#define TYPE_BYTES 16

enum lies_on {
	ON_NOTHING,
	ON_DEVICE,
	ON_UNKNOWN,
};

static const char on_nothing[][TYPE_BYTES] = {
	"9p", "afs", "autofs", "bcachefs", "bdev", "binder", "binfmt_misc", "bpf", "ceph", "cgroup", "cgroup2", "cifs",
	"coda", "configfs", "cpuset", "debugfs", "devpts", "devtmpfs", "ecryptfs", "efivarfs", "functionfs", "fuse",
	"fusectl", "gadgetfs", "hugetlbfs", "ipathfs", "mqueue", "ncpfs", "nfs", "nfs4", "nfsd", "nsfs", "ocfs2_dlmfs",
	"orangefs", "overlay", "pipefs", "proc", "pstore", "pvfs2", "ramfs", "resctrl", "rootfs", "rpc_pipefs",
	"securityfs", "selinuxfs", "shiftfs", "smackfs", "smb3", "sockfs", "sysfs", "tmpfs", "tracefs", "ubifs", "virtiofs",
	"vboxsf", "xenfs", "zfs",
};

static const char on_device[][TYPE_BYTES] = {
	"adfs", "affs", "befs", "bfs", "btrfs", "cramfs", "efs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs",
	"freevxfs", "fuseblk", "gfs2", "gfs2meta", "hfs", "hfsplus", "hpfs", "iso9660", "jfs", "minix", "msdos", "nilfs2",
	"ntfs", "ntfs3", "ocfs2", "omfs", "qnx4", "qnx6", "reiserfs", "romfs", "squashfs", "sysv", "udf", "ufs", "v7",
	"vfat", "vxfs", "xfs", "zonefs",
};

#define LISTED(list, high, low) ({							\
	bool found_ = false;								\
	for (unsigned int i_ = 0; i_ < sizeof(list) / TYPE_BYTES; i_++)			\
		found_ |= *(const __u64 *)list[i_] == (high) && *(const __u64 *)(list[i_] + 8) == (low);	\
	found_;										\
})

/* What file systems of the type (an address) lie on. Of fuse.NAME, fuse counts. */
__noinline int lies_on(__u64 type)
{
	char text[TYPE_BYTES] __attribute__((aligned(8))) = {};
	bool over = false;

	if (bpf_probe_read_kernel_str(text, sizeof(text), (void *)type) <= 0)
		return ON_UNKNOWN;
#pragma unroll
	for (int i = 0; i < TYPE_BYTES; i++) {
		over |= !text[i] || text[i] == '.';
		if (over)
			text[i] = 0;
	}
	if (LISTED(on_nothing, *(__u64 *)text, *(__u64 *)(text + 8)))
		return ON_NOTHING;
	return LISTED(on_device, *(__u64 *)text, *(__u64 *)(text + 8)) ? ON_DEVICE : ON_UNKNOWN;
}

#endif
