/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The capability keywords. What has a hook of its own is asked there; for the rest there is capable(), which is asked
 * for many things: the system call that runs tells which. What the kernel's own capabilities refuse isn't asked, since
 * their module comes first.
 */
#ifndef SEKISHO_CAPABILITY_H
#define SEKISHO_CAPABILITY_H

#include "kernel/net.h"
#include "kernel/call.h"
#include "kernel/namespace.h"
#include "scratch.h"
#include "task.h"
#include "judge.h"

struct io_uring_cmd;

#define CAPABILITY(name) (1ull << BIT_CAPABILITY_##name)

#define CAP_SYS_MODULE 16
#define CAP_SYS_ADMIN 21
#define CAP_SYS_BOOT 22
#define CAP_SYS_TIME 25
#define CAP_SYS_TTY_CONFIG 26
#define ASKED_CAPABILITIES (1u << CAP_SYS_MODULE | 1u << CAP_SYS_ADMIN | 1u << CAP_SYS_BOOT | 1u << CAP_SYS_TIME | \
			    1u << CAP_SYS_TTY_CONFIG)

/* The verdict on those capabilities. Inline, as all that calls judge(): what that calls needs the frames. */
static __always_inline int judge_capabilities(__u64 wanted)
{
	__u32 domain, slot;
	__u64 asked;
	int error;

	asked = checked(FAMILY_NONE, wanted, &domain);
	if (!asked)
		return 0;
	slot = begin(FAMILY_NONE, asked, domain);
	if (slot == NO_SLOT)
		return crowded(domain, FAMILY_NONE, asked);
	error = judge(slot);
	release(slot);
	return error;
}

static __always_inline __u64 namespaces_of(__u64 flags)
{
	__u64 wanted = 0;

	if (flags & CLONE_NEWUSER)
		wanted |= CAPABILITY(USE_USER_NAMESPACE);
	if (flags & CLONE_NEWNS)
		wanted |= CAPABILITY(USE_MOUNT_NAMESPACE);
	if (flags & CLONE_NEWPID)
		wanted |= CAPABILITY(USE_PID_NAMESPACE);
	if (flags & CLONE_NEWNET)
		wanted |= CAPABILITY(USE_NETWORK_NAMESPACE);
	if (flags & CLONE_NEWIPC)
		wanted |= CAPABILITY(USE_IPC_NAMESPACE);
	if (flags & CLONE_NEWUTS)
		wanted |= CAPABILITY(USE_UTS_NAMESPACE);
	if (flags & CLONE_NEWCGROUP)
		wanted |= CAPABILITY(USE_CGROUP_NAMESPACE);
	if (flags & CLONE_NEWTIME)
		wanted |= CAPABILITY(USE_TIME_NAMESPACE);
	return wanted;
}

/*
 * The type of the namespace that setns(2) without a type enters: all of them where another thread may put another
 * descriptor in its place.
 */
static __always_inline __u64 type_behind(__u32 number)
{
	struct task_struct___held *task = (void *)bpf_get_current_task_btf();
	struct files_struct___held *files = BPF_CORE_READ(task, files);
	void *namespace;
	struct inode *inode;
	struct file **all, *file = NULL;

	if (BPF_CORE_READ(files, count.counter) != 1 || number >= BPF_CORE_READ(files, fdt, max_fds))
		return CLONE_NEW_ANY;
	all = BPF_CORE_READ(files, fdt, fd);
	if (bpf_probe_read_kernel(&file, sizeof(file), all + number) || !file)
		return CLONE_NEW_ANY;
	inode = BPF_CORE_READ(file, f_inode);
	namespace = BPF_CORE_READ((struct inode___held *)inode, i_private);
	if (bpf_core_field_exists(((struct ns_common___typed *)0)->ns_type))
		return BPF_CORE_READ((struct ns_common___typed *)namespace, ns_type) & CLONE_NEW_ANY;
	return BPF_CORE_READ((struct ns_common___old *)namespace, ops, type) & CLONE_NEW_ANY;
}

SEC("lsm/capable")
int BPF_PROG(capable, const struct cred *cred, struct user_namespace *ns, int cap, unsigned int opts, int ret)
{
	struct called called = {};
	__u64 wanted = 0;

	if (ret)
		return ret;
	if (!((__u32)cap < 32 && ASKED_CAPABILITIES >> cap & 1))
		return 0;
	call_now(&called);
	/* Memory is reserved, above all: that is asked for a right, too. */
	if (called.call == CALL_OTHER && cap != CAP_SYS_TIME)
		return 0;
	switch (cap) {
	case CAP_SYS_TIME:
		wanted = CAPABILITY(SYS_TIME);
		break;
	case CAP_SYS_BOOT:
		if (called.call == CALL_REBOOT)
			wanted = CAPABILITY(SYS_REBOOT);
		else if (called.call == CALL_KEXEC_LOAD || called.call == CALL_KEXEC_FILE_LOAD)
			wanted = CAPABILITY(SYS_KEXEC_LOAD);
		break;
	case CAP_SYS_MODULE:
		if (called.call == CALL_INIT_MODULE || called.call == CALL_FINIT_MODULE ||
		    called.call == CALL_DELETE_MODULE)
			wanted = CAPABILITY(USE_KERNEL_MODULE);
		break;
	case CAP_SYS_TTY_CONFIG:
		if (called.call == CALL_VHANGUP)
			wanted = CAPABILITY(SYS_VHANGUP);
		break;
	case CAP_SYS_ADMIN:
		if (called.call == CALL_SETHOSTNAME || called.call == CALL_SETDOMAINNAME)
			wanted = CAPABILITY(SYS_SETHOSTNAME);
		else if (called.call == CALL_UNSHARE)
			/* A new user namespace has a hook of its own. */
			wanted = namespaces_of(called.first & ~(__u64)CLONE_NEWUSER);
		else if (called.call == CALL_SETNS)
			wanted = namespaces_of((__u32)called.second ?: type_behind(called.first));
		break;
	}
	return wanted ? verdict(judge_capabilities(wanted)) : 0;
}

