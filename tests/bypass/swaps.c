/* What a call names is swapped while it is looked at, in every way that there is, for every call that names something.
   Where nobody watches each call has to hit what it must not; under supervision none may. */
#include "attack.h"
#include <linux/fs.h>
#include <sys/ioctl.h>

/* Allowed in race/0, forbidden in race/1, where the same names stand. */
enum { OPEN, UNLINK, RMDIR, MKDIR, SYMLINK, LINK, LINKED, RENAME, CHMOD, CHOWN, TRUNCATE, BIND, CONNECT, CALLS };
static const char *const names[CALLS] = {"file", "u", "e", "d", "y", "k", "s", "r", "m", "m", "t", "b", "sock"};
enum { SIDE = 5, FOLDER = 100 }; /* where "race/0" and "race/1" differ; a descriptor that is swapped */
static struct sockaddr_un *shared;
static volatile int over;
static int honest, held;

static const char *in(int side, int call) {
    static __thread char name[32];
    snprintf(name, sizeof name, "race/%d/%s", side, names[call]);
    return at(name);
}

static struct stat of(const char *path) {
    struct stat status = {0};
    fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW);
    return status;
}

static int with_socket(int connecting, const struct sockaddr_un *address) {
    struct sockaddr_un peer = {0};
    socklen_t size = sizeof peer;
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    int failed = connecting ? connect(sock, (void *)address, sizeof *address) : bind(sock, (void *)address, sizeof *address);
    if (connecting && !failed)
        getpeername(sock, (void *)&peer, &size);
    close(sock);
    honest += !failed;
    return !strcmp(peer.sun_path, "./sock"); /* who listens in race/1 calls itself so */
}

/* One call on what stands at ``address`` from ``folder``; whether it hit what is forbidden. */
static int hits(int call, int folder, const struct sockaddr_un *address) {
    const char *path = address->sun_path, *mine = in(0, call), *other = in(1, call);
    int done = -1, won = 0;
    switch (call) {
    case OPEN:
        done = openat(folder, path, O_RDONLY);
        won = is_secret(done);
        break;
    case UNLINK:
        make(mine);
        done = unlinkat(folder, path, 0);
        won = !exists(other);
        break;
    case RMDIR:
        mkdir(mine, 0700);
        done = unlinkat(folder, path, AT_REMOVEDIR);
        won = !exists(other);
        break;
    case MKDIR:
        done = mkdirat(folder, path, 0700);
        won = exists(other);
        rmdir(mine);
        break;
    case SYMLINK:
        done = symlinkat("x", folder, path);
        won = S_ISLNK(of(other).st_mode);
        unlink(mine);
        break;
    case LINK:
        done = linkat(AT_FDCWD, in(0, OPEN), folder, path, 0);
        won = exists(other);
        unlink(mine);
        break;
    case LINKED:
        done = linkat(folder, path, AT_FDCWD, at("race/0/linked"), 0);
        won = !done && of(at("race/0/linked")).st_ino == of(other).st_ino;
        unlink(at("race/0/linked"));
        break;
    case RENAME:
        make(mine);
        done = renameat(folder, path, AT_FDCWD, at("race/0/renamed"));
        won = !exists(other);
        break;
    case CHMOD:
        done = fchmodat(folder, path, 0640, 0);
        won = (of(other).st_mode & 0777) == 0640;
        break;
    case CHOWN:
        done = fchownat(folder, path, 7, -1, 0);
        won = of(other).st_uid == 7;
        break;
    case TRUNCATE:
        done = truncate(path, 50);
        won = of(other).st_size == 50;
        break;
    case BIND:
        with_socket(0, address);
        won = exists(other);
        unlink(mine);
        break;
    case CONNECT:
        won = with_socket(1, address);
        break;
    }
    honest += done >= 0;
    return won;
}

static int outcome(unsigned won, unsigned wanted) {
    for (int call = 0; call < CALLS; call++)
        if (held && won & 1u << call)
            dprintf(2, "hit what is forbidden: %s\n", names[call]);
    return held ? won ? 1 : honest > tries / 200 ? 0 : -1 : won == wanted;
}

