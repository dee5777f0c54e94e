/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Mounting: by mount(2) as TOMOYO has it, and by the calls that came after it, which TOMOYO doesn't look at. */
#ifndef SEKISHO_MOUNT_H
#define SEKISHO_MOUNT_H

#include "file.h"
#include "filesystems.h"
#include "lookup.h"

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

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

SEC("lsm/sb_umount")
int BPF_PROG(sb_umount, struct vfsmount *mnt, int flags, int ret)
{
	return ret ? verdict(ret) : ask_entry(ASK(FILE_UNMOUNT), mnt, mnt->mnt_root, false, 0, 0, 0);
}

/* put_old is what becomes of the root so far, new_root what it is to be. */
SEC("lsm/sb_pivotroot")
int BPF_PROG(sb_pivotroot, const struct path *put_old, const struct path *new_root, int ret)
{
	__u64 mount = address_of(new_root->mnt), dentry = address_of(new_root->dentry);
	__u32 slot;
	int error;

	if (ret)
		return verdict(ret);
	slot = prepare(ASK(FILE_PIVOT_ROOT), &error);
	if (slot == NO_SLOT)
		return error;
	return conclude(slot, name_pair(slot, mount, dentry, address_of(put_old->mnt), address_of(put_old->dentry)));
}

/* A string (an address) as it was given, for the first name. */
__noinline int name_string(__u32 slot, __u64 string)
{
	struct scratch *scratch = slot_of(slot);
	__u32 place = WORK_END;
	long length;

	if (!scratch)
		return -EAGAIN;
	if (!string)
		return move_name(scratch, 0, put(scratch, place, "<NULL>", 6));
	length = bpf_probe_read_kernel_str(scratch->work + WORK_END, WORK_END, (void *)string);
	if (length <= 0)
		return -EAGAIN;
	if (length > NAME_BYTES)
		return -ENAMETOOLONG;
	bpf_probe_read_kernel(scratch->work + ((WORK_END - (length - 1)) & (TEXT_BYTES - 1)), (length - 1) & (WORK_END - 1),
			      scratch->work + WORK_END);
	return move_name(scratch, 0, WORK_END - (length - 1));
}

/* The type of a mount, from a string (an address). */
static __always_inline int type_string(struct scratch *scratch, __u64 string)
{
	long length = bpf_probe_read_kernel_str(scratch->third.bytes, NAME_BYTES, (void *)string);

	if (length <= 0 || length >= NAME_BYTES)
		return length <= 0 ? -EAGAIN : -ENAMETOOLONG;
	scratch->third.length = length - 1;
	return 0;
}

#define TYPE_WORD(scratch, word) ({					\
	__builtin_memcpy((scratch)->third.bytes, word, sizeof(word) - 1);	\
	(scratch)->third.length = sizeof(word) - 1;			\
	0;								\
})

/* What stands for the type where flags say that nothing new is mounted: the flag; 0: it is mounted by its type. */
__noinline __u32 word_of_flags(__u32 slot, __u32 flags)
{
	struct scratch *scratch = slot_of(slot);

	if (!scratch)
		return 0;
	if (flags & MS_REMOUNT)
		return TYPE_WORD(scratch, "--remount"), MS_REMOUNT;
	if (flags & MS_BIND)
		return TYPE_WORD(scratch, "--bind"), MS_BIND;
	if (flags & MS_SHARED)
		return TYPE_WORD(scratch, "--make-shared"), MS_SHARED;
	if (flags & MS_PRIVATE)
		return TYPE_WORD(scratch, "--make-private"), MS_PRIVATE;
	if (flags & MS_SLAVE)
		return TYPE_WORD(scratch, "--make-slave"), MS_SLAVE;
	if (flags & MS_UNBINDABLE)
		return TYPE_WORD(scratch, "--make-unbindable"), MS_UNBINDABLE;
	if (flags & MS_MOVE)
		return TYPE_WORD(scratch, "--move"), MS_MOVE;
	return 0;
}

