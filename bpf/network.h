/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The network keywords that a task asks for: binding, listening, connecting, sending to an address, and accepting.
 *
 * Whom a connection is from is known when it is handed to the process (sock_graft), where it can no longer be refused: a
 * connection that policy refuses is handed over dead, nothing can be sent or received on it.
 */
#ifndef SEKISHO_NETWORK_H
#define SEKISHO_NETWORK_H

#include "contact.h"
#include "receive.h"

/* The connections that policy refused. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} refused_sockets SEC(".maps");

/* The same by their addresses, for programs that can't keep anything with a socket. */
TABLE(refused_addresses, __u64, __u32, 65536);

SEC("lsm/socket_bind")
int BPF_PROG(socket_bind, struct socket *sock, struct sockaddr *address, int addrlen, int ret)
{
	struct contact contact = { .address = (__u64)address, .length = addrlen };

	if (ret)
		return ret;
	return about(&contact, sock, VERB_BIND) ? verdict(judge_contact(&contact)) : 0;
}

SEC("lsm/socket_connect")
int BPF_PROG(socket_connect, struct socket *sock, struct sockaddr *address, int addrlen, int ret)
{
	struct contact contact = { .address = (__u64)address, .length = addrlen };

	if (ret)
		return ret;
	return about(&contact, sock, VERB_CONNECT) ? verdict(judge_contact(&contact)) : 0;
}

SEC("lsm/socket_listen")
int BPF_PROG(socket_listen, struct socket *sock, int backlog, int ret)
{
	struct contact contact = {};
	struct sockaddr_in6 address = {};
	struct sock *sk;

	if (ret)
		return ret;
	sk = sock->sk;
	if (!about(&contact, sock, VERB_LISTEN))
		return 0;
	if (contact.family == AF_UNIX) {
		bound_unix(&contact, sk);
	} else {
		local_inet(&address, sk);
		contact.address = (__u64)&address;
		contact.length = sizeof(address);
	}
	return verdict(judge_contact(&contact));
}

static __always_inline bool refused(struct socket *sock)
{
	struct sock *sk = sock->sk;
	__u64 address;

	if (!sk)
		return false;
	if (!modify_return)
		return bpf_sk_storage_get(&refused_sockets, sk, NULL, 0);
	address = address_of(sk);
	return bpf_map_lookup_elem(&refused_addresses, &address);
}

/* From now on the socket is good for nothing. Where that can't be remembered, nor is whoever it has been handed to. */
static __always_inline void refuse(struct sock *sk)
{
	__u64 address;
	__u32 yes = 1;

	if (!modify_return) {
		bpf_sk_storage_get(&refused_sockets, sk, &yes, BPF_LOCAL_STORAGE_GET_F_CREATE);
		return;
	}
	address = address_of(sk);
	if (bpf_map_update_elem(&refused_addresses, &address, &yes, BPF_ANY))
		bpf_send_signal(SIGKILL);
}

/* Another socket may have its address: loaded where sockets are known by theirs. */
SEC("lsm/sk_free_security")
int BPF_PROG(sock_freed, struct sock *sk)
{
	__u64 address = address_of(sk);

	bpf_map_delete_elem(&refused_addresses, &address);
	bpf_map_delete_elem(&hearing_addresses, &address);
	return 0;
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(socket_sendmsg, struct socket *sock, struct msghdr *msg, int size, int ret)
{
	struct contact contact = {};

	if (ret)
		return ret;
	if (refused(sock))
		return -EPERM;
	contact.address = address_of(msg->msg_name);
	if (!contact.address)
		return 0;
	contact.length = msg->msg_namelen;
	if (contact.length <= 0)
		return 0;
	if (!about(&contact, sock, VERB_SEND))
		return 0;
	if (contact.type == SOCK_STREAM) {
		if (contact.family == AF_UNIX || !(msg->msg_flags & MSG_FASTOPEN))
			return 0;
		contact.verb = VERB_CONNECT;
	}
	return verdict(judge_contact(&contact));
}

SEC("lsm/socket_recvmsg")
int BPF_PROG(socket_recvmsg, struct socket *sock, struct msghdr *msg, int size, int flags, int ret)
{
	int error = ret;

	if (!error)
		error = refused(sock) ? -EPERM : hear(sock);
	return verdict(error);
}

/* What anybody is answered who wants something of the socket; in two paths, since the verifier can't reckon with one. */
static __always_inline int alive(struct socket *sock)
{
	int error = 0;

	if (refused(sock)) {
		error = -EPERM;
		barrier_var(error);
	}
	return error;
}

#define SOL_TCP 6
#define TCP_ZEROCOPY_RECEIVE 35

/* Bytes that are had without receiving. */
SEC("lsm/socket_getsockopt")
int BPF_PROG(socket_getsockopt, struct socket *sock, int level, int optname, int ret)
{
	if (ret || level != SOL_TCP || optname != TCP_ZEROCOPY_RECEIVE)
		return verdict(ret);
	return alive(sock);
}

/* .. and those that are moved from or to a pipe or file. Asked at every read and write of any file: done with at once. */
SEC("lsm/file_permission")
int BPF_PROG(file_permission, struct file *file, int mask, int ret)
{
	struct socket *sock;

	if (ret || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return verdict(ret);
	sock = bpf_sock_from_file(file);
	return sock ? alive(sock) : 0;
}

/* A connection (sk) is put into what accept(2) gives. */
SEC("lsm/sock_graft")
int BPF_PROG(sock_graft, struct sock *sk, struct socket *parent)
{
	struct contact contact = { .verb = VERB_ACCEPT };
	struct sockaddr_in6 address = {};

	contact.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	contact.type = BPF_CORE_READ(parent, type);
	if (contact.family == AF_UNIX) {
		bound_unix(&contact, BPF_CORE_READ((struct unix_sock *)sk, peer));
	} else {
		peer_inet(&address, sk);
		contact.address = (__u64)&address;
		contact.length = sizeof(address);
	}
	if (judge_contact(&contact))
		refuse(sk);
	return 0;
}

#endif
