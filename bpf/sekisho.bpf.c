/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The kernel side in one piece, so that one object has the maps once and each program what it calls. */
#include "kernel/base.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "layout.h"
#include "operations.h"
#include "maps.h"
#include "scratch.h"
#include "task.h"
#include "birth.h"
#include "judge.h"
#include "moved.h"
#include "names.h"
#include "link.h"

#include "file.h"
#include "entry.h"
#include "mount.h"
#include "exec.h"
#include "environment.h"
#include "network.h"
#include "ipc.h"
#include "ready.h"
#include "capability.h"
#include "protect.h"
#include "protect_daemon.h"
#include "strings.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
