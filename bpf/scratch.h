/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Memory to work in. A program that is preempted keeps its slot, so that another on the same processor takes the next:
 * no slot is ever used by two. Slots are passed between functions as numbers, and found again with slot_of().
 */
#ifndef SEKISHO_SCRATCH_H
#define SEKISHO_SCRATCH_H

#include "maps.h"
#include "operations.h"

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

/*
 * Whether a pointer isn't NULL. Some kernels (6.12) take it that every dentry has an inode, and a load through one that
 * is NULL is an oops there: they are asked about a number. Others want to see the pointer itself compared.
 */
#define present(pointer) (address_of(pointer) && (pointer))

#define SLOTS_EACH 4		/* slots of one processor */
#define NO_SLOT 0xffffffffu
#define REGISTERS 20		/* of those that a call was made with: its arguments among them */

/* A text that has no id: it is compared by automata alone. */
struct text {
	__u16 length;
	__u16 zero;
	char bytes[NAME_BYTES];
};

/* A chain of rules being gone through, a rule or a clause at each step. See decide.h. */
struct pursuit {
	__u32 list;
	__u32 place, left;	/* rules that are still to be asked */
	__u32 clause, clauses;	/* clauses of the rule before place that still are */
	__u32 domain;		/* whose record is next; 0: no other has any */
	__u32 asked;		/* entry of the rule before place */
	__u32 best, entry;	/* of several domains' rules that would grant the one that stands first; its place + 1 */
	__u32 broken;
	__u32 done;
	__u32 slot;
};

/* Loops keep what they know in here rather than on the stack, where the verifier would follow each value it can have. */
struct working {
	struct pursuit pursuit;
	__u32 from;		/* where in the scratch the text begins that is being gone through */
	__u32 origin;
	__u32 state;
	__u32 units;
	__u32 length;
	__u32 begin, end;	/* what is looked for is among [begin, end) */
	__u32 broken;
	__u64 low, high;
	__u32 slot;
	__u32 list;
	__u32 found;
	__u32 first;
	__u32 automaton;
	__u32 variable;
	__u32 equal;
	__u32 kind;
	__u32 profile;
	__u32 sequence;		/* of the book that the request is decided by, and the lists */
	__u32 own, shared;
	__u32 aside;		/* the request waits while another is looked for: this one */
	__u32 family;
	__u64 operations;
	__u32 enforced;
	__u32 question;		/* being asked; 0: none */
	__u64 rest;
	__u64 digest[4];
	__u64 waits;		/* refusals may wait for an answer */
	__u64 questions;	/* .. that are refused */
	__u64 call;
};

/* How far the building of a name has come: see walk.h. */
struct walk {
	__u64 dentry;
	__u64 mount;		/* 0: as far as the file system goes */
	__u64 root;		/* of the mount, or the file system */
	__u64 above;		/* the mount that it is mounted on */
	__u64 point;		/* and where */
	__u64 fold;		/* stands for all that was met on the way */
	__u64 before;		/* .. on the way before this one */
	__u64 own;		/* in proc: what stands for the current thread group; else 0 */
	__u32 place;		/* where in work the name begins */
	__u32 outcome;
	__u32 writes;		/* the name is put in work */
	__u32 pad;
};

#define SHORT_WORDS 4		/* of the names that dentries have room for */

/* What an entry is called in its directory. */
struct label {
	__u64 hash;		/* and, above it, how many bytes long it is */
	__u64 bytes[SHORT_WORDS];	/* all of the name if it is short, and zeroes behind it */
};

/* A name, and the policy that something was granted under it by. See remembered.h. */
struct memory {
	__u64 parent, mount;
	__u64 space;		/* the mount namespace */
	__u64 event;		/* .. and its last change */
	__u64 moved;		/* how often anything has been that matters */
	struct label label;
	__u64 granted;
	__u32 own, shared;	/* lists */
	__u32 book;		/* and how often it has been filled */
	__u32 profile;		/* what it logs isn't what another does */
	__u32 directory;	/* the name ends in a slash */
	__u32 version;		/* odd while it is written */
};

