/* Rights that the supervisor has and its caller has given up: policy allows all of it, so that nothing but those rights
   may be in the way. Each is done first with them, which has to work, then without; to get it then is the success. */
#include "attack.h"
#include <grp.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

enum { NOBODY = 65534, OTHER = 65533, GROUP = 4242 };

static const char *mine(const char *name) {
    static __thread char buffer[64];
    snprintf(buffer, sizeof buffer, "lend/%s", name);
    return at(buffer);
}

static const char *file(const char *name, mode_t mode) {
    const char *path = mine(name);
    int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
    (void)!write(fd, "secret", 6);
    close(fd);
    chmod(path, mode);
    return path;
}

static int reads(const char *path) { return is_secret(open(path, O_RDONLY)); }

static void become(uid_t uid, gid_t extra) {
    gid_t groups[1] = {extra};
    setgroups(extra ? 1 : 0, groups);
    setresgid(uid, uid, uid);
    setresuid(uid, uid, uid);
}

/* What ``act`` comes to for somebody else, in a process of its own. */
static int by(uid_t uid, gid_t extra, int (*act)(const char *), const char *path) {
    int status;
    pid_t child = fork();
    if (!child) {
        become(uid, extra);
        _exit(act(path));
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status);
}

static int lent(int with, int without) { return with ? without : -1; }