/* All calls in turn, until each has hit or there have been enough of them. */
static unsigned hammer(unsigned wanted, int folder, const struct sockaddr_un *addresses) {
    unsigned won = 0;
    for (int i = 0, call = 0; i < tries && won != wanted && !(held && won); i++, call = (call + 1) % CALLS)
        if (wanted & ~won & 1u << call)
            won |= hits(call, folder, addresses + call) ? 1u << call : 0;
    return won;
}

static const unsigned all = (1u << CALLS) - 1;
/* Of a UNIX address policy names the text alone; truncate(2) starts from no descriptor. */
static const unsigned by_text = 1u << CONNECT;
static const unsigned undirected = 1u << TRUNCATE | 1u << BIND | 1u << CONNECT;

static struct sockaddr_un *addresses(const char *folder) {
    struct sockaddr_un *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int call = 0; call < CALLS; call++) {
        made[call].sun_family = AF_UNIX;
        snprintf(made[call].sun_path, sizeof made->sun_path, "%s%s", folder, names[call]);
    }
    return made;
}

static void *flip(void *none) {
    while (!over)
        for (int byte = '0'; byte <= '1'; byte++)
            for (int call = 0; call < CALLS; call++)
                *(volatile char *)&shared[call].sun_path[SIDE] = byte;
    return NULL;
}

/* Everything that is swapped by a thread of ours ends when the calls do. */
static unsigned beside(void *(*swap)(void *), int threads, unsigned wanted, int folder, const struct sockaddr_un *each) {
    pthread_t ids[4];
    over = 0;
    for (int i = 0; i < threads; i++)
        pthread_create(ids + i, NULL, swap, NULL);
    unsigned won = hammer(wanted, folder, each);
    over = 1;
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    return won;
}

static int begin(void) { return chdir(work); }

static int swapped_by_threads(void) {
    shared = addresses("race/0/");
    return begin() ? -1 : outcome(beside(flip, 3, all, AT_FDCWD, shared), all);
}

/* Another process does it: through shared memory, in the same address space, or by writing to ours. */
static int by_child(int how) {
    static char stack[65536];
    int mine = getpid();
    char name[64];
    shared = addresses("race/0/");
    if (begin())
        return -1;
    snprintf(name, sizeof name, "/proc/%d/mem", mine);
    int memory = open(name, O_RDWR);
    int child = how == 1 ? clone((int (*)(void *))flip, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL) : fork();
    if (!child && !how)
        flip(NULL);
    while (!child)
        for (int byte = '0'; byte <= '1'; byte++)
            for (int call = 0; call < CALLS; call++) {
                char side = byte, *place = &shared[call].sun_path[SIDE];
                struct iovec here = {&side, 1}, there = {place, 1};
                if ((how == 2 ? pwrite(memory, &side, 1, (off_t)place) : process_vm_writev(mine, &here, 1, &there, 1, 0)) != 1)
                    _exit(1);
            }
    unsigned won = hammer(all, AT_FDCWD, shared);
    int ended = waitpid(child, NULL, WNOHANG);
    kill(child, SIGKILL);
    return child < 0 || ended ? -1 : outcome(won, all);
}

static int swapped_in_shared_memory(void) { return by_child(0); }
static int swapped_in_one_address_space(void) { return by_child(1); }
static int swapped_by_proc_mem(void) { return by_child(2); }
static int swapped_by_vm_writev(void) { return by_child(3); }

static int folders[2];
static void *move(void *none) {
    while (!over)
        for (int side = 0; side < 2; side++)
            fchdir(folders[side]);
    return NULL;
}
static void *replace(void *none) {
    while (!over)
        for (int side = 0; side < 2; side++)
            dup2(folders[side], FOLDER);
    return NULL;
}
static void *lead(void *none) {
    while (!over)
        for (int side = 0; side < 2; side++) {
            symlink(side ? "1" : "0", at("race/next"));
            rename(at("race/next"), at("race/link"));
        }
    return NULL;
}
static void *carry(void *none) {
    while (!over) {
        rename(at("race/0/sub"), at("race/1/sub"));
        rename(at("race/1/sub"), at("race/0/sub"));
    }
    return NULL;
}

