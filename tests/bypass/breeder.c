/* Has children for so many milliseconds, one after the other, which ask for nothing before they end. Ends with 42 when
   one of them was killed. */
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
    double end = now() + atoi(argv[1]);
    while (now() < end) {
        int status;
        if (!fork()) {
            struct timespec moment = {0, 1500000};
            nanosleep(&moment, NULL);
            _exit(0);
        }
        wait(&status);
        if (WIFSIGNALED(status))
            return 42;
    }
    return 0;
}
