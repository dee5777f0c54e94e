/* Random system calls, for as long as it is told to: whatever a hostile program might come upon without looking for it.

   wanderer DIR SECONDS SEED ALLOWED_PORT FORBIDDEN_PORT [VICTIM]

   Threads and processes that share everything with each other do what comes into their heads with the names below DIR,
   with descriptors, sockets, programs and each other. Nothing is told: whoever looks on says what came of it. */
#include "attack.h"
#include <linux/io_uring.h>
#include <linux/memfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define WALKERS 4
#define AT_RANDOM_FLAGS (AT_SYMLINK_NOFOLLOW | AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_REMOVEDIR)

static long until;
static volatile char shared_path[600], shared_path2[600];
static volatile struct sockaddr_in shared_address;

static __thread unsigned long state;

static unsigned long chance(unsigned long below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static const char *const names[] = {
    "allowed/plain", "allowed/a", "allowed/b", "allowed/c", "allowed/d/", "allowed/d/e", "allowed/link", "allowed/link2",
    "allowed/sub", "allowed/sub/f", "allowed/prog", "allowed/blob", "allowed/script", "allowed/fifo", "allowed/sock",
    "forbidden/secret", "forbidden/movable", "forbidden/movable2", "forbidden/long", "forbidden/prog", "forbidden/new",
    "forbidden/newer", "forbidden/sub", "forbidden", "allowed", "forbidden/sock", ".", "..", "allowed/../forbidden/secret",
    "allowed/mount", "allowed/mount/secret", "allowed/mount/prog", "allowed/mount/new", "allowed/tmp", "allowed/tmp/x",
    "policy/domain_policy.conf", "policy", "policy/profile.conf",
};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char *const elsewhere[] = {
    "/proc/self/fd/%d", "/dev/fd/%d", "/proc/self/fd/%d/secret", "/proc/self/fd/%d/../forbidden/secret",
    "/proc/self/cwd", "/proc/self/cwd/secret", "/proc/self/cwd/forbidden/secret", "/proc/self/root/etc/shadow",
    "/proc/self/exe", "/proc/self/mem", "/proc/self/maps", "/proc/1/root/etc/passwd", "/proc/1/mem", "/etc/shadow",
    "/etc/ld.so.preload", "/dev/mem", "/dev/kmsg", "/proc/kcore", "/proc/sys/kernel/core_pattern",
    "/sys/kernel/security/lockdown", "/dev/null", "/dev/zero", "/dev/ptmx", "secret", "prog", "sub/../../forbidden/secret",
};

/* A name, in one of several buffers of the thread's. */
static const char *name(void) {
    static __thread char buffers[8][600];
    static __thread int next;
    char *buffer = buffers[next++ & 7];
    if (chance(16) == 0)
        return (const char *)(chance(2) ? shared_path : shared_path2);
    if (chance(6) == 0)
        snprintf(buffer, sizeof buffers[0], elsewhere[chance(COUNT(elsewhere))], (int)chance(40));
    else if (chance(4) == 0)
        snprintf(buffer, sizeof buffers[0], "%s", names[chance(COUNT(names))]);
    else
        snprintf(buffer, sizeof buffers[0], "%s/%s", work, names[chance(COUNT(names))]);
    return buffer;
}

static int some_fd(void) { return chance(8) ? (int)chance(40) + 3 : AT_FDCWD; }
static int at_flags(void) { return chance(2) ? 0 : chance(65536) & AT_RANDOM_FLAGS; }

static int open_flags(void) {
    static const int some[] = {O_RDONLY, O_WRONLY, O_RDWR, 3, O_PATH, O_PATH | O_DIRECTORY, O_RDONLY | O_DIRECTORY,
                               O_WRONLY | O_APPEND, O_RDWR | O_TRUNC, O_TMPFILE | O_RDWR, O_RDONLY | O_TRUNC};
    int flags = some[chance(COUNT(some))] | O_NONBLOCK;
    if (chance(3) == 0)
        flags |= O_CREAT;
    if (chance(6) == 0)
        flags |= O_NOFOLLOW;
    if (chance(6) == 0)
        flags |= O_EXCL;
    return flags;
}

static void opens(void) {
    struct open_how how = {.flags = open_flags(), .mode = 0600};
    switch (chance(4)) {
    case 0:
        if (!(how.flags & (O_CREAT | O_TMPFILE)))
            how.mode = 0;
        if (chance(2))
            how.resolve = 1u << chance(6);
        syscall(SYS_openat2, some_fd(), name(), &how, sizeof how);
        break;
    case 1:
        syscall(SYS_open, name(), how.flags, chance(07777));
        break;
    case 2:
        syscall(SYS_creat, name(), chance(07777));
        break;
    default:
        syscall(SYS_openat, some_fd(), name(), how.flags, chance(07777));
    }
}

static void changes(void) {
    switch (chance(22)) {
    case 0: syscall(SYS_unlink, name()); break;
    case 1: syscall(SYS_unlinkat, some_fd(), name(), at_flags()); break;
    case 2: syscall(SYS_rename, name(), name()); break;
    case 3: syscall(SYS_renameat2, some_fd(), name(), some_fd(), name(), chance(4)); break;
    case 4: syscall(SYS_link, name(), name()); break;
    case 5: syscall(SYS_linkat, some_fd(), name(), some_fd(), name(), at_flags()); break;
    case 6: syscall(SYS_symlink, name(), name()); break;
    case 7: syscall(SYS_symlinkat, name(), some_fd(), name()); break;
    case 8: syscall(SYS_mkdir, name(), 0700 | chance(0777)); break;
    case 9: syscall(SYS_mkdirat, some_fd(), name(), 0700); break;
    case 10: syscall(SYS_rmdir, name()); break;
    case 11: syscall(SYS_mknod, name(), S_IFIFO | 0600, 0); break;
    case 12: syscall(SYS_mknodat, some_fd(), name(), (chance(2) ? S_IFCHR : S_IFBLK) | 0600, 0x103); break;
    case 13: syscall(SYS_chmod, name(), 0600 | chance(0777)); break;
    case 14: syscall(SYS_fchmodat, some_fd(), name(), 0600); break;
    case 15: syscall(SYS_fchmod, some_fd(), 0700); break;
    case 16: syscall(SYS_chown, name(), -1, -1); break;
    case 17: syscall(SYS_fchownat, some_fd(), name(), 0, 0, at_flags()); break;
    case 18: syscall(SYS_fchown, some_fd(), 0, 0); break;
    case 19: syscall(SYS_truncate, name(), chance(100)); break;
    case 20: syscall(SYS_ftruncate, some_fd(), chance(100)); break;
    default: syscall(SYS_setxattr, name(), "user.x", "y", 1, 0);
    }
}

static void looks(void) {
    struct stat found;
    char data[256];
    switch (chance(8)) {
    case 0: syscall(SYS_stat, name(), &found); break;
    case 1: syscall(SYS_newfstatat, some_fd(), name(), &found, at_flags()); break;
    case 2: syscall(SYS_readlink, name(), data, sizeof data); break;
    case 3: syscall(SYS_read, some_fd(), data, sizeof data); break;
    case 4: syscall(SYS_getdents64, some_fd(), data, sizeof data); break;
    case 5: syscall(SYS_chdir, name()); break;
    case 6: syscall(SYS_fchdir, some_fd()); break;
    default: syscall(SYS_access, name(), R_OK);
    }
}

static void descriptors(void) {
    int fd = some_fd();
    switch (chance(8)) {
    case 0: case 1: case 2: syscall(SYS_close, fd); break;
    case 3: syscall(SYS_dup2, fd, 3 + chance(40)); break;
    case 4: syscall(SYS_fcntl, fd, F_SETFL, O_NONBLOCK); break;
    case 5: syscall(SYS_ioctl, fd, chance(2) ? 0x5401 : 0x541B, shared_path); break;
    case 6: syscall(SYS_sendfile, some_fd(), fd, NULL, 100); break;
    default: munmap(mmap(NULL, 4096, PROT_READ | (chance(2) ? PROT_EXEC : 0), MAP_PRIVATE, fd, 0), 4096);
    }
}

static void sockets(void) {
    struct sockaddr_in inet = local(chance(2) ? allowed_port : forbidden_port);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = inet.sin_port};
    struct iovec part = {"x", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    void *address = &inet;
    socklen_t size = sizeof inet;
    static const int families[] = {AF_INET, AF_INET, AF_INET6, AF_UNIX, AF_UNIX, AF_NETLINK, AF_PACKET, AF_VSOCK};
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW};
    int fd = some_fd();

    inet_pton(AF_INET6, "::ffff:127.0.0.1", &six.sin6_addr);
    if (chance(6) == 0)
        inet.sin_family = chance(2) ? AF_UNSPEC : AF_INET6;
    switch (chance(4)) {
    case 0:
        snprintf(un.sun_path, sizeof un.sun_path, "%s", name());
        address = &un;
        size = chance(4) ? sizeof un : chance(sizeof un);
        break;
    case 1:
        address = &six;
        size = chance(4) ? sizeof six : chance(sizeof six);
        break;
    case 2:
        address = (void *)&shared_address;
        break;
    }
    message.msg_name = address;
    message.msg_namelen = size;
    switch (chance(8)) {
    case 0: case 1: socket(families[chance(COUNT(families))], types[chance(COUNT(types))] | SOCK_NONBLOCK, 0); break;
    case 2: syscall(SYS_connect, fd, address, size); break;
    case 3: syscall(SYS_bind, fd, address, size); break;
    case 4: syscall(SYS_sendto, fd, "x", 1, MSG_DONTWAIT | (chance(4) ? 0 : MSG_FASTOPEN), address, size); break;
    case 5: syscall(SYS_sendmsg, fd, &message, MSG_DONTWAIT); break;
    case 6: syscall(SYS_listen, fd, 4); break;
    default: syscall(SYS_accept4, fd, NULL, NULL, SOCK_NONBLOCK);
    }
}

