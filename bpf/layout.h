/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What user space and the kernel side both write and read: keys and values of maps, events.
 * src/sekisho/engine/lsm/layout.py says the same in Python; a test holds the two together.
 */
#ifndef SEKISHO_LAYOUT_H
#define SEKISHO_LAYOUT_H

/* Names. A name is raw bytes (no escapes); what stands for it everywhere else is its id. */
#define NAME_BYTES 4092		/* the longest name that has an id */
#define TEXT_BYTES 8192		/* room for the longest text that is compared */

enum space {
	SPACE_NAME = 0,		/* raw bytes */
	SPACE_TEXT = 1,		/* policy text that isn't a literal: a pattern that a domain is named after */
};

/* The key of a names_N map is the first N bytes of this, zero after the name. */
struct name {
	__u16 length;
	__u8 space;
	__u8 zero;
	char bytes[NAME_BYTES];
};

struct name_value {
	__u32 id;		/* ids that the kernel side gave have KERNEL_MADE set */
	__u32 units;		/* characters of its encoded form */
};

#define KERNEL_MADE (1u << 29)

/* What a request's leading operand is, in the key of found. */
#define FOUND_ACCEPT (1u << 31)	/* | what the list's automaton accepted the name with */
#define FOUND_DOMAIN (1u << 30)	/* | a domain's id */

struct found_key {
	__u32 list;
	__u32 operand;		/* a name's id, or with one of the bits above */
};

/* What a list says of one leading operand. */
struct found {
	__u64 plain;		/* operations granted whatever else the request says */
	__u32 chain;		/* place of the first rule to be asked otherwise, in order */
	__u32 count;		/* how many */
	__u32 last;		/* candidate, if the list's last execute entry fits this name; else 0 */
	__u32 pad;
};

struct place_key {
	__u32 list;
	__u32 place;
};

enum test_kind {
	TEST_NONE = 0,
	TEST_NAME = 1,		/* the operand is the name place */
	TEST_AUTOMATON = 2,	/* the automaton at place accepts the operand */
	TEST_NUMBER = 3,	/* low <= operand <= high */
	TEST_RANGES = 4,	/* one of count ranges from place has the operand */
};

struct test {
	__u8 kind;
	__u8 operand;		/* its position in the grammar */
	__u16 count;
	__u32 place;
	__u64 low;
	__u64 high;
};

enum preference {
	PREFER_NONE = 0,
	PREFER_KEEP = 1,
	PREFER_CHILD = 2,
	PREFER_INITIALIZE = 3,
	PREFER_RESET = 4,
	PREFER_PARENT = 5,
	PREFER_DOMAIN = 6,	/* target is a domain's id */
	PREFER_PATH = 7,	/* target is a name's id */
};

enum rule_flag {
	RULE_LOG = 1,		/* grant_log=yes */
	RULE_NO_LOG = 2,	/* grant_log=no */
	RULE_MOVE_CHILD = 4,	/* auto_domain_transition: move is a name's id */
	RULE_MOVE_DOMAIN = 8,	/* move is a domain's id */
	RULE_IGNORE_FIRST = 16,	/* test 0 is skipped where the request says so (the device of a mount) */
};

#define RULE_TESTS 3

struct rule {
	__u64 operations;	/* bits of its family */
	__u32 entry;		/* which of the list's entries this is */
	__u32 clauses;		/* place of the first */
	__u16 clause_count;
	__u8 flags;
	__u8 preference;
	__u32 candidate;	/* execute: the name that the program goes by */
	__u32 target;
	__u32 move;
	struct test tests[RULE_TESTS];
};

/* A condition. Operand codes are those of enum fact. */
enum clause_kind {
	CLAUSE_NEVER = 0,
	CLAUSE_ALWAYS = 1,
	CLAUSE_NUMBER = 2,	/* [low, high] or fact right overlaps fact left */
	CLAUSE_RANGES = 3,	/* one of count ranges from place overlaps fact left */
	CLAUSE_BITS = 4,	/* fact left has all of low set */
	CLAUSE_HANDLER = 5,	/* the task runs as an execute handler */
	CLAUSE_REALPATH = 6,	/* the automaton at place accepts the path of the program */
	CLAUSE_TARGET = 7,	/* .. what the symbolic link holds */
	CLAUSE_ARGUMENT = 8,	/* .. argument number low */
	CLAUSE_VARIABLE = 9,	/* .. see clauses.h */
};

