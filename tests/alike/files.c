/* Calls on names. */
#include "alike.h"
#include <linux/openat2.h>

struct handle { struct file_handle head; char rest[128]; };

static const char *shown(const char *path) {
    if (path == NULL) return "NULL";
    if (path < (const char *)4096) return "BAD";
    return strlen(path) > 200 ? "LONG" : path;
}

static long opened(const char *name, long fd) {
    result(name, fd);
    if (fd >= 0) {
        show_descriptor(fd);
        if (fd >= BEHIND || percent(40)) close(fd);
    }
    return fd;
}

static void opening(void) {
    const char *path = some_path();
    int flags = some_open_flags(), mode = some_mode(), dirfd = some_dirfd();
    say(" %d %s %o %o", dirfd, shown(path), flags, mode);
    switch (chance(10)) {
    case 0: opened("creat", syscall(SYS_creat, path, mode)); break;
    case 1: case 2: opened("open", syscall(SYS_open, path, flags, mode)); break;
    case 3: case 4: {
        struct open_how how = {.flags = flags, .mode = flags & O_CREAT ? mode & 07777 : 0};
        if (percent(50)) how.resolve = 1u << chance(7);
        if (percent(5)) how.mode = mode;
        if (how.flags & O_PATH) how.flags &= O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC;
        say(" resolve=%x", (unsigned)how.resolve);
        if (!(how.flags & O_PATH)) opened("openat2", syscall(SYS_openat2, dirfd, path, &how, percent(95) ? sizeof how : 25));
        break;
    }
    default: opened("openat", syscall(SYS_openat, dirfd, path, flags, mode));
    }
}

static void handling(void) {
    struct handle handle = {.head.handle_bytes = 128};
    int mount = 0;
    const char *path = some_path();
    say(" %s", shown(path));
    if (!result("name_to_handle_at", name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0)))
        opened("open_by_handle_at", open_by_handle_at(percent(80) ? AT_FDCWD : some_fd(), &handle.head, some_open_flags() & ~O_TMPFILE));
}

static void looking(void) {
    const char *path = some_path();
    int dirfd = some_dirfd(), flags = ONE_OF(0, 0, 0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_NO_AUTOMOUNT, 0x10);
    struct stat status;
    struct statx more;
    struct statfs whole;
    char text[300];
    say(" %d %s %x", dirfd, shown(path), flags);
    long done = -1;
    switch (chance(10)) {
    case 0: done = result("stat", syscall(SYS_stat, path, &status)); break;
    case 1: done = result("lstat", syscall(SYS_lstat, path, &status)); break;
    case 2: case 3: done = result("newfstatat", syscall(SYS_newfstatat, dirfd, path, percent(97) ? &status : (void *)8, flags)); break;
    case 4: case 5:
        if (!result("statx", syscall(SYS_statx, dirfd, path, flags, ONE_OF(0x7ff, 0xfff, 0, 0x1fff), &more)))
            say(" %x %o %u:%u %lu %lx", more.stx_mask & 0xff, more.stx_mode, more.stx_uid, more.stx_gid,
                S_ISREG(more.stx_mode) ? (unsigned long)more.stx_size : 0, (unsigned long)more.stx_attributes & ~0x2000ul);
        break;
    case 6: result("faccessat", syscall(439, dirfd, path, chance(8), ONE_OF(0, 0x200, 0x100))); break;
    case 7: {
        long got = result("readlinkat", syscall(SYS_readlinkat, dirfd, path, text, sizeof text));
        if (got > 0 && text[0] != '/') say(" %.*s", text[0] == 's' || text[0] == 'p' ? 4 : (int)got, text);
        break;
    }
    case 8: result("statfs", syscall(SYS_statfs, path, &whole)); break;
    default: done = result("stat", syscall(SYS_stat, path, &status));
    }
    if (!done) show_status(&status);
}

