/* Ways around that are a matter of who is born when: a number that nobody has yet when it is looked at, a child that
   comes while its parent becomes another program. */
#include "attack.h"

static pid_t breeder(const char *milliseconds) {
    pid_t child = fork();
    if (!child) {
        execl(at("breeder"), "breeder", milliseconds, NULL);
        _exit(1);
    }
    return child;
}

/* The number that the system gave last. */
static pid_t last(int loadavg) {
    char text[128] = "";
    if (pread(loadavg, text, sizeof text - 1, 0) <= 0)
        return 0;
    char *word = strrchr(text, ' ');
    return word ? atoi(word) : 0;
}

static int traces(pid_t pid) {
    return !ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

static int reads(pid_t pid) {
    char data[1];
    struct iovec here = {data, 1}, there = {(void *)0x400000, 1};
    return process_vm_readv(pid, &here, 1, &there, 1, 0) == 1;
}

/* It ends with 42 when somebody killed one of its children. */
static int kills(pid_t pid) {
    kill(pid, SIGUSR1);
    return 0;
}

static int reached_when_born(int (*reach)(pid_t)) {
    int loadavg = open("/proc/loadavg", O_RDONLY), won = 0, status = 0;
    pid_t parent = breeder("8000");
    if (loadavg < 0 || parent < 0)
        return -1;
    usleep(300000);
    while (!won && !waitpid(parent, &status, WNOHANG)) {
        pid_t pid = last(loadavg);
        if (!pid)
            return -1;
        for (int next = 1; next <= 3 && !won; next++)
            won = pid + next != parent && reach(pid + next);
    }
    return won || (WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static int traced_when_born(void) { return reached_when_born(traces); }
static int read_when_born(void) { return reached_when_born(reads); }
static int killed_when_born(void) { return reached_when_born(kills); }

/* A thread with descriptors of its own is about to have a child when its process becomes a program with more rights.
   The child asks for something while that program has a child of its own, which nobody knows yet. */
static char stack[1 << 20];
static int *shared;

static int late_child(void *none) {
    shared[0] = 1;
    pid_t child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (!child) {
        struct timespec wait = {0, 60000000};
        nanosleep(&wait, NULL);
        shared[1] += is_secret(open(at("granted"), O_RDONLY));
        syscall(SYS_exit_group, 0);
    }
    for (;;)
        pause();
}

static int forked_while_becoming(void) {
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *large = mmap(NULL, 1 << 27, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    madvise(large, 1 << 27, MADV_NOHUGEPAGE);
    for (int i = 0; i < tries && !shared[1]; i++) {
        shared[0] = 0;
        pid_t parent = fork();
        if (!parent) {
            int flags = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
            memset(large, 1, 1 << (20 + i % 8));
            clone(late_child, stack + sizeof stack, flags, NULL);
            while (!shared[0])
                __sync_synchronize();
            for (int j = 0; j < (i * 7919) % 200000; j++)
                __sync_synchronize();
            execl(at("breeder"), "breeder", "150", NULL);
            _exit(1);
        }
        waitpid(parent, NULL, 0);
    }
    return shared[1];
}

static const attack table[] = {
    {"traced_when_born", traced_when_born},
    {"read_when_born", read_when_born},
    {"killed_when_born", killed_when_born},
    {"forked_while_becoming", forked_while_becoming},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
