/* load DIR PROCESSES SECONDS BOARD: a crowd of processes that each offer a hundred calls a second, one of 32 threads that
   asks as fast as it can (the flood), and one that asks fifty times a second (the quiet one). The crowd comes after a
   quarter of the time and, once all of it is there, has half of it; the board says how long each call took. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 4096
#define BUCKETS 512
enum { CROWD, FLOOD, QUIET, ALONE, GROUPS }; /* ALONE: the quiet one while there is no crowd. */

typedef struct {
    long stage, wrong, errno_of_wrong, executed, offered;
    volatile long until, end; /* When the crowd and everybody stop; 0: that isn't known yet. */
    long calls[GROUPS], longest[GROUPS];
    long took[GROUPS][BUCKETS]; /* Eight buckets to each power of two, in microseconds. */
    long served[MOST];
} board;

static board *seen;
static char plain[600], secret[600], prog[600], made[600];

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static void add(long *counter, long by) { __sync_fetch_and_add(counter, by); }

static void took(int group, long began) {
    long micros = (now() - began) / 1000 + 1;
    int power = 63 - __builtin_clzl((unsigned long)micros);
    int part = power >= 3 ? (int)(micros >> (power - 3)) & 7 : (int)(micros << (3 - power)) & 7;
    add(&seen->took[group][power * 8 + part], 1);
    add(&seen->calls[group], 1);
    if (micros > seen->longest[group])
        seen->longest[group] = micros;
}

static void expect(int right) {
    if (!right) {
        seen->errno_of_wrong = errno;
        add(&seen->wrong, 1);
    }
}

static void look(int group, int forbidden) {
    long began = now();
    int fd = open(forbidden ? secret : plain, O_RDONLY | O_CLOEXEC);
    took(group, began);
    expect((fd < 0) == forbidden && (fd >= 0 || errno == EPERM));
    if (fd >= 0)
        close(fd);
}

static void change(int group, int member) {
    char name[700];
    snprintf(name, sizeof name, "%s%d", made, member);
    long began = now();
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    took(group, began);
    expect(fd >= 0);
    close(fd);
    began = now();
    int gone = unlink(name);
    took(group, began);
    expect(!gone);
}

static void execute(void) {
    char *arguments[] = {prog, NULL};
    int status = 0;
    pid_t child = fork();
    if (!child) {
        execve(prog, arguments, arguments + 1);
        _exit(1);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    expect(child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 10);
    add(&seen->executed, 1);
}

/* A call every ten milliseconds; who is late doesn't wait. */
static void crowd(int member) {
    struct stat status;
    while (!seen->until)
        usleep(1000);
    long until = seen->until;
    long began = now(), due = began;
    for (int turn = member; now() < until; turn++) {
        if (turn % 400 == 7)
            execute();
        else if (turn % 400 == 100)
            look(CROWD, 1);
        else if (turn % 20 == 3)
            change(CROWD, member);
        else if (turn % 4 == 1) {
            long start = now();
            expect(!stat(plain, &status));
            took(CROWD, start);
        } else
            look(CROWD, 0);
        add(&seen->served[member], 1);
        due += 10000000;
        if (due > now())
            usleep((unsigned)((due - now()) / 1000 + 1));
    }
    add(&seen->offered, (until - began) / 10000000);
}

static int goes_on(void) { return !seen->end || now() < seen->end; }

static void *flood(void *nothing) {
    while (goes_on())
        look(FLOOD, 0);
    return nothing;
}

static void quiet(void) {
    while (goes_on()) {
        look(seen->stage == 1 ? QUIET : ALONE, 0);
        usleep(20000);
    }
}

int main(int argc, char **argv) {
    if (argc != 5)
        return 64;
    int processes = atoi(argv[2]);
    long seconds = atol(argv[3]);
    snprintf(plain, sizeof plain, "%s/allowed/plain", argv[1]);
    snprintf(secret, sizeof secret, "%s/forbidden/secret", argv[1]);
    snprintf(prog, sizeof prog, "%s/allowed/prog", argv[1]);
    snprintf(made, sizeof made, "%s/allowed/made", argv[1]);
    int fd = open(argv[4], O_RDWR);
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (seen == MAP_FAILED)
        return 66;
    close(fd);
    if (!fork()) {
        quiet();
        _exit(0);
    }
    if (!fork()) {
        pthread_t threads[32];
        for (int i = 0; i < 32; i++)
            pthread_create(&threads[i], NULL, flood, NULL);
        for (int i = 0; i < 32; i++)
            pthread_join(threads[i], NULL);
        _exit(0);
    }
    usleep((unsigned)(seconds * 250000));
    seen->stage = 1;
    for (int i = 0; i < processes; i++)
        if (!fork()) {
            crowd(i);
            _exit(0);
        }
    seen->until = now() + seconds * 500000000;
    for (int i = 0; i < processes; i++)
        wait(NULL);
    seen->stage = 2;
    seen->end = now() + seconds * 250000000;
    while (wait(NULL) > 0 || errno == EINTR)
        ;
    return 0;
}
