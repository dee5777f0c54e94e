/* Ways around by what policy has no keyword of its own for: one try each. */
#include "attack.h"
#include <sys/ioctl.h>
#include <termios.h>

#define SECRET at("forbidden/secret")
#ifndef SYS_file_setattr
#define SYS_file_setattr 469
#endif

static int executed_as(const char *path, char *const *arguments, char *const *environment) {
    int status;
    pid_t child = fork();
    if (!child) {
        execve(path, arguments, environment);
        _exit(1);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static void script(const char *path, const char *interpreter) {
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);
    dprintf(fd, "#!%s\n", interpreter);
    close(fd);
}

/* A script whose interpreter is a script whose interpreter is forbidden. */
static int executed_script_of_a_script(void) {
    char *arguments[] = {"script", NULL};
    script(at("allowed/inner"), at("forbidden/prog"));
    script(at("allowed/script"), at("allowed/inner"));
    return executed_as(at("allowed/script"), arguments, arguments + 1);
}

/* A user namespace has binary formats of its own (Linux 6.7): what may be executed there is what another program reads. */
static int other_binary_format(void) {
    char map[32], *arguments[] = {"odd", NULL};
    int user = getuid(), fd = open(at("allowed/odd"), O_CREAT | O_TRUNC | O_WRONLY, 0755), won;
    dprintf(fd, "ODDFORMAT");
    close(fd);
    mkdir(at("allowed/formats"), 0700);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
        return -1;
    fd = open("/proc/self/uid_map", O_WRONLY);
    if (write(fd, map, snprintf(map, sizeof map, "0 %d 1", user)) < 0)
        return -1;
    if (mount("none", at("allowed/formats"), "binfmt_misc", 0, NULL))
        return errno == EPERM || errno == ENODEV ? -1 : 0;
    fd = open(at("allowed/formats/register"), O_WRONLY);
    if (fd < 0 || dprintf(fd, ":odd:M::ODDFORMAT::%s:", at("forbidden/prog")) < 0)
        return -1;
    won = executed_as(at("allowed/odd"), arguments, arguments + 1);
    umount(at("allowed/formats"));
    return won;
}

/* The program may be executed, but its domain takes no LD_PRELOAD. */
static int preloaded(void) {
    char *arguments[] = {"strict", NULL}, *environment[] = {"LD_PRELOAD=/nowhere.so", NULL};
    return executed_as(at("allowed/strict"), arguments, environment);
}

static int mapped_as_code(void) {
    int fd = open(at("forbidden/code"), O_RDONLY);
    int (*code)(void) = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    return fd >= 0 && (void *)code != MAP_FAILED && code() == 42;
}

/* What is read of a process begins with the name that it gave itself. */
static int misnamed(void) {
    prctl(PR_SET_NAME, ") R 1\nUid:\t0\n", 0, 0, 0);
    return is_secret(open(SECRET, O_RDONLY));
}

static int made(int family, int type, int protocol) {
    return socket(family, type, protocol) >= 0 ? 1 : errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT ? -1 : 0;
}
static int vsock(void) { return made(40, SOCK_STREAM, 0); }
static int smc(void) { return made(43, SOCK_STREAM, 0); }
static int rds(void) { return made(21, SOCK_SEQPACKET, 0); }
static int sctp(void) { return made(AF_INET, SOCK_STREAM, 132); }
static int sctp_one_to_many(void) { return made(AF_INET, SOCK_SEQPACKET, 0); }

/* The path is as long as the address: no byte ends it. */
static int unix_of_odd_length(void) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, "sock", 4);
    if (chdir(at("forbidden")))
        return -1;
    return !connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&to, offsetof(struct sockaddr_un, sun_path) + 4);
}

