/* alike PLACE SEEDS STEPS: random sequences of system calls, the same for the same seed; each prints what it came to.
 *
 * SEEDS are 7 or 0-19, each has a folder of that name in PLACE. STEPS are numbers: 0-199, or 3,17,50-60. What a step does depends on the seed and its number, and on what those before it
 * left. Four processes take turns, each with its own ids, descriptors, working directory and umask. Whoever is executed
 * as anything else than "alike" only says what it is.
 */
#include "alike.h"

char place[256];
int privileged;
static char line[20000];
static size_t filled;
static volatile sig_atomic_t signals;

void say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    filled += vsnprintf(line + filled, sizeof line - filled, format, list);
    va_end(list);
    if (filled > sizeof line - 2000) filled = sizeof line - 2000;
}

long result(const char *name, long value) {
    int code = errno;
    say(" | %s", name);
    if (value < 0) say(" -> %s", strerrorname_np(code) ? strerrorname_np(code) : "?");
    else say(" = %ld", value);
    errno = code;
    return value;
}

static void finish_line(void) {
    line[filled++] = '\n';
    for (size_t done = 0; done < filled;) {
        ssize_t got = write(LOG, line + done, filled - done);
        if (got <= 0) _exit(9);
        done += got;
    }
    filled = 0;
}

static void what_i_am(int count, char **words) {
    mode_t mask = umask(0);
    say("  program ids %u %u %u %u mask %o words", getuid(), geteuid(), getgid(), getegid(), mask);
    for (int i = 0; i < count; i++) say(" %s", words[i]);
    say(" name %s open", program_invocation_short_name);
    for (int fd = 0; fd < BEHIND; fd++)
        if (fcntl(fd, F_GETFD) >= 0) say(" %d:%o", fd, fcntl(fd, F_GETFL) & ~O_NOFOLLOW);
    sigset_t blocked;
    sigprocmask(0, NULL, &blocked);
    say(" alarm %d %d", sigismember(&blocked, SIGALRM), signal(SIGXFSZ, SIG_DFL) == SIG_IGN);
    finish_line();
    _exit(7);
}

static void caught(int number) { signals |= number == SIGALRM ? 1 : number == SIGPIPE ? 2 : number == SIGXFSZ ? 4 : number == SIGIO ? 8 : 16; }

static void prepare(int number) {
    struct sigaction action = {.sa_handler = caught};
    for (int i = 0; i < 6; i++) sigaction((int[]){SIGALRM, SIGPIPE, SIGXFSZ, SIGIO, SIGUSR1, SIGRTMIN}[i], &action, NULL);
    umask((int[]){022, 0, 077, 027}[number]);
    if (!privileged) return;
    gid_t groups[] = {OWNER};
    if (number == 1 && (setgroups(0, groups) || setresgid(OWNER, OWNER, OWNER) || setresuid(OWNER, OWNER, OWNER))) _exit(8);
    if (number == 2 && (setgroups(1, groups) || setresgid(OTHER, OTHER, OTHER) || setresuid(OTHER, OTHER, OTHER))) _exit(8);
    /* Whoever changes ids can't be looked at until it executes something, which is said in docs/suites.md. */
    prctl(PR_SET_DUMPABLE, 1);
}

/* With a file and its directory made old before the step, whatever touches their times shows. */
static void age(const char *path, char *parent) {
    struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
    strcpy(parent, path);
    char *slash = strrchr(parent, '/');
    strcpy(slash ? slash + 1 : parent, ".");
    utimensat(AT_FDCWD, path, old, AT_SYMLINK_NOFOLLOW);
    utimensat(AT_FDCWD, parent, old, 0);
}

static void show_age(const char *path) {
    struct stat status;
    if (lstat(path, &status)) say(" gone");
    else say(" %d%d", status.st_atime == 1000000000, status.st_mtime == 1000000000);
}

