/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Names of what has no path: the kernel makes them up (d_dname), and TOMOYO takes them as they are. */
#ifndef SEKISHO_NAMES_SPECIAL_H
#define SEKISHO_NAMES_SPECIAL_H

#include "walk.h"

/* Text before place; where it begins then. Callers see to it that there is room. */
#define put(scratch, place, text, size) ({				\
	__u32 begin_ = ((place) - (size)) & (TEXT_BYTES / 2 - 1);	\
	__builtin_memcpy((scratch)->work + begin_, text, size);		\
	begin_;								\
})

/* A number in decimal. */
__noinline int put_number(__u32 slot, __u32 place, __u64 number)
{
	struct scratch *scratch = slot_of(slot);

	if (!scratch)
		return place;
	for (int i = 0; i < 20; i++) {
		place = (place - 1) & (TEXT_BYTES / 2 - 1);
		scratch->work[place] = '0' + number % 10;
		number /= 10;
		if (!number)
			break;
	}
	return place;
}

/* A string of the kernel's (an address), of 63 bytes at most. */
__noinline int put_string(__u32 slot, __u32 place, __u64 string)
{
	struct scratch *scratch = slot_of(slot);
	char text[64];
	long length = bpf_probe_read_kernel_str(text, sizeof(text), (void *)string) - 1;

	if (!scratch || length <= 0 || length > 63)
		return place;
	place = (place - length) & (TEXT_BYTES / 2 - 1);
	bpf_probe_read_kernel(scratch->work + place, length, (void *)string);
	return place;
}

/* A dentry's (an address) own name. */
__noinline int put_entry(__u32 slot, __u32 place, __u64 address)
{
	struct scratch *scratch = slot_of(slot);
	struct dentry *dentry = (void *)address;
	__u32 length = BPF_CORE_READ(dentry, d_name.len);

	if (!scratch || length > COMPONENT)
		return place;
	place = (place - length) & (TEXT_BYTES / 2 - 1);
	bpf_probe_read_kernel(scratch->work + place, length, BPF_CORE_READ(dentry, d_name.name));
	return place;
}

/* KIND:[N], N being the number of the inode. */
static __always_inline __u32 put_numbered(__u32 slot, struct scratch *scratch, __u32 place, __u64 number)
{
	place = put(scratch, place, "]", 1);
	place = put_number(slot, place, number);
	return put(scratch, place, ":[", 2);
}

/* The name that its file system makes up for dentry, before place in work: where it begins. */
__noinline int special_in_work(__u32 slot, __u32 place, __u64 address)
{
	struct scratch *scratch = slot_of(slot);
	struct dentry *dentry = (void *)address;
	struct dentry___named *named = (void *)dentry;
	struct inode___named *inode = (void *)BPF_CORE_READ(dentry, d_inode);
	__u64 number = BPF_CORE_READ(dentry, d_inode, i_ino);
	struct dma_buf *buffer = BPF_CORE_READ(named, d_fsdata);
	struct ns_common *space;

	if (!scratch)
		return -EAGAIN;
	switch (BPF_CORE_READ(dentry, d_sb, s_magic)) {
	case PIPEFS_MAGIC:
		place = put_numbered(slot, scratch, place, number);
		return put(scratch, place, "pipe", 4);
	case SOCKFS_MAGIC:
		place = put_numbered(slot, scratch, place, number);
		return put(scratch, place, "socket", 6);
	case NSFS_MAGIC:
		space = BPF_CORE_READ(inode, i_private);
		place = put_numbered(slot, scratch, place, number);
		return put_string(slot, place, (__u64)BPF_CORE_READ(space, ops, name));
	case PIDFS_MAGIC:
		return put(scratch, place, "anon_inode:[pidfd]", 18);
	case ANON_INODE_FS_MAGIC:
		place = put_entry(slot, place, address);
		return put(scratch, place, "anon_inode:", 11);
	case DMA_BUF_MAGIC:
		place = put_string(slot, place, (__u64)BPF_CORE_READ(buffer, name));
		place = put(scratch, place, ":", 1);
		break;
	default:
		place = put(scratch, place, " (deleted)", 10);
	}
	place = put_entry(slot, place, address);
	return put(scratch, place, "/", 1);
}

#endif
