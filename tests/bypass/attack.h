/* What every attack shares. An attack returns 1 when it got what it must not have, 0 when it was stopped,
   -1 when this kernel or user can't even try it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    const char *name;
    int (*run)(void);
} attack;

static char work[512];   /* the folder with allowed/ and forbidden/ */
static pid_t victim;     /* what holds us: the supervisor, or without one a process that stands in for it */
static int tries;
static int allowed_port, forbidden_port;

static inline const char *at(const char *name) {
    static __thread char buffers[16][600];
    static __thread int next;
    char *buffer = buffers[next++ & 15];
    snprintf(buffer, sizeof buffers[0], "%s/%s", work, name);
    return buffer;
}

static inline int is_secret(int fd) {
    char data[16] = "";
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, data, sizeof data - 1);
    close(fd);
    return got > 0 && !strncmp(data, "secret", 6);
}

static inline int exists(const char *path) { return !faccessat(AT_FDCWD, path, F_OK, 0); }

static inline void make(const char *path) { close(open(path, O_CREAT | O_WRONLY, 0600)); }

static inline struct sockaddr_in local(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return address;
}

static inline socklen_t abstract(struct sockaddr_un *address, const char *word) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    return offsetof(struct sockaddr_un, sun_path) + 1 +
           snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "sekisho-%s-%d", word, getpid());
}

/* A UNIX socket with an abstract name. Anybody may be sent to and connected to; only a friend may be heard. */
static inline int named(int type, const char *word) {
    struct sockaddr_un address;
    socklen_t size = abstract(&address, word);
    int sock = socket(AF_UNIX, type, 0);
    return sock >= 0 && !bind(sock, (void *)&address, size) ? sock : -1;
}

static inline int reach(int sock, const char *word) {
    struct sockaddr_un address;
    socklen_t size = abstract(&address, word);
    return connect(sock, (void *)&address, size);
}

/* main of every program: DIR VICTIM TRIES ALLOWED_PORT FORBIDDEN_PORT [NAME...]; each attack in a child of its own */
static inline int run_attacks(const attack *table, int argc, char **argv) {
    if (argc < 6)
        return 64;
    snprintf(work, sizeof work, "%s", argv[1]);
    victim = atoi(argv[2]);
    if (!victim)
        victim = getppid();
    tries = atoi(argv[3]);
    allowed_port = atoi(argv[4]);
    forbidden_port = atoi(argv[5]);
    if (victim <= 1)
        return 65;
    for (const attack *each = table; each->name; each++) {
        int wanted = argc == 6, status = 0;
        for (int i = 6; i < argc; i++)
            wanted |= !strcmp(argv[i], each->name);
        if (!wanted)
            continue;
        pid_t child = fork();
        if (!child) {
            alarm(tries > 200000 ? 3600 : 280);
            _exit(each->run() + 1);
        }
        waitpid(child, &status, 0);
        const char *word = WIFSIGNALED(status)        ? "killed"
                           : WEXITSTATUS(status) == 2 ? "succeeded"
                           : WEXITSTATUS(status) == 1 ? "failed"
                                                      : "impossible";
        dprintf(1, "%s %s\n", each->name, word);
    }
    return 0;
}
