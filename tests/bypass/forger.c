/* A program whose execs are replaced by a handler's, and which rewrites what that is given while the kernel reads it.
   As `forger WHAT TRIES` it prints how often the handler ran as it should, how often somebody was killed, and how
   often it got what it must not have: a forged argument, or another program. Run as the handler it looks at its
   arguments. */
#include "attack.h"
#include <setjmp.h>

enum { AREA = 1 << 16, MARK = 16, HONEST = 10, FORGED = 42 };

static char *volatile area;
static int forging_path;
static sigjmp_buf back;

static void missed(int number) { siglongjmp(back, 1); }

/* Where the strings stand is no secret: behind a mark come the pointers, behind those the arguments, then the path. */
static void *forge(void *none) {
    char good, evil;
    sigsetjmp(back, 0);
    for (;;) {
        char **argv = (char **)(area + MARK);
        volatile char *target = forging_path ? argv[7] + strlen(argv[7]) + 1 : argv[1];
        if (forging_path)
            target += strlen((char *)target) - 1;
        good = forging_path ? 'r' : '<', evil = forging_path ? 'x' : '[';
        for (int i = 0; i < 50; i++) {
            *target = evil;
            __sync_synchronize();
            *target = good;
            __sync_synchronize();
        }
    }
}

static void execute(void) {
    pthread_t thread;
    struct sigaction action = {.sa_handler = missed, .sa_flags = SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    area = (char *)8;
    pthread_create(&thread, NULL, forge, NULL);
    char *next = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(next, AREA);
    area = next;
    char *argv[] = {"x", NULL}, *envp[] = {NULL};
    execve("/bin/true", argv, envp);
    _exit(1);
}

int main(int argc, char **argv) {
    if (argc > 3)
        return argv[1][0] == '<' ? HONEST : FORGED;
    int honest = 0, killed = 0, forged = 0;
    forging_path = !strcmp(argv[1], "path");
    for (int i = atoi(argv[2]); i > 0; i--) {
        int status;
        pid_t child = fork();
        if (!child)
            execute();
        waitpid(child, &status, 0);
        honest += WIFEXITED(status) && WEXITSTATUS(status) == HONEST;
        forged += WIFEXITED(status) && WEXITSTATUS(status) == FORGED;
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    printf("%d %d %d\n", honest, killed, forged);
    return 0;
}