static void shares(void) {
    const char *source = name();
    volatile char *target = chance(2) ? shared_path : shared_path2;

    for (int i = 0; i < 599 && (target[i] = source[i]); i++)
        ;
    shared_address = local(chance(2) ? allowed_port : forbidden_port);
}

static void mounts(void) {
    switch (chance(8)) {
    case 0: syscall(SYS_mount, name(), name(), NULL, MS_BIND, NULL); break;
    case 1: syscall(SYS_mount, "none", name(), "tmpfs", 0, NULL); break;
    case 2: syscall(SYS_umount2, name(), MNT_DETACH); break;
    case 3: syscall(SYS_open_tree, some_fd(), name(), chance(2) ? 1 : 0); break;
    case 4: syscall(SYS_move_mount, some_fd(), "", AT_FDCWD, name(), 4); break;
    case 5: syscall(SYS_chroot, name()); break;
    case 6: syscall(SYS_pivot_root, name(), name()); break;
    default: syscall(SYS_fsopen, "tmpfs", 0);
    }
}

static int sleeping(void *unused) {
    (void)unused;
    opens();
    return 0;
}

/* Children do a little, or become something else; what they are is waited for, or killed. */
static void births(void) {
    static __thread char stack[16384] __attribute__((aligned(16)));
    char *arguments[] = {"x", NULL}, *variables[] = {chance(2) ? "LD_PRELOAD=x" : "A=b", NULL};
    int flags = SIGCHLD;
    pid_t child;

    if (chance(3) == 0)
        flags |= (chance(2) ? CLONE_FILES : 0) | (chance(2) ? CLONE_FS : 0);
    if (chance(8) == 0)
        flags |= 1 << (17 + 9 * chance(2));    /* CLONE_NEWNS, CLONE_NEWCGROUP */
    if (chance(8) == 0)
        flags |= CLONE_NEWUSER;
    if (chance(8) == 0) {
        child = clone(sleeping, stack + sizeof stack, CLONE_VM | CLONE_VFORK | flags, NULL);
    } else {
        child = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
        if (!child) {
            alarm(2);
            if (flags & (CLONE_NEWUSER | CLONE_NEWNS))
                mounts();
            if (chance(4) == 0)
                opens();
            if (chance(2))
                syscall(SYS_execve, name(), arguments, variables);
            else
                syscall(SYS_execveat, some_fd(), chance(2) ? "" : name(), arguments, variables, AT_EMPTY_PATH);
            _exit(0);
        }
    }
    if (child > 0) {
        char data[8];
        struct iovec here = {data, sizeof data}, there = {(void *)shared_path, sizeof data};
        if (chance(4) == 0)
            syscall(SYS_ptrace, PTRACE_SEIZE, child, 0, 0);
        if (chance(4) == 0)
            syscall(SYS_process_vm_readv, child, &here, 1, &there, 1, 0);
        if (chance(4) == 0)
            syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, child, 0), chance(10), 0);
        if (chance(2))
            kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
}

