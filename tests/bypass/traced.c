/* Ways to reach into a program of another domain by being its tracer. */
#include "attack.h"

#define KEPT ((void *)0x10000000) /* keeper.c's secret */

static void become(const char *name) {
    char *none[] = {"keeper", NULL};
    execve(at(name), none, none + 1);
    _exit(1);
}

static int peeked(pid_t child) {
    long data = ptrace(PTRACE_PEEKDATA, child, KEPT, NULL);
    return !memcmp(&data, "secret", 6);
}

/* Until the secret is seen in it at one of its stops, or it ends. */
static int followed(pid_t child) {
    int status;
    while (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status)) {
        if (peeked(child)) {
            kill(child, SIGKILL);
            waitpid(child, NULL, __WALL);
            return 1;
        }
        ptrace(PTRACE_CONT, child, NULL, (void *)(long)(WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status)));
    }
    return 0;
}

static int let_parent_trace(const char *name) {
    pid_t child = fork();
    if (!child) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(1);
        become(name);
    }
    return followed(child);
}

static int traced_by_parent(void) { return let_parent_trace("keeper"); }
static int traced_by_parent_as_a_script(void) { return let_parent_trace("keeping"); }

static int begin_by(int request, long options) {
    int ends[2];
    char byte;
    if (pipe(ends))
        return -1;
    pid_t child = fork();
    if (!child) {
        if (read(ends[0], &byte, 1) == 1)
            become("keeper");
        _exit(1);
    }
    if (ptrace(request, child, NULL, (void *)options))
        return -1;
    if (request == PTRACE_ATTACH) {
        waitpid(child, NULL, __WALL);
        ptrace(PTRACE_CONT, child, NULL, NULL);
    }
    if (write(ends[1], "x", 1) != 1)
        return -1;
    return followed(child);
}

static int attached(void) { return begin_by(PTRACE_ATTACH, 0); }
static int seized(void) { return begin_by(PTRACE_SEIZE, PTRACE_O_TRACEEXEC); }

/* The traced child has a child, which its tracer gets as well, and which becomes the program. */
static int inherited(void) {
    pid_t child = fork(), other;
    int status;
    unsigned long number = 0;
    if (!child) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        other = fork();
        if (!other)
            become("keeper");
        waitpid(other, NULL, 0);
        _exit(0);
    }
    if (waitpid(child, &status, __WALL) != child || !WIFSTOPPED(status))
        return -1;
    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL));
    ptrace(PTRACE_CONT, child, NULL, NULL);
    if (waitpid(child, &status, __WALL) != child || !WIFSTOPPED(status))
        return -1;
    ptrace(PTRACE_GETEVENTMSG, child, NULL, &number);
    ptrace(PTRACE_CONT, child, NULL, NULL);
    int won = followed(number);
    kill(child, SIGKILL);
    return won;
}

/* The tracer is another thread of the process than the one that waits; tracing is a thread's. */
static pid_t target;
static int by_thread;
static void *trace_from_thread(void *none) {
    if (!ptrace(PTRACE_SEIZE, target, NULL, (void *)PTRACE_O_TRACEEXEC)) {
        kill(target, SIGUSR1);
        by_thread = followed(target);
    }
    return none;
}

static void go_on(int number) { become("keeper"); }

static int traced_by_a_thread(void) {
    pthread_t thread;
    signal(SIGUSR1, go_on);
    target = fork();
    if (!target) {
        sleep(20);
        _exit(1);
    }
    pthread_create(&thread, NULL, trace_from_thread, NULL);
    pthread_join(thread, NULL);
    kill(target, SIGKILL);
    return by_thread;
}

/* Once it is that program, which shows by what it has closed. */
static int tried_on(int (*reach)(pid_t)) {
    int ends[2], won;
    char byte;
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    pid_t child = fork();
    if (!child)
        become("stayer");
    close(ends[1]);
    if (read(ends[0], &byte, 1))
        return -1;
    won = reach(child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return won;
}

static int reads(pid_t pid) {
    char data[8] = "";
    struct iovec here = {data, 6}, there = {KEPT, 6};
    return process_vm_readv(pid, &here, 1, &there, 1, 0) == 6 && !memcmp(data, "secret", 6);
}

static int writes(pid_t pid) {
    char data[8] = "public";
    struct iovec here = {data, 6}, there = {KEPT, 6};
    return process_vm_writev(pid, &here, 1, &there, 1, 0) == 6;
}

static int seizes(pid_t pid) { return !ptrace(PTRACE_SEIZE, pid, NULL, NULL); }

static int opens(pid_t pid) {
    char name[64], data[8] = "";
    snprintf(name, sizeof name, "/proc/%d/mem", pid);
    int fd = open(name, O_RDONLY), won = pread(fd, data, 6, (off_t)KEPT) == 6 && !memcmp(data, "secret", 6);
    close(fd);
    return won;
}

static int takes(pid_t pid) {
    int pidfd = syscall(SYS_pidfd_open, pid, 0), fd = syscall(SYS_pidfd_getfd, pidfd, 1, 0);
    close(pidfd);
    close(fd);
    return fd >= 0;
}

static int memory_read(void) { return tried_on(reads); }
static int memory_written_to(void) { return tried_on(writes); }
static int seized_later(void) { return tried_on(seizes); }
static int memory_opened(void) { return tried_on(opens); }
static int descriptor_had(void) { return tried_on(takes); }

static const attack table[] = {
    {"traced_by_parent", traced_by_parent},
    {"traced_by_parent_as_a_script", traced_by_parent_as_a_script},
    {"attached", attached},
    {"seized", seized},
    {"inherited", inherited},
    {"traced_by_a_thread", traced_by_a_thread},
    {"memory_read", memory_read},
    {"memory_written_to", memory_written_to},
    {"seized_later", seized_later},
    {"memory_opened", memory_opened},
    {"descriptor_had", descriptor_had},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
