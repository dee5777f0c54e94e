/* Names that mean something else to a supervisor than to the program that uses them. An attack succeeds when
   what it got was the supervisor's. */
#include "attack.h"

static int somebody_elses(int fd) {
    char data[64] = "";
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, data, sizeof data - 1);
    close(fd);
    return got <= 0 || atoi(data) != getpid();
}

static int self_opened(void) { return somebody_elses(open("/proc/self/stat", O_RDONLY)); }
static int thread_self_opened(void) { return somebody_elses(open("/proc/thread-self/stat", O_RDONLY)); }
static int self_below_a_folder(void) { return somebody_elses(openat(open("/proc", O_PATH), "self/stat", O_RDONLY)); }

static int self_through_a_link(void) {
    if (symlink("/proc/self", at("allowed/self")))
        return -1;
    return somebody_elses(open(at("allowed/self/stat"), O_RDONLY));
}

static int self_resolved(int dirfd, const char *path, unsigned long long resolve) {
    struct open_how how = {.flags = O_RDONLY, .resolve = resolve};
    int fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
    return fd < 0 ? 0 : somebody_elses(fd);
}

static int self_resolved_without_leaving(void) { return self_resolved(open("/proc", O_PATH), "self/stat", RESOLVE_NO_XDEV); }
static int self_resolved_beneath(void) { return self_resolved(open("/proc", O_PATH), "self/stat", RESOLVE_BENEATH); }
static int self_resolved_in_root(void) { return self_resolved(open("/proc", O_PATH), "/self/stat", RESOLVE_IN_ROOT); }
static int self_resolved_from_cache(void) { return self_resolved(AT_FDCWD, "/proc/self/stat", 0x20); }

static struct sockaddr_un address(const char *path) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    return to;
}

static int bound_through_self(void) {
    struct sockaddr_un name = address("/proc/self/cwd/bound");
    if (chdir(at("allowed")) || bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&name, sizeof name))
        return -1;
    return !exists("bound");
}

static int listening(const char *path) {
    struct sockaddr_un name = address(path);
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    return bind(sock, (void *)&name, sizeof name) || listen(sock, 8) ? -1 : sock;
}

static int connected(const char *path) {
    struct sockaddr_un name = address(path);
    if (chdir(at("allowed")) || (!exists("mine") && listening("mine") < 0))
        return -1;
    return connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&name, sizeof name) ? 1 : 0;
}

static int connected_through_self(void) { return connected("/proc/self/cwd/mine"); }
static int connected_here(void) { unlink(at("allowed/mine")); return connected("mine"); }

static volatile int over;
static void *flip_cwd(void *none) {
    while (!over)
        if (chdir(at("allowed")) || chdir(at("forbidden")))
            break;
    return none;
}

/* Not the supervisor's, but what was checked in one directory was made in another. */
static int bound_while_moving(void) {
    pthread_t thread;
    int won = 0;
    pthread_create(&thread, NULL, flip_cwd, NULL);
    for (int i = 0; i < tries && !won; i++) {
        struct sockaddr_un name = address("moving");
        int sock = socket(AF_UNIX, SOCK_STREAM, 0);
        bind(sock, (void *)&name, sizeof name);
        won = exists(at("forbidden/moving"));
        unlink(at("allowed/moving"));
        close(sock);
    }
    over = 1;
    pthread_join(thread, NULL);
    return won;
}

static const attack table[] = {
    {"self_opened", self_opened},
    {"thread_self_opened", thread_self_opened},
    {"self_below_a_folder", self_below_a_folder},
    {"self_through_a_link", self_through_a_link},
    {"self_resolved_without_leaving", self_resolved_without_leaving},
    {"self_resolved_beneath", self_resolved_beneath},
    {"self_resolved_in_root", self_resolved_in_root},
    {"self_resolved_from_cache", self_resolved_from_cache},
    {"bound_through_self", bound_through_self},
    {"connected_through_self", connected_through_self},
    {"connected_here", connected_here},
    {"bound_while_moving", bound_while_moving},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
