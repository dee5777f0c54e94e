/* Calls on descriptors, and what is to be seen of one. */
#include "alike.h"

void show_status(const struct stat *s) {
    say(" [%o links=%lu %u:%u", s->st_mode, S_ISDIR(s->st_mode) ? 0ul : (unsigned long)s->st_nlink, s->st_uid, s->st_gid);
    if (S_ISREG(s->st_mode) || S_ISLNK(s->st_mode)) say(" size=%ld", (long)s->st_size);
    if (S_ISCHR(s->st_mode) || S_ISBLK(s->st_mode)) say(" dev=%lx", (unsigned long)s->st_rdev);
    say("]");
}

/* Everything that an honest program can see of a descriptor it has got. */
void show_descriptor(int fd) {
    struct stat status;
    say(" fl=%o fd=%d", fcntl(fd, F_GETFL) & ~O_NOFOLLOW, fcntl(fd, F_GETFD));
    if (!fstat(fd, &status)) show_status(&status);
    say(" at=%ld", (long)lseek(fd, 0, SEEK_CUR));
}

static void reading(int fd) {
    char data[64];
    long got;
    switch (chance(5)) {
    case 0: got = result("read", read(fd, data, sizeof data)); break;
    case 1: got = result("pread", pread(fd, data, 20, chance(30))); break;
    case 2: say(" seek"); got = -1; result("lseek", lseek(fd, chance(40), ONE_OF(SEEK_SET, SEEK_CUR, SEEK_END))); break;
    case 3: got = -1; result("readahead", readahead(fd, 0, 10)); break;
    default: {
        long size = 16;
        got = -1;
        void *where = mmap(NULL, size, ONE_OF(PROT_READ, PROT_WRITE, PROT_READ | PROT_EXEC), ONE_OF(MAP_SHARED, MAP_PRIVATE), fd, 0);
        result("mmap", where == MAP_FAILED ? -1 : 0);
        if (where != MAP_FAILED) munmap(where, size);
    }
    }
    if (got > 0) say(" '%.*s'", (int)got, data);
}

static void writing(int fd) {
    char text[20];
    snprintf(text, sizeof text, "<%u>", chance(1000));
    switch (chance(6)) {
    case 0: case 1: result("write", write(fd, text, strlen(text))); break;
    case 2: result("pwrite", pwrite(fd, text, strlen(text), chance(50))); break;
    case 3: result("fallocate", fallocate(fd, ONE_OF(0, FALLOC_FL_KEEP_SIZE), chance(20), 1 + chance(100))); break;
    case 4: result("sendfile", sendfile(fd, some_fd(), NULL, chance(20))); break;
    default: result("fsync", fsync(fd));
    }
}

static void locking(int fd) {
    struct flock lock = {.l_type = ONE_OF(F_RDLCK, F_WRLCK, F_UNLCK), .l_whence = SEEK_SET, .l_start = chance(3), .l_len = chance(3)};
    switch (chance(8)) {
    case 0: case 1: result("flock", flock(fd, ONE_OF(LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN))); break;
    case 2: result("setlk", fcntl(fd, F_SETLK, &lock)); break;
    case 3: result("ofd", fcntl(fd, F_OFD_SETLK, &lock)); break;
    case 4:
        result("getlk", fcntl(fd, F_GETLK, &lock));
        say(" %d", lock.l_type);
        break;
    case 5: result("setlkw", fcntl(fd, F_SETLKW, &lock)); break;
    case 6: result("setlease", fcntl(fd, F_SETLEASE, ONE_OF(F_RDLCK, F_WRLCK, F_UNLCK, F_UNLCK, F_UNLCK))); break;
    default: result("getlease", fcntl(fd, F_GETLEASE));
    }
}

static void controlling(int fd) {
    int value = chance(2);
    char room[256];
    switch (chance(16)) {
    case 0: case 1: case 2:
        result("setfl", fcntl(fd, F_SETFL, ONE_OF(0, O_APPEND, O_NONBLOCK, O_NONBLOCK | O_APPEND, O_NOATIME, O_DIRECT, O_ASYNC)));
        say(" fl=%o", fcntl(fd, F_GETFL) & ~O_NOFOLLOW);
        break;
    case 3: result("setfd", fcntl(fd, F_SETFD, value)); break;
    case 4: result("dupfd", fcntl(fd, value ? F_DUPFD : F_DUPFD_CLOEXEC, (int)chance(BEHIND))); break;
    case 5: result("setown", fcntl(fd, F_SETOWN, ONE_OF(0, getpid(), -getpgrp(), 999999, INT32_MIN))); break;
    case 6: {
        int owner = fcntl(fd, F_GETOWN);
        say(" getown=%s", owner == getpid() ? "me" : owner == 0 ? "nobody" : owner == -getpgrp() ? "group" : "other");
        break;
    }
    case 7: result("setsig", fcntl(fd, F_SETSIG, ONE_OF(0, SIGUSR1, SIGRTMIN, 99))); break;
    case 8: result("pipe_sz", fcntl(fd, F_SETPIPE_SZ, 4096)); break;
    case 9: result("fionread", ioctl(fd, FIONREAD, &value)); say(" %d", value); break;
    case 10: result("fionbio", ioctl(fd, FIONBIO, &value)); say(" fl=%o", fcntl(fd, F_GETFL) & ~O_NOFOLLOW); break;
    case 11: result("fioasync", ioctl(fd, FIOASYNC, &value)); break;
    case 12: result("cloex", ioctl(fd, value ? FIOCLEX : FIONCLEX)); break;
    case 13: result("tty", ioctl(fd, ONE_OF(0x5401, 0x540f, 0x5413, 0x5429), room)); break;
    case 14: result("getflags", ioctl(fd, 0x80086601, &value)); break;
    default: result("strange", ioctl(fd, ONE_OF(0, 0x1234, -1), NULL));
    }
}

static void duplicating(int fd) {
    int to = FIRST + chance(BEHIND - FIRST), ends[2];
    switch (chance(7)) {
    case 0: result("dup", dup(fd)); break;
    case 1: result("dup2", dup2(fd, to)); break;
    case 2: result("dup3", dup3(fd, to, O_CLOEXEC)); break;
    case 3:
        result("pipe", pipe2(ends, ONE_OF(0, O_NONBLOCK, O_CLOEXEC | O_NONBLOCK)));
        break;
    case 4: result("memfd", syscall(SYS_memfd_create, "memory", ONE_OF(0, 1, 2, 3))); break;
    default: result("close", close(fd));
    }
}

void descriptor_step(void) {
    int fd = some_fd();
    struct stat status;
    say(" %d", fd);
    switch (chance(14)) {
    case 0: case 1: reading(fd); break;
    case 2: case 3: writing(fd); break;
    case 4: case 5: locking(fd); break;
    case 6: case 7: controlling(fd); break;
    case 8: case 9: duplicating(fd); break;
    case 10: result("ftruncate", ftruncate(fd, percent(90) ? (long)chance(300) : -1)); break;
    case 11: result("fchmod", fchmod(fd, some_mode())); break;
    case 12: result("fchown", fchown(fd, some_id(), some_id())); break;
    default:
        if (!result("fstat", fstat(fd, &status))) show_status(&status);
    }
}