/* Device, type and flags of a mount(2) into the slot; device and type are addresses. */
__noinline int describe_mount(__u32 slot, __u64 device, __u64 type, __u64 given)
{
	struct scratch *scratch = slot_of(slot);
	__u32 flags = given, word;
	int kind, error;

	if (!scratch)
		return -EAGAIN;
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~MS_MGC_MSK;
	word = word_of_flags(slot, flags);
	flags &= ~word;
	scratch->numbers[0] = flags;
	if (word & PROPAGATION && flags & PROPAGATION)
		return -EINVAL;
	if (word == MS_BIND || word == MS_MOVE)
		return look_up(slot, device);
	kind = ON_NOTHING;
	if (!word && type) {
		kind = lies_on(type);
		error = type_string(scratch, type);
		if (error)
			return error;
	} else if (!word) {
		TYPE_WORD(scratch, "<NULL>");
	}
	if (kind == ON_DEVICE)
		return look_up(slot, device);
	/* The name of what isn't there isn't compared; of a type that isn't known it is, as it stands. */
	scratch->ignore_first = kind == ON_NOTHING;
	return name_string(slot, device);
}

SEC("lsm/sb_mount")
int BPF_PROG(sb_mount, const char *device, const struct path *path, const char *type, unsigned long flags, void *data,
	     int ret)
{
	__u64 mount = address_of(path->mnt), dentry = address_of(path->dentry);
	__u32 slot;
	int error;

	if (ret)
		return verdict(ret);
	slot = prepare(ASK(FILE_MOUNT), &error);
	if (slot == NO_SLOT)
		return error;
	error = describe_mount(slot, address_of(device), address_of(type), flags);
	if (error == -EINVAL) {
		release(slot);
		return -EINVAL;
	}
	return conclude(slot, error ? error : name_of(slot, NAME_SECOND, mount, dentry));
}

/* Whether the file system is mounted nowhere else, and whole: what fsmount(2) gives, and no clone of a tree. */
static __always_inline bool mounted_once(struct mount *mount)
{
	struct super_block *sb = BPF_CORE_READ(mount, mnt.mnt_sb);
	struct super_block___mounts *listed = (void *)sb;

	if (BPF_CORE_READ(mount, mnt.mnt_root) != BPF_CORE_READ(sb, s_root))
		return false;
	if (bpf_core_field_exists(struct mount___chain, mnt_next_for_sb)) {
		struct mount___chain *first = (void *)BPF_CORE_READ((struct super_block___chain *)sb, s_mounts);

		return !BPF_CORE_READ(first, mnt_next_for_sb);
	}
	return BPF_CORE_READ(listed, s_mounts.next) == BPF_CORE_READ(listed, s_mounts.prev);
}

/*
 * What is mounted from there (a vfsmount's and a dentry's address): a tree that is moved, one that was cloned, which is
 * a bind mount of what is called by its place in its file system; or a new file system, whose device isn't known here.
 */
__noinline int describe_move(__u32 slot, __u64 mnt, __u64 dentry)
{
	struct mount *mount = (void *)(mnt - bpf_core_field_offset(struct mount, mnt));
	struct scratch *scratch = slot_of(slot);
	int error;

	if (!scratch)
		return -EAGAIN;
	if (attached((__u64)mount)) {
		TYPE_WORD(scratch, "--move");
		return name_of(slot, 0, mnt, dentry);
	}
	if (!mounted_once(mount)) {
		TYPE_WORD(scratch, "--bind");
		return name_of(slot, 0, mnt, dentry);
	}
	scratch->ignore_first = 1;
	error = type_string(scratch, (__u64)BPF_CORE_READ(mount, mnt.mnt_sb, s_type, name));
	return error ? error : move_name(scratch, 0, put(scratch, WORK_END, "none", 4));
}

SEC("lsm/move_mount")
int BPF_PROG(move_mount, const struct path *from, const struct path *to, int ret)
{
	__u64 mount = address_of(from->mnt), dentry = address_of(from->dentry);
	__u64 target_mount = address_of(to->mnt), target = address_of(to->dentry);
	__u32 slot;
	int error;

	if (ret)
		return verdict(ret);
	slot = prepare(ASK(FILE_MOUNT), &error);
	if (slot == NO_SLOT)
		return error;
	error = describe_move(slot, mount, dentry);
	return conclude(slot, error ? error : name_of(slot, NAME_SECOND, target_mount, target));
}

#endif
