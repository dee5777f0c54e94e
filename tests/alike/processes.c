/* Calls that change who a process is, where it stands, what it is; and those between processes. */
#include "alike.h"

extern char **environ;

static void ids(void) {
    int a = some_id(), b = some_id(), c = some_id();
    gid_t groups[] = {OWNER, OTHER};
    say(" %d %d %d", a, b, c);
    switch (chance(9)) {
    case 0: result("setresuid", syscall(SYS_setresuid, a, b, c)); break;
    case 1: result("seteuid", syscall(SYS_setresuid, -1, b, -1)); break;
    case 2: result("setresgid", syscall(SYS_setresgid, a, b, c)); break;
    case 3: result("setfsuid", syscall(SYS_setfsuid, a)); break;
    case 4: result("setfsgid", syscall(SYS_setfsgid, a)); break;
    case 5: result("setgroups", syscall(SYS_setgroups, chance(3), groups)); break;
    case 6: result("back", syscall(SYS_setresuid, -1, 0, -1)); break;
    case 7: result("setuid", syscall(SYS_setuid, percent(50) ? 0 : a)); break;
    default: {
        uint32_t head[2] = {0x20080522, 0}, data[6] = {0};
        syscall(SYS_capget, head, data);
        for (int i = 0; i < 3; i++) data[0] &= ~(1u << chance(8));
        result("capset", syscall(SYS_capset, head, data));
    }
    }
    prctl(PR_SET_DUMPABLE, 1);
}

static void limits(void) {
    int which = ONE_OF(RLIMIT_FSIZE, RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_NOFILE);
    struct rlimit limit;
    getrlimit(which, &limit);
    limit.rlim_cur = percent(40) ? (which == RLIMIT_FSIZE ? 100 : 6 + chance(6)) : limit.rlim_max;
    say(" %d=%ld", which, (long)limit.rlim_cur);
    result("setrlimit", setrlimit(which, &limit));
}

static void executing(void) {
    static char *const some[] = {"prog", "prog", "d/prog", "script", "set", "bare", "garbage", "empty", "./prog", "lprog"};
    const char *path = percent(75) ? some[chance(sizeof some / sizeof *some)] : some_path();
    int way = chance(5), dirfd = percent(80) ? AT_FDCWD : some_fd(), flags = ONE_OF(0, 0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH);
    char *arguments[] = {percent(90) ? "name" : NULL, percent(50) ? "one argument" : NULL, NULL};
    char *variables[] = {"A=b", percent(50) ? "C=d e" : NULL, NULL};
    say(" %d %s %x %d", dirfd, path == NULL ? "NULL" : path < (char *)4096 ? "BAD" : strlen(path) > 200 ? "LONG" : path, flags, way);
    struct itimerval never = {{0}};
    setitimer(ITIMER_REAL, &never, NULL);
    pid_t child = way == 1 ? vfork() : fork();
    if (!child) {
        if (way == 2) syscall(SYS_execveat, dirfd, path, arguments, variables, flags);
        else syscall(SYS_execve, path, arguments, variables);
        _exit(100 + (errno < 100 ? errno : 99));
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    say(" = status %x", status);
}

static void signalling(void) {
    struct itimerval never = {{0}};
    setitimer(ITIMER_REAL, &never, NULL);
    pid_t child = fork();
    if (!child) {
        for (;;) pause();
    }
    int number = ONE_OF(0, SIGTERM, SIGKILL, SIGUSR1, 99, -1), status = -1;
    switch (chance(6)) {
    case 0: case 1: result("kill", kill(child, number)); break;
    case 2: result("kill self", kill(getpid(), percent(50) ? 0 : SIGURG)); break;
    case 3: result("tgkill", syscall(SYS_tgkill, child, child, number)); break;
    case 4: result("kill nobody", kill(4194303, number)); break;
    default: {
        int fd = syscall(SYS_pidfd_open, child, 0);
        result("pidfd", syscall(SYS_pidfd_send_signal, fd, number, NULL, 0));
        if (fd >= 0) close(fd);
    }
    }
    say(" first=%d", waitpid(child, &status, WNOHANG) < 0 ? errno : 0);
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
}

void process_step(void) {
    switch (chance(12)) {
    case 0: case 1: say(" mask"); result("umask", umask(some_mode() & 0777)); break;
    case 2: case 3: if (privileged || percent(30)) { ids(); break; } /* fall through */
    case 4: limits(); break;
    case 5: case 6: case 7: executing(); break;
    case 8: signalling(); break;
    case 9:
        if (privileged && percent(30)) { const char *path = percent(60) ? "d" : some_path(); say(" root"); result("chroot", chroot(path)); break; }
        /* fall through */
    default: { const char *path = percent(70) ? place : some_path(); say(" home"); result("chdir", syscall(SYS_chdir, path)); }
    }
}
