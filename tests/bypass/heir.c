/* A program that tells by descriptor 50 that it has begun (s), that a signal was sent to it since (g), and that nothing
   ended it before its time (e). It begins a session, or joins a group, if told to. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void tell(const char *what) {
    if (write(50, what, 1) != 1)
        _exit(1);
}

static void got(int number) { tell("g"); }

int main(int argc, char **argv) {
    struct timespec moment = {0, argc > 1 && !strcmp(argv[1], "shortly") ? 10000000 : 500000000}, left;
    sigset_t none;
    sigemptyset(&none);
    /* What was sent to whom it was before is forgotten. */
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR1, got);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (argc > 1 && !strcmp(argv[1], "session"))
        setsid();
    if (argc > 2 && !strcmp(argv[1], "group"))
        setpgid(0, atoi(argv[2]));
    tell("s");
    while (nanosleep(&moment, &left))
        moment = left;
    tell("e");
    return 0;
}