static void making(void) {
    const char *path = some_path(), *other = some_path();
    int dirfd = some_dirfd(), mode = some_mode(), second = some_dirfd();
    say(" %d %s %o %d %s", dirfd, shown(path), mode, second, shown(other));
    switch (chance(12)) {
    case 0: result("mkdir", syscall(SYS_mkdir, path, mode)); break;
    case 1: case 2: result("mkdirat", syscall(SYS_mkdirat, dirfd, path, mode | (percent(5) ? 0100000 : 0))); break;
    case 3: case 4: {
        int kind = ONE_OF(S_IFIFO, S_IFIFO, S_IFSOCK, S_IFREG, 0, S_IFCHR, S_IFBLK, S_IFDIR, S_IFLNK, 0150000);
        int device = ONE_OF(0, makedev(1, 3), makedev(1, 7), makedev(300, 70000));
        say(" kind=%o", kind);
        result("mknodat", syscall(SYS_mknodat, dirfd, path, mode | kind, device));
        break;
    }
    case 5: result("symlink", syscall(SYS_symlink, other, path)); break;
    case 6: case 7: result("symlinkat", syscall(SYS_symlinkat, other, dirfd, path)); break;
    case 8: result("link", syscall(SYS_link, other, path)); break;
    default: {
        int flags = ONE_OF(0, 0, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH, 1);
        /* Who has opened a descriptor counts there: docs/suites.md. */
        result("linkat", syscall(SYS_linkat, flags & AT_EMPTY_PATH ? AT_FDCWD : second, other, dirfd, path, flags));
    }
    }
}

static void moving(void) {
    const char *path = some_path(), *other = some_path();
    int dirfd = some_dirfd(), second = some_dirfd();
    say(" %d %s %d %s", dirfd, shown(path), second, shown(other));
    switch (chance(11)) {
    case 0: result("unlink", syscall(SYS_unlink, path)); break;
    case 1: case 2: result("unlinkat", syscall(SYS_unlinkat, dirfd, path, ONE_OF(0, 0, 0x200, 0x200, 1))); break;
    case 3: result("rmdir", syscall(SYS_rmdir, path)); break;
    case 4: case 5: result("rename", syscall(SYS_rename, path, other)); break;
    case 6: result("renameat", syscall(SYS_renameat, dirfd, path, second, other)); break;
    default: result("renameat2", syscall(SYS_renameat2, dirfd, path, second, other, ONE_OF(0, 0, 1, 1, 2, 2, 4, 3, 8, 5)));
    }
}

static void changing(void) {
    const char *path = some_path();
    int dirfd = some_dirfd(), mode = some_mode(), owner = some_id(), group = some_id();
    long length = percent(90) ? (long)chance(5000) : ONE_OF(-1, INT32_MAX);
    say(" %d %s %o %d:%d %ld", dirfd, shown(path), mode, owner, group, length);
    switch (chance(13)) {
    case 0: result("chmod", syscall(SYS_chmod, path, mode)); break;
    case 1: result("fchmodat", syscall(SYS_fchmodat, dirfd, path, mode)); break;
    case 2: result("fchmodat2", syscall(452, dirfd, path, mode, ONE_OF(0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, 1))); break;
    case 3: result("chown", syscall(SYS_chown, path, owner, group)); break;
    case 4: result("lchown", syscall(SYS_lchown, path, owner, group)); break;
    case 5: result("fchownat", syscall(SYS_fchownat, dirfd, path, owner, group, ONE_OF(0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, 1))); break;
    case 6: case 7: case 8: result("truncate", syscall(SYS_truncate, path, length)); break;
    case 9: {
        struct timespec times[2] = {{chance(2000000000), 0}, {chance(2000000000), percent(20) ? UTIME_NOW : percent(20) ? UTIME_OMIT : 0}};
        result("utimensat", syscall(SYS_utimensat, dirfd, path, percent(70) ? times : NULL, ONE_OF(0, AT_SYMLINK_NOFOLLOW)));
        break;
    }
    case 10: result("setxattr", path > (const char *)4096 ? lsetxattr(path, "user.x", "value", chance(6), 0) : -1); break;
    case 11: result("chdir", syscall(SYS_chdir, path)); break;
    default: result("fchdir", fchdir(some_fd()));
    }
}

void file_step(void) {
    switch (chance(20)) {
    case 0: case 1: case 2: case 3: case 4: case 5: case 6: opening(); break;
    case 7: handling(); break;
    case 8: case 9: case 10: looking(); break;
    case 11: case 12: case 13: making(); break;
    case 14: case 15: case 16: moving(); break;
    default: changing();
    }
}
