/* One-shot ways around a supervisor. */
#include "attack.h"
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <sys/fanotify.h>

#define SECRET at("forbidden/secret")

static int plain_open(void) { return is_secret(open(SECRET, O_RDONLY)); }

static int symlinked(void) {
    if (symlink(SECRET, at("allowed/link")))
        return 0;
    return is_secret(open(at("allowed/link"), O_RDONLY));
}

static int hard_linked(void) {
    if (link(SECRET, at("allowed/hard")))
        return 0;
    return is_secret(open(at("allowed/hard"), O_RDONLY));
}

static int hard_linked_by_descriptor(void) {
    int fd = open(SECRET, O_PATH);
    if (linkat(fd, "", AT_FDCWD, at("allowed/hard2"), AT_EMPTY_PATH)) {
        char name[64];
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        if (linkat(AT_FDCWD, name, AT_FDCWD, at("allowed/hard2"), AT_SYMLINK_FOLLOW))
            return 0;
    }
    return is_secret(open(at("allowed/hard2"), O_RDONLY));
}

static int renamed(void) {
    if (rename(at("forbidden/movable"), at("allowed/moved")))
        return 0;
    return is_secret(open(at("allowed/moved"), O_RDONLY));
}

static int exchanged(void) {
    make(at("allowed/exchanged"));
    if (syscall(SYS_renameat2, AT_FDCWD, at("allowed/exchanged"), AT_FDCWD, at("forbidden/movable2"), 2))
        return 0;
    return is_secret(open(at("allowed/exchanged"), O_RDONLY));
}

static int by_descriptor(const char *format) {
    char name[64];
    int fd = open(SECRET, O_PATH);
    snprintf(name, sizeof name, format, fd);
    return is_secret(open(name, O_RDONLY));
}

static int proc_self_fd(void) { return by_descriptor("/proc/self/fd/%d"); }
static int proc_thread_self_fd(void) { return by_descriptor("/proc/thread-self/fd/%d"); }
static int dev_fd(void) { return by_descriptor("/dev/fd/%d"); }

static int proc_pid_root(void) {
    char name[700];
    snprintf(name, sizeof name, "/proc/self/root%s", SECRET);
    int mine = is_secret(open(name, O_RDONLY));
    snprintf(name, sizeof name, "/proc/%d/root%s", victim, SECRET);
    return mine || is_secret(open(name, O_RDONLY));
}

static int proc_cwd(void) {
    if (chdir(at("forbidden")))
        return -1;
    return is_secret(open("/proc/self/cwd/secret", O_RDONLY)) || is_secret(open("secret", O_RDONLY));
}

static int truncated_by_access_mode_3(void) {
    struct stat now;
    int fd = open(at("forbidden/long"), 3 | O_TRUNC);
    close(fd);
    fd = open(at("forbidden/long"), O_PATH);
    return !fstat(fd, &now) && !now.st_size;
}

static int by_handle(void) {
    struct {
        struct file_handle head;
        char room[128];
    } handle = {.head.handle_bytes = 128};
    int mount, folder = open(at("forbidden"), O_PATH);
    if (syscall(SYS_name_to_handle_at, AT_FDCWD, SECRET, &handle, &mount, 0))
        return -1;
    int base = open(at("allowed"), O_RDONLY | O_DIRECTORY);
    int fd = syscall(SYS_open_by_handle_at, base, &handle, O_RDONLY);
    close(folder);
    return is_secret(fd);
}

static int int80(void) {
#ifdef __x86_64__
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    int result;
    strcpy(low, SECRET);
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(5), "b"(low), "c"(O_RDONLY), "d"(0) : "memory");
    return result == -ENOSYS ? 0 : is_secret(result);
#else
    return -1;
#endif
}

static int x32(void) {
#ifdef __x86_64__
    int fd = syscall(0x40000000 | SYS_open, SECRET, O_RDONLY, 0);
    return fd < 0 ? (errno == ENOSYS ? -1 : 0) : is_secret(fd);
#else
    return -1;
#endif
}

static int io_uring(void) {
    char parameters[256] = "";
    return syscall(SYS_io_uring_setup, 8, parameters) >= 0;
}