static int private_file(void) {
    const char *path = file("private", 0600);
    return lent(reads(path), by(NOBODY, 0, reads, path));
}
static int by_effective_id(void) {
    const char *path = file("effective", 0600);
    int with = reads(path);
    return seteuid(NOBODY) ? -1 : lent(with, reads(path));
}
static int by_file_system_id(void) {
    const char *path = file("fsid", 0600);
    int with = reads(path);
    setfsuid(NOBODY);
    return lent(with, reads(path));
}
static int by_saved_thread(void) {
    /* Only this thread gives its rights up: the kernel keeps them apart, whatever libc does. */
    const char *path = file("thread", 0600);
    int with = reads(path);
    return syscall(SYS_setresuid, -1, NOBODY, -1) ? -1 : lent(with, reads(path));
}
static int group_file(void) {
    const char *path = file("group", 0640);
    (void)!chown(path, 0, GROUP);
    return lent(by(NOBODY, GROUP, reads, path), by(NOBODY, 0, reads, path));
}
static int without_capabilities(void) {
    const char *path = file("capable", 0600);
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    if (chown(path, OTHER, OTHER))
        return -1;
    int with = reads(path);
    return syscall(SYS_capset, &head, none) ? -1 : lent(with, reads(path));
}
static int listed(void) {
    const char *path = file("listed", 0644);
    struct { unsigned version; struct { unsigned short tag, perm; unsigned id; } entries[5]; } list = {
        2, {{1, 6, -1}, {2, 0, NOBODY}, {4, 4, -1}, {16, 4, -1}, {32, 4, -1}}};
    if (setxattr(path, "system.posix_acl_access", &list, sizeof list, 0))
        return -1;
    return lent(by(OTHER, 0, reads, path), by(NOBODY, 0, reads, path));
}
static int unlinks(const char *path) { return !unlink(path); }
static int renames(const char *path) { return !rename(path, mine("sticky/renamed")); }
static int sticky(int (*act)(const char *)) {
    mkdir(mine("sticky"), 0);
    chmod(mine("sticky"), 01777);
    file("sticky/own", 0666);
    (void)!chown(mine("sticky/own"), OTHER, OTHER);
    int with = by(OTHER, 0, act, at("lend/sticky/own"));
    file("sticky/file", 0666);
    return lent(with, by(NOBODY, 0, act, at("lend/sticky/file")));
}
static int sticky_removed(void) { return sticky(unlinks); }
static int sticky_renamed(void) { return sticky(renames); }
static int links(const char *path) { return !link(path, mine("sticky/linked")); }
static int others_linked(void) {
    mkdir(mine("sticky"), 0);
    chmod(mine("sticky"), 01777);
    const char *path = file("linkable", 0644);
    int with = links(path);
    unlink(mine("sticky/linked"));
    return lent(with, by(NOBODY, 0, links, path));
}
static int immutable(void) {
    const char *path = file("immutable", 0600);
    int flags = FS_IMMUTABLE_FL, none = 0, fd = open(path, O_RDONLY);
    if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
        return -1;
    int without = !truncate(path, 0) || !chmod(path, 0644) || open(path, O_WRONLY) >= 0 || !unlink(path);
    ioctl(fd, FS_IOC_SETFLAGS, &none);
    return lent(!truncate(path, 0), without);
}
static int longer(const char *path) { return !truncate(path, 1000); }
static int beyond_size_limit(void) {
    struct rlimit limit = {100, 100};
    const char *path = file("size", 0600);
    int with = longer(path) && !truncate(path, 6);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    int fd = open(path, O_RDWR);
    return lent(with, longer(path) || !ftruncate(fd, 1000));
}
static int beyond_descriptor_limit(void) {
    struct rlimit limit = {3, 3};
    const char *path = file("descriptors", 0600);
    int with = reads(path);
    setrlimit(RLIMIT_NOFILE, &limit);
    return lent(with, open(path, O_RDONLY) >= 0);
}
static int beyond_umask(void) {
    struct stat status;
    umask(0);
    mkdir(mine("open"), 0777);
    int with = !stat(mine("open"), &status) && (status.st_mode & 077) == 077;
    umask(077);
    mkdir(mine("closed"), 0777);
    return lent(with, stat(mine("closed"), &status) || status.st_mode & 077);
}
static int set_group(const char *path) {
    struct stat status;
    return !chmod(path, 02755) && !stat(path, &status) && status.st_mode & 02000;
}
static int foreign_group_set(void) {
    const char *path = file("setgid", 0755);
    (void)!chown(path, NOBODY, GROUP);
    return lent(by(NOBODY, GROUP, set_group, path), (chmod(path, 0755), by(NOBODY, 0, set_group, path)));
}
static int gives(const char *path) { return !chown(path, 0, -1); }
static int given_away(void) {
    const char *path = file("given", 0666);
    int with = gives(path);
    (void)!chown(path, NOBODY, NOBODY);
    return lent(with, by(NOBODY, 0, gives, path));
}
static int makes_device(const char *path) { return !mknod(path, S_IFCHR | 0600, 0x103); }
static int device_made(void) {
    mkdir(mine("sticky"), 0);
    chmod(mine("sticky"), 01777);
    int with = makes_device(mine("sticky/device"));
    unlink(mine("sticky/device"));
    return lent(with, by(NOBODY, 0, makes_device, mine("sticky/device")));
}
static int opens_unnoticed(const char *path) { return is_secret(open(path, O_RDONLY | O_NOATIME)); }
static int unnoticed(void) {
    const char *path = file("unnoticed", 0644);
    return lent(opens_unnoticed(path), by(NOBODY, 0, opens_unnoticed, path));
}
static int opens_queue(const char *name) { return syscall(SYS_mq_open, name, O_RDWR) >= 0; }
static int private_queue(void) {
    syscall(SYS_mq_open, "sekisho-lent", O_CREAT | O_RDWR, 0600, NULL);
    int with = opens_queue("sekisho-lent"), without = by(NOBODY, 0, opens_queue, "sekisho-lent");
    syscall(SYS_mq_unlink, "sekisho-lent");
    return lent(with, without);
}
static int beyond_queue_limit(void) {
    struct rlimit limit = {0, 0};
    int with = syscall(SYS_mq_open, "sekisho-lent", O_CREAT | O_RDWR, 0600, NULL) >= 0;
    syscall(SYS_mq_unlink, "sekisho-lent");
    setrlimit(RLIMIT_MSGQUEUE, &limit);
    int without = syscall(SYS_mq_open, "sekisho-lent", O_CREAT | O_RDWR, 0600, NULL) >= 0;
    syscall(SYS_mq_unlink, "sekisho-lent");
    return lent(with, without);
}
static int rooted(const char *path) {
    char text[32];
    unshare(CLONE_NEWUSER);
    int fd = open("/proc/self/uid_map", O_WRONLY);
    int size = snprintf(text, sizeof text, "0 %d 1", NOBODY);
    return write(fd, text, size) == size && !getuid() ? 2 + reads(path) : 0;
}
static int by_root_of_a_namespace(void) {
    const char *path = file("namespace", 0600);
    int status, with = reads(path);
    pid_t child = fork();
    if (!child) {
        become(NOBODY, 0);
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
        _exit(rooted(path));
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) < 2 ? -1 : lent(with, WEXITSTATUS(status) == 3);
}

static const attack table[] = {
    {"private_file", private_file},
    {"by_effective_id", by_effective_id},
    {"by_file_system_id", by_file_system_id},
    {"by_saved_thread", by_saved_thread},
    {"group_file", group_file},
    {"without_capabilities", without_capabilities},
    {"listed", listed},
    {"sticky_removed", sticky_removed},
    {"sticky_renamed", sticky_renamed},
    {"others_linked", others_linked},
    {"immutable", immutable},
    {"beyond_size_limit", beyond_size_limit},
    {"beyond_descriptor_limit", beyond_descriptor_limit},
    {"beyond_umask", beyond_umask},
    {"foreign_group_set", foreign_group_set},
    {"given_away", given_away},
    {"device_made", device_made},
    {"unnoticed", unnoticed},
    {"private_queue", private_queue},
    {"beyond_queue_limit", beyond_queue_limit},
    {"by_root_of_a_namespace", by_root_of_a_namespace},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
