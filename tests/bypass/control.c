/* Ways to the control socket of the tree that one runs in (policy/) or of another one of the same user (other/).
   An attack succeeds when the tree answers, or when something else can stand where its socket was. */
#include "attack.h"
#include <dirent.h>

static char name[300];

/* The name of the control socket in a folder. */
static const char *socket_in(const char *folder) {
    DIR *entries = opendir(at(folder));
    struct dirent *entry;
    name[0] = 0;
    while (entries && (entry = readdir(entries)))
        if (!strncmp(entry->d_name, "control-", 8) && strstr(entry->d_name, ".sock"))
            snprintf(name, sizeof name, "%s", entry->d_name);
    if (entries)
        closedir(entries);
    return name[0] ? name : NULL;
}

/* Whether whoever listens there lets us read one of its files as an administrator. */
static int answers(int sock) {
    unsigned char message[64] = {1, 1};
    struct timeval moment = {5, 0};
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    message[12] = 7;
    memcpy(message + 13, "domain_policy", 13);
    if (send(sock, message, 26, MSG_NOSIGNAL) != 26)
        return 0;
    return recv(sock, message, sizeof message, 0) >= 12 && message[1] == 1 && !memcmp(message + 4, "\0\0\0\0", 4);
}

static int reached(const char *path) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    int is = !connect(sock, (void *)&to, sizeof to) && answers(sock);
    close(sock);
    return is;
}

static int own_from_its_folder(void) { return socket_in("policy") && !chdir(at("policy")) ? reached(name) : -1; }

static int through_a_descriptor(const char *folder) {
    char path[400];
    if (!socket_in(folder))
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", open(at(folder), O_PATH), name);
    return reached(path);
}

static int own_through_a_descriptor(void) { return through_a_descriptor("policy"); }
static int another_trees(void) { return through_a_descriptor("other"); }

static int own_through_a_link(void) {
    char target[900];
    if (!socket_in("policy") || chdir(at("allowed")))
        return -1;
    snprintf(target, sizeof target, "%s/%s", at("policy"), name);
    unlink("to_control");
    return symlink(target, "to_control") ? -1 : reached("to_control");
}

static int elsewhere(int (*bring)(const char *, const char *)) {
    char target[900];
    if (!socket_in("policy"))
        return -1;
    snprintf(target, sizeof target, "%s/%s", at("policy"), name);
    if (chdir(at("allowed")) || bring(target, "control"))
        return 0;
    int is = reached("control");
    if (bring == rename)
        rename("control", target);
    unlink("control");
    return is;
}

static int own_hard_linked(void) { return elsewhere(link); }
static int own_renamed(void) { return elsewhere(rename); }

/* Whose parents are gone. */
static int own_from_an_orphan(void) {
    int ends[2];
    char result = 0;
    if (pipe(ends))
        return -1;
    if (!fork()) {
        if (!fork()) {
            usleep(100000);
            result = own_through_a_descriptor();
            _exit(write(ends[1], &result, 1) != 1);
        }
        _exit(0);
    }
    wait(NULL);
    return read(ends[0], &result, 1) == 1 ? result : -1;
}

/* Who connected is dead when the tree looks who that was. */
static int own_from_a_dead_process(void) {
    int ends[2], sock = -1;
    if (!socket_in("policy") || socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return -1;
    pid_t child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (!child) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        dup2(sock, 200);
        snprintf(to.sun_path, sizeof to.sun_path, "/proc/self/fd/%d/%s", open(at("policy"), O_PATH), name);
        _exit(!!connect(200, (void *)&to, sizeof to));
    }
    waitpid(child, NULL, 0);
    return answers(200);
}

static int own_replaced(void) {
    struct sockaddr_un here = {.sun_family = AF_UNIX};
    if (!socket_in("policy") || chdir(at("policy")))
        return -1;
    snprintf(here.sun_path, sizeof here.sun_path, "%s.mine", name);
    int sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    int is = !bind(sock, (void *)&here, sizeof here) && !listen(sock, 1);
    unlink(here.sun_path);
    return is;
}

static int own_removed(void) {
    if (!socket_in("policy") || chdir(at("policy")))
        return -1;
    char aside[400];
    snprintf(aside, sizeof aside, "%s.aside", name);
    if (rename(name, aside))
        return 0;
    rename(aside, name);
    return 1;
}

static const attack table[] = {
    {"own_from_its_folder", own_from_its_folder},
    {"own_through_a_descriptor", own_through_a_descriptor},
    {"own_through_a_link", own_through_a_link},
    {"own_hard_linked", own_hard_linked},
    {"own_renamed", own_renamed},
    {"own_from_an_orphan", own_from_an_orphan},
    {"own_from_a_dead_process", own_from_a_dead_process},
    {"own_replaced", own_replaced},
    {"own_removed", own_removed},
    {"another_trees", another_trees},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
