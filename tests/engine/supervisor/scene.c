/* scene DIR: asks for what policy allows and what it forbids, twice, and says of each what came of it: "NAME ERRNO".
   What begins with "no-" is forbidden. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *root;
static char path[2][4200];

static const char *in(int which, const char *name) {
    snprintf(path[which], sizeof path[which], "%s/%s", root, name);
    return path[which];
}

static void say(const char *name, int result) {
    int code = result < 0 ? errno : 0;
    dprintf(1, "%s %d\n", name, code);
    if (result > 2)
        close(result);
}

static int execute(const char *name) {
    const char *file = in(0, name);
    char *arguments[] = {(char *)file, NULL};
    pid_t child = fork();
    int status;
    if (child < 0)
        return -1;
    if (!child) {
        execve(file, arguments, arguments + 1);
        _exit(errno);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    /* The program returns 200; who was killed has executed nothing. */
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
    return errno == 200 ? 0 : -1;
}

static int address(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int made = socket(AF_INET, SOCK_DGRAM, 0);
    if (made < 0)
        return -1;
    int result = connect(made, (struct sockaddr *)&to, sizeof to);
    int code = errno;
    close(made);
    errno = code;
    return result;
}

static void files(void) {
    say("read", open(in(0, "allowed/plain"), O_RDONLY));
    say("no-read", open(in(0, "forbidden/secret"), O_RDONLY));
    say("create", open(in(0, "allowed/new"), O_WRONLY | O_CREAT | O_EXCL, 0600));
    say("rename", rename(in(0, "allowed/new"), in(1, "allowed/renamed")));
    say("no-rename", rename(in(0, "allowed/other"), in(1, "forbidden/renamed")));
    say("unlink", unlink(in(0, "allowed/renamed")));
    say("no-unlink", unlink(in(0, "forbidden/secret")));
    say("no-create", open(in(0, "forbidden/new"), O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static void as_nobody(void) {
    int status;
    pid_t child = fork();
    if (!child) {
        if (setgid(65534) || setuid(65534))
            _exit(1);
        say("read", open(in(0, "allowed/plain"), O_RDONLY));
        say("no-read", open(in(0, "forbidden/secret"), O_RDONLY));
        _exit(0);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 64;
    root = argv[1];
    for (int round = 0; round < 2; round++) {
        files();
        say("connect", address(9));
        say("no-connect", address(10));
        say("execute", execute("allowed/prog"));
        say("no-execute", execute("forbidden/prog"));
        if (!geteuid())
            as_nobody();
    }
    files();
    return 0;
}
