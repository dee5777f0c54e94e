/* Random system calls that come out the same whoever performs them: what the parts of the program share. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LOG = 200, CHANNEL = 201, FIRST = 3, BEHIND = 14, OWNER = 1000, OTHER = 1001 };

/* Where everything happens, and whether root does it. */
extern char place[256];
extern int privileged;

/* chance.c: the choices of one step depend on the seed and its number alone. */
void chance_begin(uint64_t seed, uint64_t step, uint64_t salt);
unsigned chance(unsigned limit);
int percent(unsigned p);
int one_of(int count, const int *values);
#define ONE_OF(...) one_of(sizeof((int[]){__VA_ARGS__}) / sizeof(int), (int[]){__VA_ARGS__})

/* What a step says. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
long result(const char *name, long value);

/* What is chosen from. */
const char *some_path(void);
int some_fd(void);
int some_dirfd(void);
int some_id(void);
int some_mode(void);
int some_open_flags(void);
void steer(const char *path);

void file_step(void);
void descriptor_step(void);
void socket_step(void);
void process_step(void);
void show_descriptor(int fd);
void show_status(const struct stat *status);
void populate(void);