struct scratch {
	/* The request, and the answer: begin() makes all of it zero, and nothing of what comes behind. */
	__u32 domain;		/* who asks */
	__u32 family;
	__u64 asked;		/* operations, bits of the family */
	__u32 target;		/* DOMAIN: whom it is about */
	__u8 ignore_first;
	__u8 once;		/* the call can't begin anew any more: nobody is asked */
	__u8 stood_by;		/* what stands by has been looked at */
	__u8 nobody;		/* the current task has nothing to do with it */
	__u8 conditional;	/* conditions have been looked at: the next answer may be another */
	__u8 pad[7];
	__u64 numbers[3];	/* as the grammar has numbers, in their order */
	__u8 address[16];
	__u16 version;
	__u16 port;
	/* Where conditions find facts: addresses in kernel memory, 0 for none. See facts.h. */
	__u64 inodes[4];	/* struct inode: path1, its directory, path2, its directory */
	__u64 program;		/* struct linux_binprm while a program is being executed */
	__u32 book;
	__u64 granted;		/* of those asked */
	__u64 refused;		/* neither granted nor disabled */
	__u64 plain;		/* .. beside those: operations on the name that the domain's own list grants plainly */
	__u64 logged;		/* granted by an entry with grant_log=yes; after judge() all that is granted and told */
	__u64 unlogged;		/* .. with grant_log=no */
	__u64 source;		/* .. the lowest that list, entry and so on below are about */
	__u64 moving;		/* .. by that which says move: of several, what granted the highest operation */
	__u32 first_id;		/* the first name's id, 0 if it has none */
	__u32 second_id;
	__u32 list;		/* what granted the lowest of the operations: list and entry; 0: plain, or nothing */
	__u32 entry;
	__u32 candidate;	/* execute: the name's id of what the program goes by; 0: its own name */
	__u32 target_id;	/* execute: with preference */
	__u32 move;
	__u8 preference;
	__u8 move_kind;		/* RULE_MOVE_... */
	__u8 facts_ready;
	__u8 ids_ready;		/* 1: first_id, 2: second_id have been looked up; 4, 8: zeroes stand behind the name */
	struct working working;
	struct walk walk;
	struct memory memory;
	struct facts facts;
	/* Operands that are names, in the order of the grammar: for mount the device, the mount point, the type. */
	struct name first;
	struct name second;
	struct text third;	/* the type of a mount; what a symbolic link holds; the path of a program being executed */
	char work[TEXT_BYTES];
	/* What is sent. */
	struct event event;
	char texts[EVENT_TEXTS * NAME_BYTES];
	struct question question;
	__u64 registers[REGISTERS];
};

struct busy {
	__u32 slots[SLOTS_EACH];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256 /* * processors times SLOTS_EACH */);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64 /* * processors */);
	__type(key, __u32);
	__type(value, struct busy);
} busy SEC(".maps");

static __always_inline struct scratch *slot_of(__u32 slot)
{
	return bpf_map_lookup_elem(&scratches, &slot);
}

static __always_inline struct counts *counted(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counts, &zero);
}

/* A slot that is ours until release(); NO_SLOT, and counted, where all are taken. */
static __always_inline __u32 claim(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct busy *mine = bpf_map_lookup_elem(&busy, &cpu);
	struct counts *all;

	if (mine) {
#pragma unroll
		for (int i = 0; i < SLOTS_EACH; i++)
			if (!__sync_val_compare_and_swap(&mine->slots[i], 0, 1))
				return cpu * SLOTS_EACH + i;
	}
	all = counted();
	if (all)
		__sync_fetch_and_add(&all->crowded, 1);
	return NO_SLOT;
}

static __always_inline void release(__u32 slot)
{
	__u32 cpu = slot / SLOTS_EACH;
	struct busy *owner = bpf_map_lookup_elem(&busy, &cpu);

	if (owner)
		*(volatile __u32 *)&owner->slots[slot & (SLOTS_EACH - 1)] = 0;
}

#endif
