/* injector WHO LOG CALL REQUEST NTH WHAT COMMAND...: runs COMMAND, which forks a supervisor once it has a pair of
   sockets, and lets the NTH system call CALL of WHO go wrong: "front" (from that fork on), "supervisor", "command"
   (until it executes something), "worker" (all of them together). REQUEST narrows an ioctl or fcntl down (0: any).
   WHAT is -ERRNO (instead of the call), ~ERRNO (the call is made, then fails), kill (before the call), stop (it stands
   still there for a fifth of a second), short (a write of half the bytes). CALL -1: nothing goes wrong.
   LOG gets a line "CALL REQUEST" for each call of WHO, or grows by "injected" when it was done. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
typedef struct user_regs_struct registers;
#define NUMBER(r) ((long)(r).orig_rax)
#define ARGUMENT(r, n) ((n) == 1 ? (r).rsi : (r).rdx)
#define RESULT(r) (r).rax
#elif defined(__aarch64__)
typedef struct user_regs_struct registers;
#define NUMBER(r) ((long)(r).regs[8])
#define ARGUMENT(r, n) ((r).regs[n])
#define RESULT(r) (r).regs[0]
#endif

#define MOST 8192
enum { NOBODY, FRONT, SUPERVISOR, COMMAND, WORKER };
static const char *const names[] = {"", "front", "supervisor", "command", "worker"};
static struct {
    pid_t pid;
    int role;
    int known, stopped; /* Its parent has told of it; it has stopped for the first time. */
    int inside, spoiled;
    long result;
} tasks[MOST];
static int count, paired, commanded, who, out, done;
static pid_t front, supervisor;
static long call, nth, seen;
static unsigned long request;
static const char *what;

static int slot(pid_t pid) {
    for (int i = 0; i < count; i++)
        if (tasks[i].pid == pid)
            return i;
    if (count == MOST)
        _exit(70);
    memset(&tasks[count], 0, sizeof tasks[count]);
    tasks[count].pid = pid;
    return count++;
}

static registers get(pid_t pid) {
    registers found;
    struct iovec where = {&found, sizeof found};
    memset(&found, 0, sizeof found);
    ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &where);
    return found;
}

static void set(pid_t pid, registers wanted) {
    struct iovec where = {&wanted, sizeof wanted};
    ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &where);
}

static void skip(pid_t pid, registers now) {
#if defined(__x86_64__)
    now.orig_rax = -1;
    set(pid, now);
#else
    int number = -1;
    struct iovec where = {&number, sizeof number};
    (void)now;
    ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &where);
#endif
}

static void forget(int at) { tasks[at] = tasks[--count]; }

static void resume(int at, int number) {
    if (tasks[at].role == COMMAND && who != COMMAND && tasks[at].pid != front) {
        ptrace(PTRACE_DETACH, tasks[at].pid, 0, number);
        forget(at);
    } else {
        int looking = tasks[at].role == who || (tasks[at].pid == front && !supervisor);
        ptrace(looking ? PTRACE_SYSCALL : PTRACE_CONT, tasks[at].pid, 0, number);
    }
}

/* Whose child it is says who it is; it goes on as soon as that is known and it has stopped. */
static void born(pid_t parent, pid_t pid) {
    int at = slot(pid);
    if (parent == front && paired && !supervisor) {
        supervisor = pid;
        tasks[at].role = SUPERVISOR;
        tasks[slot(front)].role = FRONT;
    } else if (parent == supervisor) {
        tasks[at].role = commanded++ ? WORKER : COMMAND;
    }
    tasks[at].known = 1;
    if (tasks[at].stopped)
        resume(at, 0);
}

static void spoil(int at, registers now) {
    pid_t pid = tasks[at].pid;
    done = 1;
    dprintf(out, "injected\n");
    if (!strcmp(what, "kill")) {
        kill(pid, SIGKILL);
    } else if (!strcmp(what, "stop")) {
        usleep(200000);
    } else if (!strcmp(what, "short")) {
#if defined(__x86_64__)
        now.rdx = (now.rdx + 1) / 2;
#else
        now.regs[2] = (now.regs[2] + 1) / 2;
#endif
        set(pid, now);
    } else {
        tasks[at].spoiled = 1;
        tasks[at].result = -atol(what + 1);
        if (*what == '-')
            skip(pid, now);
    }
}

/* True when the task is no longer traced. */
static int entered(int at) {
    registers now = get(tasks[at].pid);
    long is = NUMBER(now);
    if (tasks[at].role != who) {
        paired |= is == SYS_socketpair;
        return 0;
    }
    if (who == COMMAND && is == SYS_execve) {
        ptrace(PTRACE_DETACH, tasks[at].pid, 0, 0);
        forget(at);
        return 1;
    }
    unsigned long narrow = is == SYS_ioctl || is == SYS_fcntl ? ARGUMENT(now, 1) : 0;
    if (call < 0)
        dprintf(out, "%ld %lu\n", is, narrow);
    else if (is == call && (!request || request == narrow) && ++seen == nth && !done)
        spoil(at, now);
    return 0;
}

static void left(int at) {
    if (tasks[at].spoiled) {
        registers now = get(tasks[at].pid);
        tasks[at].spoiled = 0;
        RESULT(now) = (unsigned long)tasks[at].result;
        set(tasks[at].pid, now);
    }
}

static void stopped(int at, int status) {
    int number = WSTOPSIG(status), event = status >> 16;
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
        unsigned long pid;
        pid_t parent = tasks[at].pid;
        ptrace(PTRACE_GETEVENTMSG, parent, 0, &pid);
        born(parent, (pid_t)pid);
        at = slot(parent);
        number = 0;
    } else if (event) {
        number = 0;
    } else if (number == SIGSTOP && !tasks[at].stopped) {
        tasks[at].stopped = 1;
        number = 0;
        if (!tasks[at].known)
            return;
    } else if (number == (SIGTRAP | 0x80)) {
        number = 0;
        tasks[at].inside = !tasks[at].inside;
        if (!tasks[at].inside)
            left(at);
        else if (entered(at))
            return;
    }
    resume(at, number);
}

int main(int argc, char **argv) {
    if (argc < 8)
        return 64;
    while (who < WORKER && strcmp(argv[1], names[who]))
        who++;
    out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    call = atol(argv[3]);
    request = strtoul(argv[4], NULL, 0);
    nth = atol(argv[5]);
    what = argv[6];
    front = fork();
    if (!front) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execvp(argv[7], argv + 7);
        _exit(127);
    }
    int status, code = 71;
    waitpid(front, &status, 0);
    ptrace(PTRACE_SETOPTIONS, front, 0,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC);
    int first = slot(front);
    tasks[first].known = tasks[first].stopped = 1;
    resume(first, 0);
    for (;;) {
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            return code;
        int at = slot(pid);
        if (WIFSTOPPED(status)) {
            stopped(at, status);
            continue;
        }
        forget(at);
        if (pid == front)
            code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
}