static void reaches(void) {
    char data[8];
    struct iovec here = {data, sizeof data}, there = {(void *)data, sizeof data};

    switch (chance(7)) {
    case 0: syscall(SYS_kill, victim, chance(3) ? 0 : SIGWINCH); break;
    case 1: syscall(SYS_ptrace, PTRACE_SEIZE, victim, 0, 0); break;
    case 2: syscall(SYS_process_vm_readv, victim, &here, 1, &there, 1, 0); break;
    case 3: syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, victim, 0), chance(10), 0); break;
    case 4: syscall(SYS_bpf, chance(38), shared_path, 128); break;
    case 5: syscall(SYS_io_uring_setup, 4, shared_path2); break;
    default: syscall(SYS_memfd_create, "x", 0);
    }
}

static void step(void) {
    switch (chance(16)) {
    case 0: case 1: case 2: case 3: opens(); break;
    case 4: case 5: case 6: case 7: changes(); break;
    case 8: case 9: looks(); break;
    case 10: case 11: descriptors(); break;
    case 12: sockets(); break;
    case 13: shares(); break;
    case 14:
        if (chance(8) == 0)
            births();
        else
            sockets();
        break;
    default:
        if (chance(2))
            mounts();
        else
            reaches();
    }
}

static long seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void *walk(void *seed) {
    state = (unsigned long)seed * 0x9E3779B97F4A7C15ul | 1;
    while (seconds() < until)
        for (int i = 0; i < 100; i++)
            step();
    return NULL;
}

