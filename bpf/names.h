/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Names of files as TOMOYO builds them: from the root of the mount namespace whatever the chroot, directories with a
 * slash at the end, and for what has no such name FILESYSTEM:/path, proc:/self/, pipe:[N], socket:[N].
 *
 * Everything is read through addresses, so that these functions serve every program and are verified once in each. The
 * walk goes from the object up and builds the name from its end, in the slot's work, then moves it to the front. Then it
 * goes up once more: if each entry's sequence number is what it was, then all of them stood like this at one moment, and
 * nobody who renames directories meanwhile gets a name that nothing ever had.
 */
#ifndef SEKISHO_NAMES_H
#define SEKISHO_NAMES_H

#include "scratch.h"
#include "kernel/mount.h"
#include "names_special.h"

enum which { FIRST = 0, SECOND = 1 };

/* How a name is to be built. */
enum naming {
	NAME_SECOND = 1,	/* it goes into the second name */
	NAME_SLASH = 2,		/* it ends in a slash whatever it is */
};

#define LEVELS 4400		/* entries of the longest path, and mounts among them */
#define ATTEMPTS 4		/* how often a name is built that changes meanwhile */

/* A dentry and a mount are read at once up to the last field that is of use; the verifier checks that it is in there. */
#define DENTRY_HEAD 64
#define MOUNT_HEAD 64
#define DENTRY_FIELD(head, type, field) (*(type *)((head) + bpf_core_field_offset(struct dentry, field)))
#define DENTRY_SEQUENCE(head) (*(__u32 *)((head) + bpf_core_field_offset(struct dentry___named, d_seq)))
#define MOUNT_FIELD(head, field) (*(__u64 *)((head) + bpf_core_field_offset(struct mount, field)))

enum outcome {
	WALKING = 0,
	AT_ROOT,		/* of the namespace, or of the file system */
	DETACHED,		/* no namespace has it */
	TOO_LONG,
	UNREADABLE,
	TORN,			/* it is being renamed */
};

struct walk {
	__u64 slot;		/* NO_SLOT: only go up */
	__u64 dentry;
	__u64 mount;		/* 0: as far as the file system goes */
	__u64 root;		/* of the mount, or the file system */
	__u64 above;		/* the mount that it is mounted on */
	__u64 point;		/* and where */
	__u64 fold;		/* stands for all that was met on the way */
	__u64 own;		/* in proc: what stands for the current thread group; else 0 */
	__u32 place;		/* where in work the name begins */
	__u32 outcome;
};

#define FOLD 0x9e3779b97f4a7c15ull

static __always_inline int enter_mount(struct walk *walk, __u64 mount)
{
	char head[MOUNT_HEAD] __attribute__((aligned(8)));

	if (bpf_probe_read_kernel(head, sizeof(head), (void *)mount))
		return UNREADABLE;
	walk->mount = mount;
	walk->above = MOUNT_FIELD(head, mnt_parent);
	walk->point = MOUNT_FIELD(head, mnt_mountpoint);
	walk->root = MOUNT_FIELD(head, mnt.mnt_root);
	return WALKING;
}

/* Whether a mount that is mounted on nothing is the root of a namespace that tasks live in. */
static __noinline int top_of(__u64 mount)
{
	struct mnt_namespace *space = BPF_CORE_READ((struct mount *)mount, mnt_ns);

	if (!space || (__u64)space >= (__u64)-4095)
		return DETACHED;
	if (bpf_core_field_exists(space->seq))
		return BPF_CORE_READ(space, seq) ? AT_ROOT : DETACHED;
	if (bpf_core_field_exists(space->is_anon))
		return BPF_CORE_READ(space, is_anon) ? DETACHED : AT_ROOT;
	return BPF_CORE_READ(space, ns.ns_id) ? AT_ROOT : DETACHED;
}

/* Whether an entry of proc's root directory is that of the current thread group. */
static __noinline bool own_entry(__u64 inode, __u64 own)
{
	struct proc_inode *entry = (void *)(inode - bpf_core_field_offset(struct proc_inode, vfs_inode));

	return inode && (__u64)BPF_CORE_READ(entry, pid) == own;
}

