/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Receiving datagrams. When a task asks for one it hasn't come yet; when it comes, no task has asked. So each socket knows
 * the domain of who made it or, from then on, who has last asked for something; and what comes from where that domain may not
 * receive from is dropped before it is queued, as if it had been lost on the way. What was queued already stays.
 *
 * The kernel does that in whatever task it has interrupted: conditions on the task don't hold, nobody waits, nobody moves.
 */
#ifndef SEKISHO_RECEIVE_H
#define SEKISHO_RECEIVE_H

#include "contact.h"

#define ETH_P_IP 0x0800
#define SOURCE_OF_IP 12		/* where addresses are in headers, which have been the same for long */
#define SOURCE_OF_IPV6 8

/* The domain that hears what comes to a socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} hearers SEC(".maps");

/* The same by sockets' addresses, for programs that can't keep anything with a socket. */
TABLE(hearing_addresses, __u64, __u32, 65536);

/* Where it is kept who hears what comes to the socket. NULL: nobody does; if domain isn't 0 that couldn't be kept. */
static __always_inline __u32 *hearer_of(struct sock *sk, __u32 domain)
{
	__u64 address;
	__u32 *hearer;

	if (!modify_return)
		return bpf_sk_storage_get(&hearers, sk, domain ? &domain : NULL,
					  domain ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	address = address_of(sk);
	hearer = bpf_map_lookup_elem(&hearing_addresses, &address);
	if (hearer || !domain || bpf_map_update_elem(&hearing_addresses, &address, &domain, BPF_ANY))
		return hearer;
	return bpf_map_lookup_elem(&hearing_addresses, &address);
}

static __always_inline bool gets_datagrams(__u16 type)
{
	return type == SOCK_DGRAM || type == SOCK_RAW;
}

static __always_inline bool has_keywords(__u16 family)
{
	return family == AF_UNIX || family == AF_INET || family == AF_INET6;
}

/* The current task's domain hears what comes to the socket from now on. -EAGAIN: that can't be kept, and is enforced. */
static __always_inline int hear(struct socket *sock)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct state *now = the_state();
	struct sock *sk = sock->sk;
	__u32 domain, *hearer;
	__u16 family;

	if (!sk || !gets_datagrams(sock->type) || !now || !now->active || task->flags & PF_KTHREAD)
		return 0;
	family = sk->__sk_common.skc_family;
	if (!has_keywords(family))
		return 0;
	domain = domain_of(task);
	hearer = hearer_of(sk, domain);
	if (!hearer && family == AF_UNIX)
		return crowded(domain, FAMILY_NAME, BIT(BIT_NETWORK_UNIX_DGRAM_RECV));
	if (!hearer)
		return crowded(domain, FAMILY_INET, BIT(BIT_NETWORK_INET_DGRAM_RECV) | BIT(BIT_NETWORK_INET_RAW_RECV));
	if (*hearer != domain)
		*hearer = domain;
	return 0;
}

/* A socket is made. */
SEC("lsm/socket_post_create")
int BPF_PROG(socket_post_create, struct socket *sock, int family, int type, int protocol, int kern, int ret)
{
	if (ret || kern)
		return verdict(ret);
	return verdict(hear(sock));
}

/* Where the datagram is from, as recvfrom(2) tells it: what came by IPv4 to an IPv6 socket has a mapped address. */
static __always_inline void sender_inet(struct sockaddr_in6 *address, struct sk_buff *skb, struct contact *contact)
{
	void *head = BPF_CORE_READ(skb, head);
	void *network = head + BPF_CORE_READ(skb, network_header);

	address->sin6_family = contact->family;
	if (contact->protocol == IPPROTO_UDP || contact->protocol == IPPROTO_UDPLITE)
		bpf_probe_read_kernel(&address->sin6_port, 2, head + BPF_CORE_READ(skb, transport_header));
	if (contact->family == AF_INET) {
		bpf_probe_read_kernel(&address->sin6_flowinfo, 4, network + SOURCE_OF_IP);
	} else if (BPF_CORE_READ(skb, protocol) == bpf_htons(ETH_P_IP)) {
		address->sin6_addr[10] = address->sin6_addr[11] = 0xff;
		bpf_probe_read_kernel(address->sin6_addr + 12, 4, network + SOURCE_OF_IP);
	} else {
		bpf_probe_read_kernel(address->sin6_addr, 16, network + SOURCE_OF_IPV6);
	}
}

/* A datagram is about to be queued. */
SEC("lsm/socket_sock_rcv_skb")
int BPF_PROG(socket_sock_rcv_skb, struct sock *sk, struct sk_buff *skb, int ret)
{
	struct contact contact = { .verb = VERB_RECEIVE };
	struct sockaddr_in6 address = {};
	__u32 *hearer;

	if (ret)
		return verdict(ret);
	contact.type = sk->sk_type;
	if (!gets_datagrams(contact.type))
		return 0;
	hearer = hearer_of(sk, 0);
	if (!hearer)
		return 0;
	contact.hearer = *hearer;
	contact.family = sk->__sk_common.skc_family;
	contact.protocol = sk->sk_protocol;
	if (contact.family == AF_UNIX) {
		bound_unix(&contact, BPF_CORE_READ(skb, sk));
	} else {
		sender_inet(&address, skb, &contact);
		contact.address = (__u64)&address;
		contact.length = sizeof(address);
	}
	return verdict(judge_contact(&contact));
}

#endif
