/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Names alone, for tests: those of the current task's descriptors. Run, never attached. */
#include "../kernel/base.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "../scratch.h"
#include "../names.h"

struct fdtable {
	struct file **fd;
} RELOCATED;

struct files_struct {
	struct fdtable *fdt;
} RELOCATED;

struct task_struct___files {
	struct files_struct *files;
} RELOCATED;

struct request {
	__u32 descriptor;
	__u32 naming;
	__u32 times;
	__s32 error;
};

static int named(struct request *request)
{
	struct task_struct___files *task = (void *)bpf_get_current_task();
	struct file **files = BPF_CORE_READ(task, files, fdt, fd);
	struct file *file = NULL;

	bpf_probe_read_kernel(&file, sizeof(file), files + request->descriptor);
	if (!file)
		return -1;
	return name_of(0, request->naming, (__u64)BPF_CORE_READ(file, f_path.mnt), (__u64)BPF_CORE_READ(file, f_path.dentry));
}

static long once(__u32 number, void *request)
{
	named(request);
	return 0;
}

struct fs_struct {
	struct path pwd;
} RELOCATED;

struct task_struct___fs {
	struct fs_struct *fs;
} RELOCATED;

static long here(__u32 number, void *context)
{
	struct task_struct___fs *task = (void *)bpf_get_current_task_btf();

	return name_path(0, FIRST, task->fs->pwd.mnt, task->fs->pwd.dentry) && 0;
}

/* The name of the working directory, by the way that hooks take. */
SEC("syscall")
int working(struct request *given)
{
	struct task_struct___fs *task = (void *)bpf_get_current_task_btf();

	bpf_loop(given->times, here, NULL, 0);
	given->error = name_path(0, FIRST, task->fs->pwd.mnt, task->fs->pwd.dentry);
	return 0;
}

/* The name of a descriptor into slot 0. */
SEC("syscall")
int name(struct request *given)
{
	struct request request = *given;

	if (request.times)
		bpf_loop(request.times, once, &request, 0);
	given->error = named(&request);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
