/* storm DIR PROCESSES SECONDS BOARD: many processes fork, open and execute at once; the board says what came of it.
   SECONDS 0: processes open forever, whatever happens. SECONDS -1: processes are killed while they execute. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    long granted, executed, refused, wrongly_granted, wrongly_refused, errno_of_wrong;
    long pids[512];
} board;

static board *seen;
static char plain[600], secret[600], prog[600], evil[600];

static void count(long *counter) { __sync_fetch_and_add(counter, 1); }

static void look(void) {
    int fd = open(plain, O_RDONLY);
    if (fd >= 0)
        count(&seen->granted), close(fd);
    else
        count(&seen->wrongly_refused), seen->errno_of_wrong = errno;
    fd = open(secret, O_RDONLY);
    if (fd < 0)
        count(&seen->refused);
    else
        count(&seen->wrongly_granted), close(fd);
}

static int run(const char *path) {
    int status = 0;
    char *arguments[] = {(char *)path, NULL};
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (!child) {
        look();
        execve(path, arguments, arguments + 1);
        _exit(errno == EPERM ? 1 : 2);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void work(time_t until) {
    while (time(NULL) < until) {
        look();
        int status = run(prog);
        if (status == 10)
            count(&seen->executed);
        else
            count(&seen->wrongly_refused), seen->errno_of_wrong = 1000 + status;
        if (run(evil) == 1)
            count(&seen->refused);
        else
            count(&seen->wrongly_granted);
    }
}

/* Kills children at every moment of an execve. */
static void strike(void) {
    char *arguments[] = {prog, NULL};
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        if (!child) {
            execve(prog, arguments, arguments + 1);
            _exit(1);
        }
        usleep(i * 10);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    look();
}

int main(int argc, char **argv) {
    if (argc != 5)
        return 64;
    int processes = atoi(argv[2]), seconds = atoi(argv[3]);
    snprintf(plain, sizeof plain, "%s/allowed/plain", argv[1]);
    snprintf(secret, sizeof secret, "%s/forbidden/secret", argv[1]);
    snprintf(prog, sizeof prog, "%s/allowed/prog", argv[1]);
    snprintf(evil, sizeof evil, "%s/forbidden/prog", argv[1]);
    int fd = open(argv[4], O_RDWR);
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (seen == MAP_FAILED)
        return 66;
    close(fd);
    time_t until = time(NULL) + seconds;
    for (int i = 0; i < processes; i++) {
        pid_t child = fork();
        if (!child) {
            if (seconds) {
                if (seconds > 0)
                    work(until);
                else
                    strike();
                _exit(0);
            }
            seen->pids[i] = getpid();
            for (;;) {
                look();
                usleep(500);
            }
        }
    }
    while (wait(NULL) > 0 || errno == EINTR)
        ;
    return 0;
}