static int ld_so(void) {
    int status;
    pid_t child = fork();
    if (!child) {
        close(1), close(2);
        execl("/lib64/ld-linux-x86-64.so.2", "ld", at("forbidden/dynamic"), NULL);
        _exit(1);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static int run_and_see(int fd, const char *path) {
    int status;
    char *none[] = {"prog", NULL};
    pid_t child = fork();
    if (!child) {
        if (path)
            execve(path, none, none + 1);
        else
            syscall(SYS_execveat, fd, "", none, none + 1, AT_EMPTY_PATH);
        _exit(1);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static int executed(void) { return run_and_see(-1, at("forbidden/prog")); }
static int executed_by_descriptor(void) { return run_and_see(open(at("forbidden/prog"), O_PATH), NULL); }

static int memfd(void) {
    char data[4096];
    int from = open(at("allowed/blob"), O_RDONLY), to = syscall(SYS_memfd_create, "x", 0);
    for (ssize_t got; (got = read(from, data, sizeof data)) > 0;)
        if (write(to, data, got) != got)
            return -1;
    return run_and_see(to, NULL);
}

static int executed_script_of_forbidden_program(void) {
    int fd = open(at("allowed/script"), O_CREAT | O_TRUNC | O_WRONLY, 0755);
    dprintf(fd, "#!%s\n", at("forbidden/prog"));
    close(fd);
    return run_and_see(-1, at("allowed/script"));
}

static int open_tree_clone(void) {
    int tree = syscall(SYS_open_tree, AT_FDCWD, at("forbidden"), 1 | O_CLOEXEC);
    return tree < 0 ? 0 : is_secret(openat(tree, "secret", O_RDONLY));
}

static int fsopen_tmpfs(void) { return syscall(SYS_fsopen, "tmpfs", 0) >= 0; }

static int bound_in_namespaces(int flags) {
    if (unshare(flags))
        return -1;
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mkdir(at("allowed/mount"), 0700);
    if (mount(at("forbidden"), at("allowed/mount"), NULL, MS_BIND, NULL))
        return 0;
    return is_secret(open(at("allowed/mount/secret"), O_RDONLY));
}

static int user_and_mount_namespace(void) { return bound_in_namespaces(CLONE_NEWUSER | CLONE_NEWNS); }
static int mount_namespace(void) { return bound_in_namespaces(CLONE_NEWNS); }

/* SIGURG does nothing to who gets it: that it may be sent at all is the success. */
static int killed(void) { return !kill(victim, SIGURG); }
static int tkilled(void) { return !syscall(SYS_tkill, victim, SIGURG); }
static int tgkilled(void) { return !syscall(SYS_tgkill, victim, victim, SIGURG); }

static int queued(void) {
    siginfo_t info = {.si_signo = SIGURG, .si_code = -1};
    return !syscall(SYS_rt_sigqueueinfo, victim, SIGURG, &info);
}

static int killed_by_pidfd(void) { return !syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, victim, 0), SIGURG, NULL, 0); }

static int killed_by_proc_folder(void) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d", victim);
    return !syscall(SYS_pidfd_send_signal, open(name, O_RDONLY | O_DIRECTORY), SIGURG, NULL, 0);
}

static int sigio(int as_structure) {
    struct f_owner_ex owner = {F_OWNER_PID, victim};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return -1;
    if (as_structure)
        fcntl(ends[0], F_SETOWN_EX, &owner);
    else
        fcntl(ends[0], F_SETOWN, victim);
    fcntl(ends[0], F_SETSIG, SIGKILL);
    fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK);
    if (write(ends[1], "x", 1) != 1)
        return -1;
    char state[64], name[64], *end = NULL;
    snprintf(name, sizeof name, "/proc/%d/stat", victim);
    for (int tenth = 0; tenth < 20 && !(end && end[2] == 'Z'); tenth++) {
        struct timespec moment = {0, 100000000};
        nanosleep(&moment, NULL);
        int fd = open(name, O_RDONLY);
        ssize_t got = read(fd, state, sizeof state - 1);
        close(fd);
        if (fd < 0 || got <= 0)
            return 1;
        state[got] = 0;
        end = strrchr(state, ')');
    }
    return end && end[2] == 'Z';
}

static int killed_by_sigio(void) { return sigio(0); }
static int owner_by_structure(void) { return sigio(1); }

static int traced(void) { return !ptrace(PTRACE_SEIZE, victim, NULL, NULL); }
static int limited(void) {
    struct rlimit limit;
    return !prlimit(victim, RLIMIT_NOFILE, NULL, &limit) && !prlimit(victim, RLIMIT_NOFILE, &limit, NULL);
}

