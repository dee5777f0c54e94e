/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Requests of the network keywords: a socket, what is done with it, and an address, which is looked at where the kernel has
 * copied it, so that nobody can change it after the verdict.
 */
#ifndef SEKISHO_CONTACT_H
#define SEKISHO_CONTACT_H

#include <bpf/bpf_endian.h>
#include "kernel/net.h"
#include "flavour.h"
#include "scratch.h"
#include "task.h"
#include "judge.h"

#define NO_OPERATION 64

enum verb { VERB_BIND, VERB_LISTEN, VERB_CONNECT, VERB_ACCEPT, VERB_SEND, VERB_RECEIVE };

/* What is asked about. */
struct contact {
	__u16 family;		/* of the socket */
	__u16 type;
	__u16 protocol;
	__u16 verb;
	__u32 hearer;		/* the domain that asks; 0: the current task's */
	int length;		/* of the address */
	__u64 address;		/* in kernel memory; 0: there is none */
};

static __always_inline __u32 inet_operation(__u16 type, __u16 verb)
{
	if (type == SOCK_STREAM) {
		switch (verb) {
		case VERB_BIND:
			return BIT_NETWORK_INET_STREAM_BIND;
		case VERB_LISTEN:
			return BIT_NETWORK_INET_STREAM_LISTEN;
		case VERB_CONNECT:
			return BIT_NETWORK_INET_STREAM_CONNECT;
		case VERB_ACCEPT:
			return BIT_NETWORK_INET_STREAM_ACCEPT;
		}
		return NO_OPERATION;
	}
	if (verb == VERB_RECEIVE)
		return type == SOCK_DGRAM ? BIT_NETWORK_INET_DGRAM_RECV : BIT_NETWORK_INET_RAW_RECV;
	/* Connecting what has no connections sets where it sends to. */
	if (verb != VERB_BIND && verb != VERB_CONNECT && verb != VERB_SEND)
		return NO_OPERATION;
	if (type == SOCK_DGRAM)
		return verb == VERB_BIND ? BIT_NETWORK_INET_DGRAM_BIND : BIT_NETWORK_INET_DGRAM_SEND;
	if (type == SOCK_RAW)
		return verb == VERB_BIND ? BIT_NETWORK_INET_RAW_BIND : BIT_NETWORK_INET_RAW_SEND;
	return NO_OPERATION;
}

static __always_inline __u32 unix_operation(__u16 type, __u16 verb)
{
	__u32 first;

	if (type == SOCK_DGRAM) {
		if (verb == VERB_BIND)
			return BIT_NETWORK_UNIX_DGRAM_BIND;
		if (verb == VERB_RECEIVE)
			return BIT_NETWORK_UNIX_DGRAM_RECV;
		return verb == VERB_CONNECT || verb == VERB_SEND ? BIT_NETWORK_UNIX_DGRAM_SEND : NO_OPERATION;
	}
	if (type == SOCK_STREAM)
		first = BIT_NETWORK_UNIX_STREAM_BIND;
	else if (type == SOCK_SEQPACKET)
		first = BIT_NETWORK_UNIX_SEQPACKET_BIND;
	else
		return NO_OPERATION;
	/* bind, listen, connect, accept stand in the order of their verbs */
	return verb <= VERB_ACCEPT ? first + verb : NO_OPERATION;
}

/* The operation's bit in its family; a function of its own so that it is verified once, not with all that follows. */
__noinline int network_operation(__u32 family, __u32 type, __u32 verb)
{
	return family == AF_UNIX ? unix_operation(type, verb) : inet_operation(type, verb);
}

/* An Internet address and what stands for its port, as keys have them. */
struct endpoint {
	__u8 address[16];
	__u16 version;
	__u16 port;
};

/* Where the contact is with: 0, or a negative errno for what isn't an Internet address. */
static __always_inline int endpoint_of(struct endpoint *endpoint, const struct contact *contact)
{
	struct sockaddr_in6 address = {};
	__u16 family;

	if (bpf_probe_read_kernel(&address, sizeof(struct sockaddr_in), (void *)contact->address))
		return -EINVAL;
	family = address.sin6_family;
	if (family == AF_UNSPEC && contact->verb != VERB_CONNECT)
		/* Old programs leave the family out: the kernel binds and sends all the same; connect disconnects. */
		family = contact->family;
	if (family == AF_INET && contact->length >= 8) {
		endpoint->version = 4;
		__builtin_memcpy(endpoint->address + 12, &address.sin6_flowinfo, 4);	/* sin_addr */
	} else if (family == AF_INET6 && contact->length >= 24) {
		endpoint->version = 6;
		bpf_probe_read_kernel(endpoint->address, 16, (void *)contact->address + 8);
	} else {
		return -EINVAL;
	}
	endpoint->port = contact->type == SOCK_RAW ? contact->protocol : bpf_ntohs(address.sin6_port);
	return 0;
}

static __always_inline int set_inet(struct scratch *scratch, const struct endpoint *endpoint)
{
	__builtin_memcpy(scratch->address, endpoint->address, sizeof(scratch->address));
	scratch->version = endpoint->version;
	scratch->port = endpoint->port;
	return 0;
}

/* Whether the domain's own list has exactly that address and port, and nobody wants to know: most requests end here. */
static __always_inline bool is_listed(__u32 domain, __u32 bit, const struct endpoint *endpoint)
{
	struct endpoint_key key = { .operation = bit, .port = endpoint->port, .version = endpoint->version };
	struct state *now = the_state();
	struct binding *binding;
	struct profile *profile;
	__u32 number, book;

	if (!now)
		return false;
	book = now->book & 1;
	binding = bound(book, domain);
	if (!binding || (binding->list | binding->shared) & LIST_STANDING)
		return false;
	profile = profiled(book, binding->profile);
	number = OP_NETWORK_INET_STREAM_BIND + bit;
	if (!profile || number >= OPERATIONS_ROOM || profile->config[number] & CONFIG_GRANT_LOG)
		return false;
	key.list = binding->list;
	__builtin_memcpy(key.address, endpoint->address, sizeof(key.address));
	return bpf_map_lookup_elem(&endpoints, &key);
}

