/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The engine's own protection: the daemon, and what is above every policy. */
#ifndef SEKISHO_PROTECT_DAEMON_H
#define SEKISHO_PROTECT_DAEMON_H

#include "guards.h"
#include "ipc.h"

struct sock___owned {
	struct pid *sk_peer_pid;	/* of one that listens: whose it is */
} RELOCATED;

static __always_inline int protect_daemon(struct task_struct *task)
{
	return is_daemon(task) && !same_process(task) && !trusted() ? -EPERM : 0;
}

/* Whoever controls a manager's process is one. */
static __always_inline int protect_manager(struct task_struct *task)
{
	return is_manager(task) && !same_process(task) && !trusted() ? -EPERM : 0;
}

SEC("lsm/task_kill")
int BPF_PROG(protect_kill, struct task_struct *p, struct kernel_siginfo *info, int sig)
{
	return sig && !sent_later(ctx) ? protect_daemon(p) : 0;
}

/*
 * Signals that a file sends to whom somebody has made its owner: the daemon and its guardian are no file's. May run in an
 * interrupt, where what tasks carry can't always be had.
 */
SEC("lsm/file_send_sigiotask")
int BPF_PROG(protect_sigio, struct task_struct *task)
{
	struct state *now = the_state();

	return now && now->active && is_process_of_daemon(now, task) ? -EPERM : 0;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(protect_ptrace, struct task_struct *child, unsigned int mode)
{
	if (mode & PTRACE_MODE_ATTACH)
		return protect_daemon(child) ?: protect_manager(child);
	/* Its environment, its descriptors' names, its maps. */
	return is_daemon(child) && !same_process(child) && is_held() ? -EPERM : 0;
}

/*
 * Who asks the daemon for something is known to it by the process that connected. That could give the connection to
 * another, and then become a program that may ask: so whether it may is decided when it connects. As the daemon has it:
 * whoever is a manager, or held to nothing.
 */
SEC("lsm/unix_stream_connect")
int BPF_PROG(protect_connect, struct sock *sock, struct sock *other, struct sock *newsk, int ret)
{
	struct pid *owner = BPF_CORE_READ((struct sock___owned *)other, sk_peer_pid);
	struct state *now = the_state();

	if (ret || !now || !now->daemon || BPF_CORE_READ(owner, numbers[0].nr) != now->daemon)
		return verdict(ret);
	return is_held() ? -EPERM : 0;
}

/* Its limits, its priority. */
SEC("lsm/task_setrlimit")
int BPF_PROG(protect_limits, struct task_struct *p)
{
	return protect_daemon(p);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(protect_scheduler, struct task_struct *p)
{
	return protect_daemon(p);
}

SEC("lsm/task_setnice")
int BPF_PROG(protect_nice, struct task_struct *p)
{
	return protect_daemon(p);
}

/* Hardware that no name leads to, and that is above every policy: not for who is held to one. */
static __always_inline bool is_hardware(enum lockdown_reason what)
{
	return what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_IOPORT) ||
	       what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_MSR);
}

/* The kernel's memory, written by who has the right to, and programs that write other processes'. */
SEC("lsm/locked_down")
int BPF_PROG(protect_memory, enum lockdown_reason what)
{
	if (is_hardware(what))
		return is_held() ? -EPERM : 0;
	if (what != bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_DEV_MEM) &&
	    what != bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_BPF_WRITE_USER))
		return 0;
	return trusted() ? 0 : -EPERM;
}

#endif