/* clone(2) and clone3(2): the flags as the kernel has copied them. */
SEC("lsm/task_alloc")
int BPF_PROG(namespaces_cloned, struct task_struct *task, unsigned long clone_flags, int ret)
{
	__u64 wanted;

	if (ret)
		return ret;
	wanted = namespaces_of(clone_flags & ~(__u64)CLONE_NEWUSER);
	return wanted ? verdict(judge_capabilities(wanted)) : 0;
}

SEC("lsm/userns_create")
int BPF_PROG(userns_create, const struct cred *cred, int ret)
{
	if (ret)
		return ret;
	return verdict(judge_capabilities(CAPABILITY(USE_USER_NAMESPACE)));
}

SEC("lsm/socket_create")
int BPF_PROG(socket_create, int family, int type, int protocol, int kern, int ret)
{
	if (ret)
		return ret;
	if (kern || (family != AF_NETLINK && family != AF_PACKET))
		return 0;
	return verdict(judge_capabilities(family == AF_NETLINK ? CAPABILITY(USE_ROUTE) : CAPABILITY(USE_PACKET)));
}

SEC("lsm/task_setnice")
int BPF_PROG(task_setnice, struct task_struct *p, int nice, int ret)
{
	if (ret)
		return ret;
	return verdict(judge_capabilities(CAPABILITY(SYS_NICE)));
}

/* Also called for processors and memory nodes that a task may use, which nobody is asked about. */
SEC("lsm/task_setscheduler")
int BPF_PROG(task_setscheduler, struct task_struct *p, int ret)
{
	struct called called = {};

	if (ret)
		return ret;
	call_now(&called);
	if (called.call != CALL_SET_SCHEDULER && called.call != CALL_SET_PARAMETER &&
	    called.call != CALL_SET_ATTRIBUTES)
		return 0;
	return verdict(judge_capabilities(CAPABILITY(SYS_NICE)));
}

/* This hook and the next have other arguments on other kernels: none is looked at. */
SEC("lsm/bpf")
int BPF_PROG(bpf_used)
{
	return verdict(judge_capabilities(CAPABILITY(USE_BPF)));
}

SEC("lsm/perf_event_open")
int BPF_PROG(perf_event_open)
{
	return verdict(judge_capabilities(CAPABILITY(USE_PERF_EVENT)));
}

#define BYTES(a, b, c, d, e, f, g, h)									\
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 |		\
	 (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)

/* Files that stand for a facility: there is nothing else that io_uring_setup(2) asks before Linux 6.15. */
SEC("lsm/inode_init_security_anon")
int BPF_PROG(inode_init_security_anon, struct inode *inode, const struct qstr *name, const struct inode *context,
	     int ret)
{
	__u64 text[2] = {};

	if (ret)
		return ret;
	bpf_probe_read_kernel_str((char *)text, sizeof(text), BPF_CORE_READ(name, name));
	if (text[0] == BYTES('[', 'i', 'o', '_', 'u', 'r', 'i', 'n') && text[1] == BYTES('g', ']', 0, 0, 0, 0, 0, 0))
		return verdict(judge_capabilities(CAPABILITY(USE_IO_URING)));
	if (text[0] == BYTES('[', 'u', 's', 'e', 'r', 'f', 'a', 'u') && text[1] == BYTES('l', 't', 'f', 'd', ']', 0, 0, 0))
		return verdict(judge_capabilities(CAPABILITY(USE_USERFAULTFD)));
	return 0;
}

/* A thread of the kernel that takes what a ring holds. */
SEC("lsm/uring_sqpoll")
int BPF_PROG(uring_sqpoll, int ret)
{
	if (ret)
		return ret;
	return verdict(judge_capabilities(CAPABILITY(USE_IO_URING)));
}

/* Other credentials for what a ring holds. */
SEC("lsm/uring_override_creds")
int BPF_PROG(uring_override_creds, const struct cred *new, int ret)
{
	if (ret)
		return ret;
	return verdict(judge_capabilities(CAPABILITY(USE_IO_URING)));
}

/* What a driver does through a ring and not through a call that has a hook. */
SEC("lsm/uring_cmd")
int BPF_PROG(uring_cmd, struct io_uring_cmd *command, int ret)
{
	if (ret)
		return ret;
	return verdict(judge_capabilities(CAPABILITY(USE_IO_URING)));
}

/* fanotify_init(2) has no hook; a group without marks is told nothing. */
SEC("lsm/path_notify")
int BPF_PROG(path_notify, const struct path *path, __u64 mask, unsigned int type, int ret)
{
	struct called called = {};

	if (ret)
		return ret;
	call_now(&called);
	if (called.call != CALL_FANOTIFY_MARK)
		return 0;
	return verdict(judge_capabilities(CAPABILITY(USE_FANOTIFY)));
}

#endif
