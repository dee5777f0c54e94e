/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What user space is told of requests. The same request again within a second is only counted, and the count goes with
 * the next that is sent. Requests are known by a keyed hash, here and where answers of the administrator are looked up.
 */
#ifndef SEKISHO_REPORT_H
#define SEKISHO_REPORT_H

#include "decide.h"

#define QUIET 1000000000ull	/* so many nanoseconds */
#define RECENT 16384

struct recent_key {
	__u64 halves[2];
};

struct recent {
	__u64 sent;
	__u32 repeated;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RECENT);
	__type(key, struct recent_key);
	__type(value, struct recent);
} recents SEC(".maps");

#define MODE_DISABLED 0
#define MODE_LEARNING 1
#define MODE_PERMISSIVE 2
#define MODE_ENFORCING 3

/* What an operation is known by in profiles and events. A global function: the verifier goes through it once. */
__noinline __u32 operation_number(__u32 family, __u32 bit)
{
	switch (family) {
	case FAMILY_NAME:
		return bit <= BIT_FILE_MOUNT ? bit : bit - BIT_NETWORK_UNIX_STREAM_BIND + OP_NETWORK_UNIX_STREAM_BIND;
	case FAMILY_INET:
		return bit + OP_NETWORK_INET_STREAM_BIND;
	case FAMILY_DOMAIN:
		return bit <= BIT_IPC_GET_DESCRIPTOR ? bit + OP_IPC_SIGNAL : OP_TASK_MANUAL_DOMAIN_TRANSITION;
	case FAMILY_NONE:
		return bit + OP_CAPABILITY_USE_ROUTE;
	}
	return bit + OP_TASK_AUTO_DOMAIN_TRANSITION;
}

_Static_assert(OP_FILE_MOUNT == BIT_FILE_MOUNT, "file operations aren't numbered as their bits are");
_Static_assert(OP_MISC_ENV - OP_NETWORK_UNIX_STREAM_BIND == BIT_MISC_ENV - BIT_NETWORK_UNIX_STREAM_BIND,
	       "operations that a name leads aren't numbered in their order");
_Static_assert(BIT_NETWORK_UNIX_STREAM_BIND == BIT_FILE_MOUNT + 1, "no operation stands between mount and bind");
_Static_assert(OP_IPC_GET_DESCRIPTOR - OP_IPC_SIGNAL == BIT_IPC_GET_DESCRIPTOR, "ipc isn't numbered in its order");
_Static_assert(OP_CAPABILITY_USE_TIME_NAMESPACE - OP_CAPABILITY_USE_ROUTE == BIT_CAPABILITY_USE_TIME_NAMESPACE,
	       "capabilities aren't numbered in their order");

#define ROTATED(word, by) ((word) << (by) | (word) >> (64 - (by)))

static __always_inline void mix(__u64 *v)
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = ROTATED(v[1], 13) ^ v[0];
	v[3] = ROTATED(v[3], 16) ^ v[2];
	v[0] = ROTATED(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = ROTATED(v[3], 21) ^ v[0];
	v[1] = ROTATED(v[1], 17) ^ v[2];
	v[2] = ROTATED(v[2], 32);
}

/* SipHash, one round a word: answers of the administrator go by it, so that nobody may find two requests with the same. */
static __always_inline void digest_word(struct working *working, __u64 word)
{
	__u64 v[4] = { working->digest[0], working->digest[1], working->digest[2], working->digest[3] ^ word };

	mix(v);
	working->digest[0] = v[0] ^ word;
	working->digest[1] = v[1];
	working->digest[2] = v[2];
	working->digest[3] = v[3];
}

static long digest_eight(__u64 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	__u32 at = (scratch->working.from & 0x3fff) + ((__u32)index * 8 & (TEXT_BYTES - 1));
	__u64 word;

	__builtin_memcpy(&word, (char *)scratch + at, sizeof(word));
	digest_word(&scratch->working, word);
	return 0;
}