static int memory_written(void) {
    char data[8] = "";
    struct iovec here = {data, 0}, there = {(void *)0x1000, 8};
    here.iov_len = 8;
    return !(process_vm_writev(victim, &here, 1, &there, 1, 0) < 0 && errno == EPERM);
}

static int descriptor_taken(void) {
    int pidfd = syscall(SYS_pidfd_open, victim, 0);
    for (int number = 0; number < 64; number++)
        if (syscall(SYS_pidfd_getfd, pidfd, number, 0) >= 0)
            return 1;
    return 0;
}

static int proc_mem(void) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/mem", victim);
    return open(name, O_RDWR) >= 0;
}

static int proc_environ(void) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/environ", victim);
    return open(name, O_RDONLY) >= 0;
}

static int niced(void) { return !setpriority(PRIO_PROCESS, victim, 1); }
static int starved(void) {
    struct sched_param none = {0};
    return !sched_setscheduler(victim, SCHED_BATCH, &none);
}

static int another_listener(void) {
    struct sock_filter allow[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    struct sock_fprog program = {1, allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) >= 0;
}

static int filter_that_allows(void) {
    struct sock_filter allow[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    struct sock_fprog program = {1, allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return -1;
    return plain_open();
}

static int forged_executable(void) {
    /* Where the kernel can do it at all, EBUSY: it was let through, and minded only that the image is mapped. */
    int fd = open(at("allowed/prog"), O_PATH);
    return !prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, fd, 0, 0) || errno == EBUSY;
}

static int forged_arguments(void) {
    char here[8] = "";
    return !prctl(PR_SET_MM, PR_SET_MM_ARG_START, here, 0, 0);
}

static int undumpable(void) {
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return plain_open();
}

static int clone_parent(void) {
    pid_t child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (!child)
        _exit(0);
    return child > 0;
}

static int clone3_parent(void) {
    unsigned long long arguments[8] = {CLONE_PARENT, 0, 0, 0, 0, 0, 0, 0};
    pid_t child = syscall(SYS_clone3, arguments, sizeof arguments);
    if (!child)
        _exit(0);
    return child > 0;
}

static int landlock(void) {
    struct landlock_ruleset_attr rules = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE};
    return syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0) >= 0;
}

static int fanotify(void) {
    int group = syscall(SYS_fanotify_init, FAN_CLASS_NOTIF, O_RDONLY);
    if (group < 0)
        return errno == ENOSYS ? -1 : 0;
    if (syscall(SYS_fanotify_mark, group, FAN_MARK_ADD, (unsigned long long)FAN_ACCESS | FAN_OPEN, AT_FDCWD, SECRET))
        return 0;
    return 1;
}

static int udp(void) { return socket(AF_INET, SOCK_DGRAM, 0); }

static int udp_sendto(void) {
    struct sockaddr_in to = local(forbidden_port);
    return sendto(udp(), "x", 1, 0, (void *)&to, sizeof to) == 1;
}

static int udp_sendto_unspec(void) {
    struct sockaddr_in to = local(forbidden_port);
    to.sin_family = AF_UNSPEC;
    return sendto(udp(), "x", 1, 0, (void *)&to, sizeof to) == 1;
}

static int udp_mapped(void) {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(forbidden_port)};
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
    int sock = socket(AF_INET6, SOCK_DGRAM, 0);
    if (sock < 0)
        return -1;
    return sendto(sock, "x", 1, 0, (void *)&to, sizeof to) == 1;
}

static int udp_v4_on_v6(void) {
    struct sockaddr_in to = local(forbidden_port);
    int sock = socket(AF_INET6, SOCK_DGRAM, 0);
    if (sock < 0)
        return -1;
    return sendto(sock, "x", 1, 0, (void *)&to, sizeof to) == 1;
}

static int udp_connect(void) {
    struct sockaddr_in to = local(forbidden_port);
    int sock = udp();
    return !connect(sock, (void *)&to, sizeof to) && send(sock, "x", 1, 0) == 1;
}

static int udp_sendmsg(void) {
    struct sockaddr_in to = local(forbidden_port);
    struct iovec data = {"x", 1};
    struct msghdr head = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &data, .msg_iovlen = 1};
    return sendmsg(udp(), &head, 0) == 1;
}

