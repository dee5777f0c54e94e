/* Random choices: numbers, paths, descriptors, ids, modes, flags. */
#include "alike.h"

static uint64_t state;
static const char *favourite;

static uint64_t next(void) {
    uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

void chance_begin(uint64_t seed, uint64_t step, uint64_t salt) {
    state = seed * 0x100000001b3ull + step * 0x9e3779b1ull + salt;
    next();
    state ^= next();
    favourite = NULL;
}

unsigned chance(unsigned limit) { return next() % limit; }
int percent(unsigned p) { return chance(100) < p; }
int one_of(int count, const int *values) { return values[chance(count)]; }

static const char *const names[] = {
    "f", "f", "d", "d", "e", "h", "l", "ld", "la", "dang", "dangd", "loop", "up", "t", "g", "p", "q", "ro", "fifo",
    "sock", "prog", "set", "script", "new1", "new1", "new2", "new2", "new3", "new4", "lt", "empty", "null", "acl",
};

static const char *component(void) { return names[chance(sizeof names / sizeof *names)]; }

/* Most of a step's paths are the steered one, if any. */
void steer(const char *path) { favourite = path; }

/* Whether the process can look at itself in /proc as anybody else with its ids could. */
static int of_one_mind(void) {
    uid_t real, effective, saved;
    gid_t group, effective_group, saved_group;
    getresuid(&real, &effective, &saved);
    getresgid(&group, &effective_group, &saved_group);
    return real == effective && real == saved && (uid_t)setfsuid(-1) == real && group == effective_group &&
           group == saved_group && (gid_t)setfsgid(-1) == group;
}

static const char *special(char *buffer, size_t size) {
    static char longest[300], deep[5000];
    unsigned which = chance(14);
    if ((which >= 3 && which <= 6) || which == 13)
        if (!of_one_mind()) which = 11;
    switch (which) {
    case 0: return "";
    case 1: return NULL;
    case 2: return (const char *)8;
    case 3: snprintf(buffer, size, "/proc/self/fd/%u", chance(BEHIND)); return buffer;
    case 4: snprintf(buffer, size, "/proc/self/cwd/%s", component()); return buffer;
    case 5: snprintf(buffer, size, "/dev/fd/%u", FIRST + chance(4)); return buffer;
    case 6: snprintf(buffer, size, "/proc/thread-self/root%s/%s", place, component()); return buffer;
    case 7: memset(longest, 'n', 255 + chance(2)); longest[256] = 0; return longest;
    case 8:
        for (size_t i = 0; i + 2 < sizeof deep; i += 2) memcpy(deep + i, "./", 2);
        strcpy(deep + 4095 - 1 + chance(2) - 1, "f");
        return deep;
    case 9: return "/dev/null";
    case 10: return "/";
    case 11: return ".";
    case 12: return "..";
    default: snprintf(buffer, size, "/proc/self/fd/%u/%s", FIRST + chance(4), component()); return buffer;
    }
}

const char *some_path(void) {
    static char buffers[4][600];
    static unsigned turn;
    char *buffer = buffers[turn++ % 4];
    if (favourite && percent(70)) return favourite;
    if (percent(7)) return special(buffer, sizeof *buffers);
    int used = 0;
    if (percent(8)) used += snprintf(buffer, sizeof *buffers, "%s/", place);
    else if (percent(4)) used += snprintf(buffer, sizeof *buffers, ".//");
    else buffer[0] = 0;
    unsigned depth = percent(65) ? 1 : percent(80) ? 2 : 3;
    for (unsigned i = 0; i < depth; i++)
        used += snprintf(buffer + used, sizeof *buffers - used, "%s%s", i ? "/" : "", percent(3) ? ".." : component());
    if (percent(6)) strcat(buffer, "/");
    else if (percent(2)) strcat(buffer, "/.");
    else if (percent(1)) strcat(buffer, "/..");
    return buffer;
}

/* Mostly one that is open: what is open is the same whoever performs the calls. */
int some_fd(void) {
    int open[BEHIND], count = 0;
    for (int fd = FIRST; fd < BEHIND; fd++)
        if (fcntl(fd, F_GETFD) >= 0) open[count++] = fd;
    if (count && percent(85)) return open[chance(count)];
    return percent(90) ? (int)(FIRST + chance(BEHIND - FIRST)) : ONE_OF(0, 99, -1, AT_FDCWD);
}

int some_dirfd(void) { return percent(70) ? AT_FDCWD : percent(90) ? some_fd() : ONE_OF(-5, 99, 0); }
int some_id(void) { return ONE_OF(-1, -1, 0, OWNER, OWNER, OTHER, 4242, 65534); }

int some_mode(void) {
    return percent(50) ? ONE_OF(0644, 0600, 0755, 0777, 0400, 0, 01777, 02775, 02755, 04755, 06711) : (int)chance(010000);
}

int some_open_flags(void) {
    static const int bits[] = {
        O_CREAT, O_CREAT, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK, O_NONBLOCK, O_NONBLOCK, O_DIRECTORY, O_NOFOLLOW,
        O_CLOEXEC, O_CLOEXEC, O_NOATIME, O_SYNC, O_DSYNC, O_DIRECT, O_LARGEFILE, O_NOCTTY, O_ASYNC, O_PATH, 0,
    };
    int flags = ONE_OF(O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR, O_RDWR);
    for (unsigned i = chance(4); i; i--) flags |= bits[chance(sizeof bits / sizeof *bits)];
    if (percent(2)) flags |= 3;
    if (percent(2)) flags |= O_TMPFILE;
    if (percent(1)) flags |= 1 << 30;
    return flags;
}