/* One process with threads of its own; it may get stuck or lost, and its parent begins another. */
static void wander(unsigned long seed) {
    pthread_t thread;

    alarm(20);
    until = seconds() + 8 < until ? seconds() + 8 : until;
    for (unsigned long i = 1; i < WALKERS; i++)
        pthread_create(&thread, NULL, walk, (void *)(seed * WALKERS + i));
    walk((void *)(seed * WALKERS));
    _exit(0);
}

int main(int argc, char **argv) {
    struct rlimit small = {64, 64}, none = {0, 0}, few = {1 << 20, 1 << 20};
    unsigned long seed;
    long end;

    if (argc < 6)
        return 64;
    snprintf(work, sizeof work, "%s", argv[1]);
    until = end = seconds() + atol(argv[2]);
    seed = strtoul(argv[3], NULL, 10);
    allowed_port = atoi(argv[4]);
    forbidden_port = atoi(argv[5]);
    victim = argc > 6 ? atoi(argv[6]) : getppid();
    setrlimit(RLIMIT_NOFILE, &small);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &few);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    for (; seconds() < end; seed++) {
        pid_t child = fork();
        if (!child) {
            if (chdir(work))
                _exit(1);
            wander(seed);
        }
        waitpid(child, NULL, 0);
    }
    return 0;
}