static __always_inline __u32 length_of(struct scratch *scratch, __u32 which)
{
	__u32 length = scratch->third.length;

	if (which == TEXT_FIRST)
		length = scratch->first.length;
	else if (which == TEXT_SECOND)
		length = scratch->second.length;
	return length <= NAME_BYTES ? length : NAME_BYTES;
}

/* So many bytes of a text, and their number. What is behind them, up to the next eight bytes, is made zero first. */
__noinline int digest_text(__u32 slot, __u32 which, __u32 length)
{
	struct scratch *scratch = slot_of(slot);
	__u32 from;

	if (!scratch || length > NAME_BYTES)
		return 0;
	from = text_begin(which) & 0x3fff;
	digest_word(&scratch->working, length);
	if (length == 0)
		return 0;
	if (length <= NAME_BYTES - 8)
		bpf_probe_read_kernel((char *)scratch + from + length, 8, NULL);
	scratch->working.from = from;
	bpf_loop((length + 7) / 8, digest_eight, &scratch, 0);
	return 0;
}

static __always_inline __u64 seed(struct counts *counts)
{
	if (!counts->seed)
		counts->seed = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1;
	return counts->seed;
}

static __always_inline void digest_begin(struct working *working, struct counts *counts)
{
	__u64 key = seed(counts);

	working->digest[0] = key ^ 0x736f6d6570736575ull;
	working->digest[1] = ~key ^ 0x646f72616e646f83ull;
	working->digest[2] = key ^ 0x6c7967656e657261ull;
	working->digest[3] = ~key ^ 0x7465646279746573ull;
}

