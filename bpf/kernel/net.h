/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Sockets and their addresses. */
#ifndef SEKISHO_KERNEL_NET_H
#define SEKISHO_KERNEL_NET_H

#include "base.h"

#define BPF_MAP_TYPE_SK_STORAGE 24

#ifndef EINVAL
#define EINVAL 22
#endif

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_PACKET 17

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5

#define MSG_FASTOPEN 0x20000000

#define IPPROTO_UDP 17
#define IPPROTO_UDPLITE 136

/* As user space gives addresses: the same on every kernel, so not relocated. */
struct sockaddr {
	__u16 sa_family;
	__u8 sa_data[14];
};

struct sockaddr_in {
	__u16 sin_family;
	__be16 sin_port;
	__u8 sin_addr[4];
};

struct sockaddr_in6 {
	__u16 sin6_family;
	__be16 sin6_port;
	__be32 sin6_flowinfo;
	__u8 sin6_addr[16];
};

#define UNIX_PATH_MAX 108

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
} RELOCATED;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
} RELOCATED;

struct sk_buff {
	struct sock *sk;
	unsigned char *head;
	__be16 protocol;
	__u16 network_header;
	__u16 transport_header;
} RELOCATED;

struct socket {
	short type;
	struct sock *sk;
} RELOCATED;

struct msghdr {
	void *msg_name;
	int msg_namelen;
	unsigned int msg_flags;
} RELOCATED;

struct sockaddr_un {
	__u16 sun_family;
	char sun_path[UNIX_PATH_MAX];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
} RELOCATED;

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
} RELOCATED;

#endif