static int udp_second_of_sendmmsg(void) {
    struct sockaddr_in to[2] = {local(allowed_port), local(forbidden_port)};
    struct iovec data = {"x", 1};
    struct mmsghdr heads[2] = {
        {.msg_hdr = {.msg_name = &to[0], .msg_namelen = sizeof to[0], .msg_iov = &data, .msg_iovlen = 1}},
        {.msg_hdr = {.msg_name = &to[1], .msg_namelen = sizeof to[1], .msg_iov = &data, .msg_iovlen = 1}},
    };
    return syscall(SYS_sendmmsg, udp(), heads, 2, 0) == 2;
}

static int tcp_connect(void) {
    struct sockaddr_in to = local(forbidden_port);
    return !connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&to, sizeof to);
}

static int tcp_fast_open(void) {
    struct sockaddr_in to = local(forbidden_port);
    int sock = socket(AF_INET, SOCK_STREAM, 0);
    return sendto(sock, "x", 1, MSG_FASTOPEN, (void *)&to, sizeof to) == 1;
}

static int bound_unspec(void) {
    struct sockaddr_in to = {.sin_family = AF_UNSPEC, .sin_port = htons(0)};
    return !bind(udp(), (void *)&to, sizeof to);
}

static int unix_connect(const char *path) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    return !connect(sock, (void *)&to, sizeof to);
}

static int unix_forbidden(void) {
    /* The folder may be too deep for a sun_path. */
    return chdir(at("forbidden")) ? -1 : unix_connect("sock");
}

static int called(const char *caller) {
    int server = named(SOCK_STREAM, "server"), client = named(SOCK_STREAM, caller);
    if (listen(server, 4) || reach(client, "server"))
        return -1;
    return server;
}

static int accepted(void) {
    int server = called("stranger");
    fcntl(server, F_SETFL, O_NONBLOCK);
    return accept(server, NULL, NULL) >= 0;
}
static int accepted_into_a_shared_table(void) {
    int server = called("stranger");
    if (!fork())
        _exit(0);
    fcntl(server, F_SETFL, O_NONBLOCK);
    return syscall(SYS_accept4, server, NULL, NULL, SOCK_CLOEXEC) >= 0;
}
static int accepted_before_a_friend(void) {
    struct sockaddr_un peer;
    socklen_t size = sizeof peer;
    int server = called("stranger"), friend = named(SOCK_STREAM, "friend");
    if (reach(friend, "server"))
        return -1;
    int connection = accept(server, (void *)&peer, &size);
    return connection >= 0 && !strncmp(peer.sun_path + 1, "sekisho-stranger", 16);
}

static int heard(const char *first, const char *second) {
    const char *words[] = {first, second};
    int server = named(SOCK_DGRAM, "server");
    for (int i = 0; i < 2 && words[i]; i++) {
        int sender = named(SOCK_DGRAM, words[i]);
        if (reach(sender, "server") || send(sender, words[i], strlen(words[i]), 0) < 0)
            return -1;
        close(sender);
    }
    return server;
}

static int received(void) {
    char data[16] = "", sender[128];
    socklen_t size = sizeof sender;
    recvfrom(heard("stranger", NULL), data, 15, MSG_DONTWAIT, (void *)sender, &size);
    return !strcmp(data, "stranger");
}
static int received_peeking(void) {
    char data[16] = "", sender[128];
    socklen_t size = sizeof sender;
    recvfrom(heard("stranger", "friend"), data, 15, MSG_DONTWAIT | MSG_PEEK, (void *)sender, &size);
    return !strcmp(data, "stranger");
}
static int received_as_a_message(void) {
    char data[16] = "";
    struct iovec vector = {data, 15};
    struct msghdr head = {.msg_iov = &vector, .msg_iovlen = 1};
    recvmsg(heard("stranger", NULL), &head, MSG_DONTWAIT);
    return !strcmp(data, "stranger");
}
static int received_second_of_recvmmsg(void) {
    char data[2][16] = {"", ""};
    struct iovec vectors[] = {{data[0], 15}, {data[1], 15}};
    struct mmsghdr heads[] = {{{.msg_iov = vectors, .msg_iovlen = 1}}, {{.msg_iov = vectors + 1, .msg_iovlen = 1}}};
    int server = heard("friend", "stranger");
    return syscall(SYS_recvmmsg, server, heads, 2, MSG_DONTWAIT, NULL) == 2 && !strcmp(data[1], "stranger");
}