static void step(uint64_t seed, unsigned number, unsigned who) {
    chance_begin(seed, number, 2);
    say("%u %u", number, who);
    static const char *const aged[] = {"f", "d/f", "new1", "d", "l", "t/f", "fifo", "h"};
    const char *path = percent(20) ? aged[chance(8)] : NULL;
    char parent[64];
    if (path) { age(path, parent); steer(path); say(" (%s)", path); }
    struct itimerval soon = {{0, 300000}, {1, 0}}, never = {{0}};
    signals = 0;
    setitimer(ITIMER_REAL, &soon, NULL);
    unsigned kind = chance(20);
    if (kind < 10) file_step();
    else if (kind < 14) descriptor_step();
    else if (kind < 18) socket_step();
    else process_step();
    setitimer(ITIMER_REAL, &never, NULL);
    signals &= ~1;
    if (signals) say(" signals %d", signals);
    if (path) { say(" age"); show_age(path); show_age(parent); }
    finish_line();
}

static void actor(uint64_t seed, unsigned who, int channel) {
    dup2(channel, CHANNEL);
    for (int fd = FIRST; fd < LOG; fd++) close(fd);
    prepare(who);
    unsigned number;
    for (;;) {
        ssize_t got = read(CHANNEL, &number, sizeof number);
        if (got < 0 && errno == EINTR) continue;
        if (got != sizeof number) _exit(0);
        step(seed, number, who);
        while (write(CHANNEL, &number, sizeof number) < 0 && errno == EINTR) {}
    }
}

static int drive(uint64_t seed, char *steps) {
    int channels[4];
    for (unsigned who = 0; who < 4; who++) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) return 3;
        if (!fork()) actor(seed, who, ends[1]);
        close(ends[1]);
        channels[who] = ends[0];
    }
    for (char *range = strtok(steps, ","); range; range = strtok(NULL, ",")) {
        unsigned first = strtoul(range, &range, 10), last = *range == '-' ? strtoul(range + 1, NULL, 10) : first;
        for (unsigned number = first; number <= last; number++) {
            chance_begin(seed, number, 1);
            unsigned who = chance(4), answer;
            struct pollfd wait = {channels[who], POLLIN, 0};
            if (write(channels[who], &number, sizeof number) != sizeof number || poll(&wait, 1, 30000) != 1 ||
                read(channels[who], &answer, sizeof answer) != sizeof answer) {
                say("%u %u stuck or dead", number, who);
                finish_line();
                kill(0, SIGKILL);
            }
        }
    }
    for (unsigned who = 0; who < 4; who++) close(channels[who]);
    while (wait(NULL) > 0) {}
    return 0;
}

static int play(uint64_t seed, char *steps) {
    char number[40];
    setpgid(0, 0);
    snprintf(number, sizeof number, "/%lu", (unsigned long)seed);
    umask(0);
    /* Nothing is left of the sequence before; this one has some way to go up before it leaves its own folder. */
    static const char *const above[] = {"/", "/dev/null", "/tmp", "/dev"};
    static const int modes[] = {0755, 0666, 01777, 0755};
    for (int i = 0; privileged && i < 4; i++)
        if (chown(above[i], 0, 0) || chmod(above[i], modes[i])) return 2;
    for (int i = 0; i < 4; i++) {
        strcat(place, i ? "/in" : number);
        if (mkdir(place, 0777) || chdir(place) || chmod(place, 0777)) return 2;
    }
    populate();
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
    say("seed %lu", (unsigned long)seed);
    finish_line();
    return drive(seed, steps);
}

int main(int count, char **words) {
    if (count != 4 || strcmp(program_invocation_short_name, "alike")) what_i_am(count, words);
    /* It changes whatever it can reach as root: only where world.sh has seen to it that this is nobody else's. */
    if (access("/alone", F_OK)) return 77;
    if (!realpath(words[1], place) || dup2(1, LOG) < 0) return 2;
    privileged = !geteuid();
    if (!privileged) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    char *end;
    uint64_t seed = strtoull(words[2], &end, 10), last = *end ? strtoull(end + 1, NULL, 10) : seed;
    for (; seed <= last; seed++) {
        pid_t child = fork();
        if (!child) _exit(play(seed, words[3]));
        int status;
        if (waitpid(child, &status, 0) != child || (status && status != SIGKILL)) return 10 + WEXITSTATUS(status);
    }
    return 0;
}