struct clause {
	__u8 kind;
	__u8 equal;
	__u8 left;
	__u8 right;		/* 0: low and high are the right side */
	__u16 count;
	__u16 pad;
	__u32 place;
	__u32 pad2;
	__u64 low;
	__u64 high;
};

struct range {
	__u64 low;
	__u64 high;
};

/* Addresses: IPv4 stands in the last four bytes. Network byte order. */
struct endpoint_key {
	__u32 list;
	__u16 operation;	/* bit number in its family */
	__u16 port;
	__u32 version;		/* 4 or 6 */
	__u8 address[16];
};

struct interval {
	__u8 low[16];
	__u8 high[16];
	__u32 version;
	__u32 chain;
	__u32 count;
	__u32 pad;
};

struct pair_key {
	__u32 list;
	__u32 operation;	/* bit number in its family */
	__u32 first;		/* name's id */
	__u32 zero;
	__u64 second;		/* name's id, or the number */
};

enum list_flag {
	LIST_EXECUTES = 1,	/* it has an execute entry at all */
};

/* In the id of a list: it has entries that stand by, which are looked at before whatever is asked for. */
#define LIST_STANDING (1u << 31)

/* One list of entries: a domain's own, or all that its groups have, in order. */
struct list {
	__u64 names;		/* name operations that any entry has */
	__u64 capabilities;	/* granted plainly */
	__u32 automaton;	/* where the automaton of its patterns begins in cells, +1; 0: none */
	__u32 flags;
	__u32 capability_chain, capability_count;
	__u32 standing_chain, standing_count;	/* rules whose operations are standing bits, in order */
	__u32 intervals, interval_count;	/* ascending, not overlapping; by version, address */
	__u32 domains;		/* ipc operations that any entry has */
	__u32 inet;		/* inet operations that any entry has */
};

/* What a domain is: never changes while the domain exists. Id 1 is <kernel>; 0 is none. */
enum domain_flag {
	DOMAIN_EXISTS = 1,	/* else it only stands for a prefix of names */
	DOMAIN_TRANSITION_FAILED = 2,
	DOMAIN_PROTECTED = 4,	/* the engine's own daemon */
	DOMAIN_MANAGER = 8,
	DOMAIN_MAKING = 16,	/* it is going to exist in a moment */
};

struct domain {
	__u32 parent;		/* the domain of the name without its last word; 0 for a namespace */
	__u32 root;		/* the namespace's domain */
	__u32 word;		/* name's id of the last word */
	__u32 length;		/* characters of the whole name */
	__u32 flags;
	__u32 creator;		/* the domain whose program's execution made it; 0: policy did */
};

/* What holds for a domain in one book. */
struct binding {
	__u32 list;		/* its own entries; 0: none */
	__u32 shared;		/* its groups' entries; 0: none */
	__u32 profile;		/* slot */
	__u32 flags;
};

#define BINDING_FULL 1u		/* the quota is used up: learning adds nothing */

#define OPERATIONS_ROOM 96
#define PROFILES 1024		/* slots */
#define DOMAINS 16384		/* default number of domains */
#define DOMAINS_BY_KERNEL (DOMAINS / 2)	/* the first id that the kernel side gives */

enum config_bit {
	CONFIG_MODE = 3,
	CONFIG_GRANT_LOG = 4,
	CONFIG_REJECT_LOG = 8,
};

struct profile {
	__u8 config[OPERATIONS_ROOM];	/* by operation */
	__u32 defined;
	__u32 penalty;		/* tenths of a second */
	__u64 enabled;		/* name operations that aren't disabled */
	__u32 enabled_inet;
	__u32 enabled_domains;
	__u64 enabled_capabilities;
	__u64 quiet;		/* name operations of which it isn't told when they are granted */
};

struct child_key {
	__u32 parent;		/* 0: namespaces */
	__u32 word;		/* name's id */
};