/* One step up; with a scratch, the entry's name is put before what is there. 1: the walk has ended. */
static long walk_up(__u32 level, void *context)
{
	struct walk *walk = context;
	char head[DENTRY_HEAD] __attribute__((aligned(8)));
	__u64 parent, name;
	__u32 sequence, length, place;
	struct scratch *scratch;

	if (walk->dentry == walk->root) {
		if (!walk->mount)
			walk->outcome = AT_ROOT;
		else if (walk->above == walk->mount)
			walk->outcome = top_of(walk->mount);
		else {
			walk->dentry = walk->point;
			walk->outcome = enter_mount(walk, walk->above);
			walk->fold = (walk->fold ^ walk->mount) * FOLD;
		}
		return walk->outcome != WALKING;
	}
	if (bpf_probe_read_kernel(head, sizeof(head), (void *)walk->dentry)) {
		walk->outcome = UNREADABLE;
		return 1;
	}
	parent = DENTRY_FIELD(head, __u64, d_parent);
	sequence = DENTRY_SEQUENCE(head);
	if (parent == walk->dentry) {
		/* It was under the mount's root once, and isn't any more; or this is its file system's root. */
		walk->outcome = walk->mount ? DETACHED : AT_ROOT;
		return 1;
	}
	if (sequence & 1) {
		walk->outcome = TORN;
		return 1;
	}
	walk->fold = (walk->fold ^ walk->dentry ^ ((__u64)sequence << 48)) * FOLD + sequence;
	walk->dentry = parent;
	if (walk->slot == NO_SLOT)
		return 0;
	scratch = slot_of(walk->slot);
	if (!scratch) {
		walk->outcome = UNREADABLE;
		return 1;
	}
	length = DENTRY_FIELD(head, __u32, d_name.len);
	name = DENTRY_FIELD(head, __u64, d_name.name);
	place = walk->place;
	if (walk->own && parent == walk->root && own_entry(DENTRY_FIELD(head, __u64, d_inode), walk->own)) {
		if (place < 8 || place > WORK_END) {
			walk->outcome = TOO_LONG;
			return 1;
		}
		__builtin_memcpy(scratch->work + place - 5, "/self", 5);
		walk->place = place - 5;
		return 0;
	}
	if (length > 255 || place > WORK_END || place < length + 1) {
		walk->outcome = TOO_LONG;
		return 1;
	}
	place -= length;
	if (place > WORK_END || place < 1 || bpf_probe_read_kernel(scratch->work + place, length, (void *)name)) {
		walk->outcome = UNREADABLE;
		return 1;
	}
	place--;
	scratch->work[place] = '/';
	walk->place = place;
	return 0;
}

/* Where a walk begins, and what came of it. */
struct origin {
	__u64 dentry;
	__u64 mount;		/* 0: the path is that inside the file system */
	__u64 root;		/* then this is its root */
	__u64 own;		/* see struct walk */
	__u64 fold;
	__u32 place;		/* where in work the path ends; afterwards, where it begins */
	__u32 pad;
};

/* Goes all the way up: how it ended. With NO_SLOT nothing is written. */
__noinline int go_up(__u32 slot, struct origin *origin)
{
	struct walk walk = {};

	if (!origin)
		return UNREADABLE;
	walk.slot = slot;
	walk.dentry = origin->dentry;
	walk.root = origin->root;
	walk.own = origin->own;
	walk.place = origin->place;
	if (origin->mount && enter_mount(&walk, origin->mount))
		return UNREADABLE;
	bpf_loop(LEVELS, walk_up, &walk, 0);
	origin->place = walk.place;
	origin->fold = walk.fold;
	return walk.outcome ? walk.outcome : TOO_LONG;
}

/* The path before place in work, and place is where it begins; or what became of it. */
static __always_inline int path_in_work(__u32 slot, struct origin *origin)
{
	__u32 end = origin->place, place;
	__u64 fold;
	int outcome;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		origin->place = end;
		outcome = go_up(slot, origin);
		fold = origin->fold;
		place = origin->place;
		if (outcome == AT_ROOT && (go_up(NO_SLOT, origin) != AT_ROOT || origin->fold != fold))
			outcome = TORN;
		if (outcome != TORN)
			break;
	}
	origin->place = place;
	return outcome;
}

/* Whether names begin at the root of the file system and with what it is called: its root can't be renamed into. */
static __always_inline bool named_by_type(struct super_block *sb)
{
	struct inode___named *root = (void *)BPF_CORE_READ(sb, s_root, d_inode);

	return !BPF_CORE_READ(root, i_op, rename);
}

static __always_inline bool needs_device(struct super_block *sb)
{
	struct file_system_type___named *type = (void *)BPF_CORE_READ(sb, s_type);

	return BPF_CORE_READ(type, fs_flags) & FS_REQUIRES_DEV;
}

/* Before the path in work, what a name begins with that isn't absolute. Where it begins then; 0: no room. */
static __always_inline __u32 prefix_in_work(__u32 slot, struct scratch *scratch, struct super_block *sb, __u32 place)
{
	__u32 device = BPF_CORE_READ(sb, s_dev);

	if (place < 128 || place > WORK_END)
		return 0;
	if (BPF_CORE_READ(sb, s_magic) == PROC_SUPER_MAGIC || !(device >> 20) || named_by_type(sb)) {
		place = put(scratch, place, ":", 1);
		return put_string(slot, place, (__u64)BPF_CORE_READ(sb, s_type, name));
	}
	place = put(scratch, place, "):", 2);
	place = put_number(slot, place, device & 0xfffff);
	place = put(scratch, place, ",", 1);
	place = put_number(slot, place, device >> 20);
	return put(scratch, place, "dev(", 4);
}