/* A thread has descriptors of its own, of which those of the process know nothing. */
static void *hears(void *server) {
    char data[16] = "";
    struct iovec vector = {data, 15};
    struct msghdr head = {.msg_iov = &vector, .msg_iovlen = 1};
    if (unshare(CLONE_FILES) || dup2(*(int *)server, 60) != 60)
        return NULL;
    recvmsg(60, &head, MSG_DONTWAIT);
    return (void *)(long)!strcmp(data, "stranger");
}
static int received_by_own_descriptors(void) {
    pthread_t thread;
    void *heard = NULL;
    int pair[2], server = named(SOCK_DGRAM, "server"), sender = named(SOCK_DGRAM, "stranger");
    if (reach(sender, "server") || send(sender, "stranger", 8, 0) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        return -1;
    dup2(pair[0], 60);
    pthread_create(&thread, NULL, hears, &server);
    pthread_join(thread, &heard);
    return (int)(long)heard;
}

static int queue_opened(void) {
    int queue = syscall(SYS_mq_open, "sekisho-forbidden", O_CREAT | O_RDWR, 0600, NULL);
    syscall(SYS_mq_unlink, "sekisho-forbidden");
    return queue >= 0 ? 1 : errno == ENOSYS ? -1 : 0;
}

/* The kernel itself writes to where the program stands. */
static int dumped(void) {
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    char name[64];
    int status;
    if (chdir(at("forbidden")))
        return -1;
    pid_t child = fork();
    if (!child) {
        setrlimit(RLIMIT_CORE, &all);
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    waitpid(child, &status, 0);
    snprintf(name, sizeof name, "core.%d", child);
    return WCOREDUMP(status) && (exists("core") || exists(name)) ? 1 : 0;
}

/* Its flags can't be seen in the call that was granted. */
static int remounted_otherwise(void) {
    unsigned long long attributes[4] = {2, 0, 0, 0};
    if (unshare(CLONE_NEWNS))
        return -1;
    return !syscall(442, AT_FDCWD, "/", 0, attributes, sizeof attributes);
}
static int remounted_by_pieces(void) { return syscall(SYS_fspick, AT_FDCWD, "/", 0) >= 0; }

static int attributes_set(void) {
    unsigned long long attributes[4] = {0x80, 0, 0, 0};
    if (!syscall(SYS_file_setattr, AT_FDCWD, at("forbidden/movable"), attributes, 24, 0))
        return 1;
    return errno == ENOSYS || errno == EOPNOTSUPP || errno == ENOTTY || errno == EINVAL ? -1 : 0;
}

/* The other end of a terminal, which can't be opened by its name. */
static int other_end(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master))
        return -1;
    return ioctl(master, 0x5441, O_RDWR | O_NOCTTY) >= 0;
}

/* What is put into a terminal is what its user might have typed. */
static int typed(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master))
        return -1;
    pid_t child = fork();
    if (!child) {
        setsid();
        int slave = open(ptsname(master), O_RDWR);
        ioctl(slave, TIOCSCTTY, 0);
        _exit(slave < 0 ? 2 : !ioctl(slave, TIOCSTI, "x"));
    }
    int status;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) == 2 ? -1 : WEXITSTATUS(status);
}

static int oom_adjusted(void) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/oom_score_adj", victim);
    return write(open(name, O_WRONLY), "1000", 4) == 4;
}
static int moved_to_one_processor(void) {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    return !sched_setaffinity(victim, sizeof set, &set);
}
static int starved_of_input(void) { return !syscall(SYS_ioprio_set, 1, victim, 3 << 13); }
static int pages_moved(void) {
    unsigned long none = 1;
    return !(syscall(SYS_migrate_pages, victim, 1, &none, &none) < 0 && errno == EPERM);
}
static int scheduled_together(void) {
    long result = prctl(62, 2, victim, 0, 0);
    return result >= 0 ? 1 : errno == EPERM ? 0 : -1;
}

static const attack table[] = {
    {"executed_script_of_a_script", executed_script_of_a_script},
    {"other_binary_format", other_binary_format},
    {"preloaded", preloaded},
    {"mapped_as_code", mapped_as_code},
    {"misnamed", misnamed},
    {"vsock", vsock},
    {"smc", smc},
    {"rds", rds},
    {"sctp", sctp},
    {"sctp_one_to_many", sctp_one_to_many},
    {"unix_of_odd_length", unix_of_odd_length},
    {"received_by_own_descriptors", received_by_own_descriptors},
    {"queue_opened", queue_opened},
    {"dumped", dumped},
    {"remounted_otherwise", remounted_otherwise},
    {"remounted_by_pieces", remounted_by_pieces},
    {"attributes_set", attributes_set},
    {"other_end", other_end},
    {"typed", typed},
    {"oom_adjusted", oom_adjusted},
    {"moved_to_one_processor", moved_to_one_processor},
    {"starved_of_input", starved_of_input},
    {"pages_moved", pages_moved},
    {"scheduled_together", scheduled_together},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