/* Transition control. */
#define CONTROL_LAST (1u << 31)	/* | the name's id of a domain's last word */

struct control_key {
	__u32 book;
	__u32 root;		/* the namespace's domain */
	__u32 program;		/* name's id; 0: any */
	__u32 domain;		/* a domain's id, or CONTROL_LAST | word; 0: any */
};

enum control_bit {
	CONTROL_NO_RESET = 1, CONTROL_RESET = 2, CONTROL_NO_INITIALIZE = 4,
	CONTROL_INITIALIZE = 8, CONTROL_NO_KEEP = 16, CONTROL_KEEP = 32,
};

/* Per namespace and book. */
struct namespace_key {
	__u32 book;
	__u32 root;
};

struct namespace_value {
	__u32 aggregators;	/* list whose found.last is what the program goes by; 0: none */
	__u32 controls;		/* how many there are */
};

/* Written by user space; one element, mapped. */
struct state {
	__u32 book;		/* 0 or 1: which holds */
	__u32 active;		/* ACTIVE_...; 0: everything is allowed and nobody moves */
	__u32 sequence[2];	/* of each book: grows when its contents are replaced */
	__u32 every_task;	/* every task has been given its domain */
	__u32 heartbeat;	/* seconds of the monotonic clock at which the daemon was last seen; 0: no daemon */
	__u32 daemon;		/* its thread group, 0: none */
	__u32 daemon_started;	/* hundredths of a second since boot, as /proc/PID/stat has it */
	__u32 observers;	/* how many are there to answer questions */
	__u32 start;		/* the number of this start, which later ones exceed */
	__u32 remembers;	/* all is attached that says when what is remembered is no longer so */
	__u32 guardian;		/* the process that outlives the daemon for a moment, as the daemon is held; 0: none */
	__u32 guardian_started;
	__u32 pad[3];
};

/* While one start follows another, both have programs in every hook; each task is held by one of them at any time. */
enum active {
	ACTIVE = 1,
	ACTIVE_LEAVING = 2,	/* in force for those tasks only that no later start has taken */
};

/* Written by the kernel side; one element. */
struct counts {
	__u32 next_domain;	/* offset from DOMAINS_BY_KERNEL */
	__u32 next_name;
	__u64 events;
	__u64 lost;		/* events that found no room */
	__u64 repeated;		/* events not sent again */
	__u64 unnameable;	/* requests on what has no name, or one too long */
	__u64 crowded;		/* no scratch memory was to be had */
	__u64 refused;
	__u64 inconsistent;	/* requests on which policy couldn't be read as a whole */
	__u64 seed;		/* of the hashes by which repeated events are known */
	__u64 homeless;		/* requests of tasks that ought to have a domain and have none */
	__u64 changed;		/* programs killed since what they were given isn't what was decided on */
	__u32 next_question;
	__u32 starts;		/* written by user space: how often the engine was started */
	__u64 moved;		/* grows before and after anything is renamed */
	__u64 folders_moved;	/* .. a directory */
	__u64 folders;		/* in which something has been remembered */
	__u64 owners;		/* of files' signals, set where those are looked at: see ready.h */
};

/* Who has set the owner of a file's signals: see ready.h. */
struct setter {
	__u32 domain;		/* 0: set before anybody looked */
	__u32 chooser;		/* which has said since what signal it is, or that there be any; 0: the same */
	__u32 process;
	__u32 pad;
	__u64 started;
};

/* Events. */
enum event_kind {
	EVENT_REQUEST = 1,	/* a request, with texts as its operands have them */
	EVENT_DOMAIN = 2,	/* a domain came to be: domain, its parent, texts[0] its last word */
	EVENT_NAME = 3,		/* a name was given an id */
	EVENT_FAILED = 4,	/* transition_failed */
	EVENT_UNNAMEABLE = 5,
	EVENT_TASK = 6,		/* a task without a domain was given one */
};