/* The path inside the file system, with that one's name before it. Where it begins, or a negative errno. */
__noinline int local_in_work(__u32 slot, __u64 address, __u32 place)
{
	struct task_struct___named *task = (void *)bpf_get_current_task();
	struct dentry *dentry = (void *)address;
	struct super_block *sb = BPF_CORE_READ(dentry, d_sb);
	struct scratch *scratch = slot_of(slot);
	struct origin origin = { .dentry = address, .place = place };
	int outcome;

	if (!scratch)
		return -EAGAIN;
	origin.root = (__u64)BPF_CORE_READ(sb, s_root);
	if (BPF_CORE_READ(sb, s_magic) == PROC_SUPER_MAGIC)
		origin.own = (__u64)BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	outcome = path_in_work(slot, &origin);
	if (outcome != AT_ROOT)
		return outcome == TOO_LONG ? -ENAMETOOLONG : -EAGAIN;
	place = origin.place;
	if (place >= WORK_END)
		place = put(scratch, WORK_END, "/", 1);
	place = prefix_in_work(slot, scratch, sb, place);
	return place ? place : -ENAMETOOLONG;
}

/* The name in work moves to where it belongs, and is zero after its end as its map's keys are. */
static __always_inline int move_name(struct scratch *scratch, __u32 second, __u32 place)
{
	struct name *name = (void *)&scratch->first + (second & 1) * sizeof(struct name);
	__u32 length = WORK_END - place;
	__u32 size = 4096;

	if (place > WORK_END || length > NAME_BYTES)
		return -ENAMETOOLONG;
	bpf_probe_read_kernel(name->bytes, length, scratch->work + place);
	name->length = length;
	name->space = SPACE_NAME;
	name->zero = 0;
	if (length <= 1024 - 4)
		size = length <= 64 - 4 ? length <= 32 - 4 ? 32 : 64 : length <= 128 - 4 ? 128 : length <= 256 - 4 ? 256 : 1024;
	/* What can't be read is zeroes: this fills any number of bytes. */
	bpf_probe_read_kernel(name->bytes + length, (size - 4 - length) & 4095, NULL);
	return 0;
}

/* The name of a dentry (an address) in a mount (that of a vfsmount), and its inodes, into the slot. See enum naming. */
__noinline int name_of(__u32 slot, __u32 naming, __u64 mount, __u64 address)
{
	struct dentry *dentry = (void *)address;
	struct dentry___named *named = (void *)address;
	struct super_block *sb = BPF_CORE_READ(dentry, d_sb);
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct scratch *scratch = slot_of(slot);
	__u32 second = naming & NAME_SECOND;
	__u32 start = WORK_END;
	int place;

	if (!scratch)
		return -EAGAIN;
	scratch->inodes[second * 2] = (__u64)inode;
	scratch->inodes[second * 2 + 1] = (__u64)BPF_CORE_READ(dentry, d_parent, d_inode);
	if (naming & NAME_SLASH || (inode && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR))
		start = put(scratch, start, "/", 1);
	if (BPF_CORE_READ(named, d_op, d_dname)) {
		place = special_in_work(slot, start, address);
	} else if (named_by_type(sb) && !needs_device(sb)) {
		place = local_in_work(slot, address, start);
	} else {
		struct origin origin = { .dentry = address, .place = start };
		int outcome;

		origin.mount = mount - bpf_core_field_offset(struct mount, mnt);
		outcome = path_in_work(slot, &origin);

		if (outcome == DETACHED)
			place = local_in_work(slot, address, start);
		else if (outcome == AT_ROOT)
			place = origin.place < WORK_END ? origin.place : put(scratch, WORK_END, "/", 1);
		else
			place = outcome == TOO_LONG ? -ENAMETOOLONG : -EAGAIN;
	}
	return place < 0 ? place : move_name(scratch, second, place);
}

/*
 * A pointer as a number: functions that are verified once for all that call them take no pointers. Turning its bytes
 * round is the one thing that makes a number of it for the verifier; the second time puts them back.
 */
static __always_inline __u64 address_of(const void *pointer)
{
	__u64 address = (__u64)pointer;

	asm volatile("%0 = be64 %0\n\t%0 = be64 %0" : "+r"(address));
	return address;
}

/* The name of a file that exists, into the slot's first or second name: 0, or a negative errno. */
static __always_inline int name_path(__u32 slot, enum which which, struct vfsmount *mnt, struct dentry *dentry)
{
	return name_of(slot, which == SECOND ? NAME_SECOND : 0, address_of(mnt), address_of(dentry));
}

/* The name of the entry of a directory that dentry is or is going to be; slash: it is going to be a directory. */
static __always_inline int name_entry(__u32 slot, enum which which, struct vfsmount *mnt, struct dentry *dentry,
				      bool slash)
{
	return name_of(slot, (which == SECOND ? NAME_SECOND : 0) | (slash ? NAME_SLASH : 0), address_of(mnt),
		       address_of(dentry));
}

#endif