static int policy_appended(void) { return open(at("policy/domain_policy.conf"), O_WRONLY | O_APPEND) >= 0; }
static int policy_replaced(void) {
    make(at("allowed/mine"));
    return !rename(at("allowed/mine"), at("policy/exception_policy.conf"));
}
static int policy_moved(void) {
    int moved = !rename(at("policy"), at("elsewhere"));
    if (moved)
        rename(at("elsewhere"), at("policy"));
    return moved;
}

static int bpf(void) {
    char attributes[128] = "";
    return !(syscall(SYS_bpf, 0, attributes, sizeof attributes) < 0 && errno == EPERM);
}

static int port_io(void) { return syscall(SYS_ioperm, 0x80, 1, 1) ? errno == ENOSYS ? -1 : 0 : 1; }

static int faults_handled_by_user(void) { return syscall(SYS_userfaultfd, 0) >= 0; }

static const attack table[] = {
    {"plain_open", plain_open},
    {"symlinked", symlinked},
    {"hard_linked", hard_linked},
    {"hard_linked_by_descriptor", hard_linked_by_descriptor},
    {"renamed", renamed},
    {"exchanged", exchanged},
    {"proc_self_fd", proc_self_fd},
    {"proc_thread_self_fd", proc_thread_self_fd},
    {"dev_fd", dev_fd},
    {"proc_pid_root", proc_pid_root},
    {"proc_cwd", proc_cwd},
    {"truncated_by_access_mode_3", truncated_by_access_mode_3},
    {"by_handle", by_handle},
    {"int80", int80},
    {"x32", x32},
    {"io_uring", io_uring},
    {"ld_so", ld_so},
    {"executed", executed},
    {"executed_by_descriptor", executed_by_descriptor},
    {"memfd", memfd},
    {"executed_script_of_forbidden_program", executed_script_of_forbidden_program},
    {"open_tree_clone", open_tree_clone},
    {"fsopen_tmpfs", fsopen_tmpfs},
    {"user_and_mount_namespace", user_and_mount_namespace},
    {"mount_namespace", mount_namespace},
    {"killed", killed},
    {"tkilled", tkilled},
    {"tgkilled", tgkilled},
    {"queued", queued},
    {"killed_by_pidfd", killed_by_pidfd},
    {"traced", traced},
    {"limited", limited},
    {"memory_written", memory_written},
    {"descriptor_taken", descriptor_taken},
    {"proc_mem", proc_mem},
    {"proc_environ", proc_environ},
    {"niced", niced},
    {"starved", starved},
    {"another_listener", another_listener},
    {"filter_that_allows", filter_that_allows},
    {"forged_executable", forged_executable},
    {"forged_arguments", forged_arguments},
    {"undumpable", undumpable},
    {"clone_parent", clone_parent},
    {"clone3_parent", clone3_parent},
    {"landlock", landlock},
    {"fanotify", fanotify},
    {"udp_sendto", udp_sendto},
    {"udp_sendto_unspec", udp_sendto_unspec},
    {"udp_mapped", udp_mapped},
    {"udp_v4_on_v6", udp_v4_on_v6},
    {"udp_connect", udp_connect},
    {"udp_sendmsg", udp_sendmsg},
    {"udp_second_of_sendmmsg", udp_second_of_sendmmsg},
    {"tcp_connect", tcp_connect},
    {"tcp_fast_open", tcp_fast_open},
    {"bound_unspec", bound_unspec},
    {"unix_forbidden", unix_forbidden},
    {"accepted", accepted},
    {"accepted_into_a_shared_table", accepted_into_a_shared_table},
    {"accepted_before_a_friend", accepted_before_a_friend},
    {"received", received},
    {"received_peeking", received_peeking},
    {"received_as_a_message", received_as_a_message},
    {"received_second_of_recvmmsg", received_second_of_recvmmsg},
    {"policy_appended", policy_appended},
    {"policy_replaced", policy_replaced},
    {"policy_moved", policy_moved},
    {"bpf", bpf},
    {"port_io", port_io},
    {"faults_handled_by_user", faults_handled_by_user},
    {"killed_by_sigio", killed_by_sigio},
    {"owner_by_structure", owner_by_structure},
    {"killed_by_proc_folder", killed_by_proc_folder},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