#define ANONYMOUS "anonymous"
#define SOCKET_NAME 128		/* keys of this size hold every name of a socket */

/* The name of a UNIX socket into the request as its first name: as it was given, what has none is "anonymous". */
static __always_inline int set_unix(struct scratch *scratch, const struct contact *contact)
{
	struct name *name = &scratch->first;
	int length = contact->length - 2;
	__u16 family = AF_UNIX;

	if (contact->address && contact->verb != VERB_LISTEN)
		bpf_probe_read_kernel(&family, sizeof(family), (void *)contact->address);
	if (family != AF_UNIX || length > UNIX_PATH_MAX)
		return -EINVAL;
	__builtin_memset(name, 0, SOCKET_NAME);
	name->space = SPACE_NAME;
	if (!contact->address || length <= 0) {
		__builtin_memcpy(name->bytes, ANONYMOUS, sizeof(ANONYMOUS) - 1);
		name->length = sizeof(ANONYMOUS) - 1;
		return 0;
	}
	length &= SOCKET_NAME - 1;
	if (length > UNIX_PATH_MAX)
		return -EINVAL;
	if (bpf_probe_read_kernel(name->bytes, length, (void *)contact->address + 2))
		return -EINVAL;
	if (name->bytes[0]) {
		/* A path ends at the first zero. */
		__builtin_memset(name->bytes, 0, SOCKET_NAME - 4);
		length = bpf_probe_read_kernel_str(name->bytes, length + 1, (void *)contact->address + 2) - 1;
		if (length < 0)
			return -EINVAL;
	}
	name->length = length;
	return 0;
}

#define UNASKED -4096		/* no errno */

/*
 * The slot with the request that the contact makes, UNASKED or a negative errno. What the kernel is going to refuse for
 * its address anyway isn't asked.
 */
__noinline int open_contact(struct contact *contact)
{
	struct endpoint endpoint = {};
	struct scratch *scratch;
	__u32 family, bit, domain, slot;
	__u64 asked;
	int error;

	if (!contact)
		return -EPERM;
	if (contact->family != AF_UNIX && contact->family != AF_INET && contact->family != AF_INET6)
		return UNASKED;
	family = contact->family == AF_UNIX ? FAMILY_NAME : FAMILY_INET;
	bit = network_operation(contact->family, contact->type, contact->verb);
	if (bit >= NO_OPERATION)
		return UNASKED;
	domain = contact->hearer;
	asked = domain ? enabled_in(the_state(), family, 1ull << bit, domain) : checked(family, 1ull << bit, &domain);
	if (!asked)
		return UNASKED;
	if (family == FAMILY_INET && (endpoint_of(&endpoint, contact) || is_listed(domain, bit, &endpoint)))
		return UNASKED;
	slot = begin(family, asked, domain);
	if (slot == NO_SLOT)
		return crowded(domain, family, asked) ?: UNASKED;
	scratch = slot_of(slot);
	if (!scratch)
		return -EPERM;
	if (contact->hearer)
		scratch->nobody = scratch->once = scratch->stood_by = 1;
	error = family == FAMILY_NAME ? set_unix(scratch, contact) : set_inet(scratch, &endpoint);
	if (error) {
		release(slot);
		return UNASKED;
	}
	return slot;
}

/* The verdict on the contact. */
static __always_inline int judge_contact(struct contact *contact)
{
	int slot = open_contact(contact), error;

	if (slot < 0)
		return slot == UNASKED ? 0 : slot;
	error = judge(slot);
	release(slot);
	return error;
}

/* Whether there is a socket to ask about. */
static __always_inline bool about(struct contact *contact, struct socket *sock, __u16 verb)
{
	struct sock *sk = sock->sk;

	if (!sk)
		return false;
	contact->family = sk->__sk_common.skc_family;
	contact->type = sock->type;
	contact->protocol = sk->sk_protocol;
	contact->verb = verb;
	return true;
}

/* Where an Internet socket is bound. */
static __always_inline void local_inet(struct sockaddr_in6 *address, struct sock *sk)
{
	address->sin6_family = BPF_CORE_READ(sk, __sk_common.skc_family);
	address->sin6_port = bpf_htons(BPF_CORE_READ(sk, __sk_common.skc_num));
	if (address->sin6_family == AF_INET)
		address->sin6_flowinfo = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	else
		BPF_CORE_READ_INTO(&address->sin6_addr, sk, __sk_common.skc_v6_rcv_saddr);
}

/* Whom a connection is with. What came by IPv4 to an IPv6 socket has a mapped address, as accept(2) tells it. */
static __always_inline void peer_inet(struct sockaddr_in6 *address, struct sock *sk)
{
	address->sin6_family = BPF_CORE_READ(sk, __sk_common.skc_family);
	address->sin6_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	if (address->sin6_family == AF_INET)
		address->sin6_flowinfo = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	else
		BPF_CORE_READ_INTO(&address->sin6_addr, sk, __sk_common.skc_v6_daddr);
}

/* Where a UNIX socket is bound. */
static __always_inline void bound_unix(struct contact *contact, struct sock *sk)
{
	struct unix_address *address = BPF_CORE_READ((struct unix_sock *)sk, addr);

	contact->address = address ? (__u64)address + bpf_core_field_offset(struct unix_address, name) : 0;
	contact->length = address ? BPF_CORE_READ(address, len) : 0;
}

#endif