static void both(void) {
    for (int side = 0; side < 2; side++)
        folders[side] = open(at(side ? "race/1" : "race/0"), O_PATH);
    dup2(folders[0], FOLDER);
    fchdir(folders[0]);
}

static int swapped_working_directory(void) {
    unsigned wanted = all & ~by_text;
    both();
    return outcome(beside(move, 2, wanted, AT_FDCWD, addresses("")), wanted);
}
static int swapped_folder(void) {
    unsigned wanted = all & ~undirected;
    both();
    return outcome(beside(replace, 2, wanted, FOLDER, addresses("")), wanted);
}
static int swapped_link(void) {
    unsigned wanted = all & ~by_text;
    return begin() || symlink("0", "race/link") ? -1
                                                : outcome(beside(lead, 1, wanted, AT_FDCWD, addresses("race/link/")), wanted);
}
static int swapped_parent(void) {
    unsigned wanted = all & ~by_text;
    return chdir(at("race/0/sub")) ? -1 : outcome(beside(carry, 1, wanted, AT_FDCWD, addresses("../")), wanted);
}

/* What is allowed is mounted over what is forbidden and taken away again: that has its own name all the while. */
static void *cover(void *none) {
    while (!over) {
        mount(at("race/0"), at("race/1"), NULL, MS_BIND, NULL);
        umount2(at("race/1"), MNT_DETACH);
    }
    return NULL;
}
static int swapped_mount(void) {
    unsigned wanted = all & ~by_text;
    if (unshare(CLONE_NEWNS) || chdir(at("race/1")))
        return -1;
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    honest = tries; /* nothing of it is ever allowed */
    unsigned below = beside(cover, 1, wanted, AT_FDCWD, addresses(""));
    chdir(work);
    return outcome(below | (held ? beside(cover, 1, wanted, AT_FDCWD, addresses("race/1/")) : 0), wanted);
}

/* Calls on open files: of the one in race/1 policy allows less than is tried. */
static int files[2];
static void *reopen(void *none) {
    while (!over)
        for (int side = 0; side < 2; side++)
            dup2(files[side], FOLDER);
    return NULL;
}
static unsigned on_file(int call, int flags, int (*act)(void), int (*hit)(void)) {
    pthread_t thread;
    int won = 0;
    over = 0;
    for (int side = 0; side < 2; side++)
        files[side] = open(in(side, call), flags);
    if (files[0] < 0 || files[1] < 0)
        return 0;
    dup2(files[0], FOLDER);
    pthread_create(&thread, NULL, reopen, NULL);
    for (int i = 0; i < tries / 4 && !won; i++) {
        honest += !act();
        won = hit();
    }
    over = 1;
    pthread_join(thread, NULL);
    return (unsigned)won << call;
}
static int mode(void) { return fchmod(FOLDER, 0640); }
static int mode_hit(void) { return (of(in(1, CHMOD)).st_mode & 0777) == 0640; }
static int owner(void) { return fchown(FOLDER, 7, -1); }
static int owner_hit(void) { return of(in(1, CHMOD)).st_uid == 7; }
static int size(void) { return ftruncate(FOLDER, 50); }
static int size_hit(void) { return of(in(1, TRUNCATE)).st_size == 50; }
static int appends(void) { return fcntl(FOLDER, F_SETFL, 0); }
static int appends_hit(void) { return !(fcntl(files[1], F_GETFL) & O_APPEND); }
static int swapped_file(void) {
    unsigned won = on_file(CHMOD, O_RDONLY, mode, mode_hit);
    won |= on_file(CHMOD, O_RDONLY, owner, owner_hit) << 1;
    won |= on_file(TRUNCATE, O_WRONLY, size, size_hit);
    won |= on_file(OPEN, O_WRONLY | O_APPEND, appends, appends_hit);
    return outcome(won, 1u << CHMOD | 1u << CHOWN | 1u << TRUNCATE | 1u << OPEN);
}