static __always_inline void digest_end(struct working *working, __u64 *halves)
{
	__u64 v[4] = { working->digest[0], working->digest[1], working->digest[2] ^ 0xee, working->digest[3] };

	mix(v);
	mix(v);
	mix(v);
	halves[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
	v[1] ^= 0xdd;
	mix(v);
	mix(v);
	mix(v);
	halves[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* What the request in the slot is known by, with what happened to it. */
static __always_inline void digest_request(struct scratch *scratch, __u32 slot, struct counts *counts,
					   __u64 what, struct recent_key *key)
{
	struct working *working = &scratch->working;

	digest_begin(working, counts);
	digest_word(working, what);
	digest_word(working, (__u64)scratch->domain << 32 | scratch->target);
	digest_word(working, scratch->numbers[0]);
	digest_word(working, scratch->numbers[1]);
	digest_word(working, scratch->numbers[2]);
	digest_word(working, ((__u64 *)scratch->address)[0]);
	digest_word(working, ((__u64 *)scratch->address)[1]);
	digest_word(working, (__u64)scratch->version << 16 | scratch->port);
	digest_text(slot, TEXT_FIRST, length_of(scratch, TEXT_FIRST));
	digest_text(slot, TEXT_SECOND, length_of(scratch, TEXT_SECOND));
	digest_text(slot, TEXT_THIRD, length_of(scratch, TEXT_THIRD));
	/* What a program calls itself is learned. */
	if ((what & 0xff) == OP_FILE_EXECUTE)
		digest_text(slot, TEXT_WORK, program_string(slot, 0));
	digest_end(working, key->halves);
}

/* Whether it is time to tell; *repeated: how many have not been told. */
static __always_inline bool is_due(struct recent_key *key, __u64 now, __u32 *repeated)
{
	struct recent *known = bpf_map_lookup_elem(&recents, key);
	struct recent first = { .sent = now };

	if (!known) {
		bpf_map_update_elem(&recents, key, &first, BPF_ANY);
		return true;
	}
	if (known->sent && now - known->sent < QUIET) {
		__sync_fetch_and_add(&known->repeated, 1);
		return false;
	}
	known->sent = now;
	*repeated = known->repeated;
	__sync_fetch_and_add(&known->repeated, -*repeated);
	return true;
}

/* It couldn't be told: it is due at once when it comes again. */
static __always_inline void take_back(struct recent_key *key, __u32 repeated)
{
	struct recent *known = bpf_map_lookup_elem(&recents, key);

	if (!known)
		return;
	known->sent = 0;
	__sync_fetch_and_add(&known->repeated, repeated + 1);
}

/* The text, so many bytes of it, behind those that the event has already. */
__noinline int add_text(__u32 slot, __u32 which, __u32 length)
{
	struct scratch *scratch = slot_of(slot);
	__u32 from, behind;

	if (!scratch || length > NAME_BYTES || which >= EVENT_TEXTS)
		return 0;
	from = text_begin(which) & 0x3fff;
	behind = scratch->event.size - sizeof(struct event);
	scratch->event.lengths[which] = 0;
	if (behind > sizeof(scratch->texts) - NAME_BYTES)
		return 0;
	scratch->event.lengths[which] = length;
	scratch->event.size += length;
	bpf_probe_read_kernel(scratch->texts + behind, length, (char *)scratch + from);
	return 0;
}

/* The event as it is sent, but for its kind, operation, mode and what was decided. */
static __always_inline void fill_event(struct scratch *scratch, __u32 slot, __u32 repeated)
{
	struct event *event = &scratch->event;
	__u64 both = scratch->nobody ? 0 : bpf_get_current_pid_tgid();

	event->size = sizeof(*event);
	event->domain = scratch->domain;
	event->other = scratch->target;
	event->time = bpf_ktime_get_boot_ns();
	event->pid = both >> 32;
	event->thread = both;
	event->repeated = repeated;
	event->flags = scratch->working.question ? EVENT_QUESTION : 0;
	event->numbers[0] = scratch->numbers[0];
	event->numbers[1] = scratch->numbers[1];
	event->numbers[2] = scratch->numbers[2];
	__builtin_memcpy(event->address, scratch->address, sizeof(event->address));
	event->version = scratch->version;
	event->port = scratch->port;
	event->question = scratch->working.question;
	event->lengths[3] = 0;
	bpf_probe_read_kernel(&event->facts, sizeof(event->facts), &scratch->facts);
	add_text(slot, TEXT_FIRST, length_of(scratch, TEXT_FIRST));
	add_text(slot, TEXT_SECOND, length_of(scratch, TEXT_SECOND));
	add_text(slot, TEXT_THIRD, length_of(scratch, TEXT_THIRD));
	/* What a program is learned by besides its path: what it calls itself. */
	if (scratch->facts.have & HAVE_EXECUTION)
		add_text(slot, TEXT_WORK, program_string(slot, 0));
}

static __always_inline long send(struct scratch *scratch)
{
	__u32 size = scratch->event.size;

	if (size < sizeof(struct event) || size > sizeof(struct event) + sizeof(scratch->texts))
		return -EAGAIN;
	return bpf_ringbuf_output(&events, &scratch->event, size, 0);
}

/* What report() is told: the operation's number, its mode, whether it was granted, and the kind of event. */
#define OUTCOME(kind, number, mode, granted) ((kind) << 24 | (granted) << 16 | (mode) << 8 | (number))

/* User space is told what became of one operation of the request in the slot. -EAGAIN: it can't be. Questions always are. */
__noinline int report(__u32 slot, __u32 outcome)
{
	struct scratch *scratch = slot_of(slot);
	struct counts *counts = counted();
	struct recent_key key;
	__u32 repeated = 0;

	if (!scratch || !counts)
		return -EAGAIN;
	digest_request(scratch, slot, counts, outcome, &key);
	if (!scratch->working.question && !is_due(&key, bpf_ktime_get_ns(), &repeated)) {
		__sync_fetch_and_add(&counts->repeated, 1);
		return 0;
	}
	gather(slot);
	scratch->event.kind = outcome >> 24;
	scratch->event.operation = outcome;
	scratch->event.mode = outcome >> 8;
	scratch->event.granted = outcome >> 16;
	fill_event(scratch, slot, repeated);
	if (send(scratch)) {
		__sync_fetch_and_add(&counts->lost, 1);
		take_back(&key, repeated);
		return -EAGAIN;
	}
	__sync_fetch_and_add(&counts->events, 1);
	return 0;
}

#endif