/* Facts: what conditions look at. Codes index facts.values. */
enum fact {
	FACT_NONE = 0,
	FACT_UID, FACT_GID, FACT_EUID, FACT_EGID, FACT_SUID, FACT_SGID, FACT_FSUID, FACT_FSGID, FACT_PID, FACT_PPID,
	FACT_ARGC, FACT_ENVC,
	FACT_PATH1,		/* FACTS_PER_INODE from here, and so for each object */
	FACT_PATH1_PARENT = FACT_PATH1 + 9,
	FACT_PATH2 = FACT_PATH1_PARENT + 9,
	FACT_PATH2_PARENT = FACT_PATH2 + 9,
	FACTS = FACT_PATH2_PARENT + 9,
};

/* Offsets from FACT_PATH1 and its like. major and minor are the file system's device; type is the S_IFMT value. */
enum inode_fact {
	INODE_UID, INODE_GID, INODE_INO, INODE_MAJOR, INODE_MINOR, INODE_PERM, INODE_TYPE, INODE_DEV_MAJOR, INODE_DEV_MINOR,
	FACTS_PER_INODE,
};

enum fact_group {
	HAVE_TASK = 1, HAVE_EXECUTION = 2, HAVE_PATH1 = 4, HAVE_PATH1_PARENT = 8, HAVE_PATH2 = 16, HAVE_PATH2_PARENT = 32,
	HAVE_TARGET = 64,
};

struct facts {
	__u32 have;		/* fact_group bits */
	__u32 handler;		/* the task runs as an execute handler */
	__u64 values[FACTS];
};

#define EVENT_TEXTS 4

struct event {
	__u32 size;		/* of all */
	__u8 kind;
	__u8 operation;
	__u8 mode;
	__u8 granted;
	__u32 domain;
	__u32 other;		/* the target's domain (ipc), the parent (EVENT_DOMAIN) */
	__u64 time;		/* CLOCK_BOOTTIME, ns */
	__u32 pid;		/* as the initial namespace has it */
	__u32 thread;
	__u32 repeated;		/* how many the same were not sent before this one */
	__u32 flags;
	__u64 numbers[3];	/* as the grammar has them, in order */
	__u8 address[16];
	__u16 version;
	__u16 port;
	__u16 lengths[EVENT_TEXTS];
	__u32 question;		/* its number, where flags say that one is asked */
	struct facts facts;
	/* then the texts, one behind the other */
};

#define EVENT_QUESTION 1u	/* the task waits for an answer */
#define EVENT_INFERRED 2u

/* What each task carries. */
struct task {
	__u32 domain;
	__u32 pending;		/* where the program being executed is going to run; 0: nothing is being executed */
	__u32 flags;
	__u32 argc;		/* as the caller gave them, whatever interpreters have added */
	__u64 asked_name;	/* where the last component of the program's name is in memory, if it is a symbolic link */
	__u64 asked_file;	/* the file that following it led to; 0: the program goes by its file's name */
	__u64 asked_error;	/* the link's own name couldn't be built */
	__u64 question;		/* the number of the last that it was stopped for; 0: none */
	__u32 start;		/* the last start that has held it */
	__u32 pad2;
	__u64 pad3;
};

#define TASK_OPENING 1u		/* the program's file is being looked up */
#define TASK_INFERRED 2u	/* its domain was worked out from what it was when the engine started */
#define TASK_HANDLER 4u

/* Requests that wait for the administrator, by number. See question.h. */
#define QUESTIONS 1024		/* so many wait at a time; what is refused beyond is refused */
#define QUESTION_EARLIER 3

enum answer {
	ANSWER_NONE = 0,
	ANSWER_ALLOW = 1,
	ANSWER_REFUSE = 2,
	ANSWER_RETRY = 3,	/* policy has been asked again before the answer is looked at: this asks anew */
};

struct question {
	__u64 asked[2];		/* what the request is known by */
	__u64 call;		/* .. and the call that makes it */
	__u64 earlier[QUESTION_EARLIER][2];	/* what was allowed of the same call before */
	__u32 process;
	__u32 thread;
	__u32 domain;
	__u32 verdict;		/* written by user space, once */
	__u32 used;		/* bit 0: the verdict has let the request pass; from 1: so have earlier ones */
	__u32 turns;		/* so often somebody has let the task go on without an answer */
};

#endif