/* ioctl(2): by a command that changes the file, and by one that only asks. */
static int attributes;
static int attribute(void) { return ioctl(FOLDER, FS_IOC_SETFLAGS, &attributes); }
static int attribute_hit(void) {
    int now = 0;
    return !ioctl(files[1], FS_IOC_GETFLAGS, &now) && now & FS_NODUMP_FL;
}
static int swapped_for_ioctl(void) {
    int file = open(in(0, CHMOD), O_RDONLY);
    if (ioctl(file, FS_IOC_GETFLAGS, &attributes))
        return -1;
    attributes |= FS_NODUMP_FL;
    return outcome(on_file(CHMOD, O_RDONLY, attribute, attribute_hit), 1u << CHMOD);
}
static int unread;
static int ask(void) { return ioctl(FOLDER, FIONREAD, &unread); }
static int ask_hit(void) { return unread == strlen("secret"); }
static int swapped_for_question(void) {
    return outcome(on_file(CHMOD, O_RDONLY, ask, ask_hit), 1u << CHMOD);
}

/* The same by a process that is no thread of ours, but has our descriptors. */
static int swapped_by_sharer(void) {
    static char stack[65536];
    int won = 0, file = open(in(0, CHMOD), O_RDONLY);
    for (int side = 0; side < 2; side++)
        files[side] = open(in(side, CHMOD), O_RDONLY);
    if (ioctl(file, FS_IOC_GETFLAGS, &attributes))
        return -1;
    attributes |= FS_NODUMP_FL;
    dup2(files[0], FOLDER);
    int child = clone((int (*)(void *))reopen, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
    for (int i = 0; i < tries && !won; i++) {
        attribute();
        won = attribute_hit();
    }
    kill(child, SIGKILL);
    honest = tries; /* nothing of it is ever allowed */
    return child < 0 ? -1 : outcome(won, 1);
}

/* Whom signals of a descriptor are sent to stands in memory. */
static struct f_owner_ex receiver;
static void *readdress(void *none) {
    pid_t mine = getpid();
    while (!over) {
        *(volatile pid_t *)&receiver.pid = victim;
        __sync_synchronize();
        *(volatile pid_t *)&receiver.pid = mine;
        __sync_synchronize();
    }
    return NULL;
}
static int swapped_owner(void) {
    pthread_t thread;
    struct f_owner_ex now = {0};
    int won = 0, sock = socket(AF_UNIX, SOCK_STREAM, 0);
    receiver.type = F_OWNER_PID;
    over = 0;
    pthread_create(&thread, NULL, readdress, NULL);
    for (int i = 0; i < tries && !won; i++) {
        honest += !fcntl(sock, F_SETOWN_EX, &receiver);
        won = !fcntl(sock, F_GETOWN_EX, &now) && now.pid == victim;
    }
    over = 1;
    pthread_join(thread, NULL);
    return won ? 1 : honest ? 0 : -1;
}

static const attack table[] = {
    {"swapped_by_threads", swapped_by_threads},
    {"swapped_in_shared_memory", swapped_in_shared_memory},
    {"swapped_in_one_address_space", swapped_in_one_address_space},
    {"swapped_by_proc_mem", swapped_by_proc_mem},
    {"swapped_by_vm_writev", swapped_by_vm_writev},
    {"swapped_working_directory", swapped_working_directory},
    {"swapped_folder", swapped_folder},
    {"swapped_link", swapped_link},
    {"swapped_parent", swapped_parent},
    {"swapped_mount", swapped_mount},
    {"swapped_file", swapped_file},
    {"swapped_for_ioctl", swapped_for_ioctl},
    {"swapped_for_question", swapped_for_question},
    {"swapped_by_sharer", swapped_by_sharer},
    {"swapped_owner", swapped_owner},
    {NULL, NULL},
};

int main(int argc, char **argv) {
    held = argc > 2 && !atoi(argv[2]);
    return run_attacks(table, argc, argv);
}
