/* What one mediated operation costs its caller: operations FOLDER KIND:COUNT...
 * prints "KIND nanoseconds-per-operation" a line. "refused" is no measurement: it succeeds if a file can't be read. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../measure.h"

#define DEEP "/a/b/c/d/e/f/g/h/file"

static const char *folder;
static char near[256], deep[256], made[256], one[256], other[256], nothing[256], forbidden[256];

static void open_close(const char *path, int count)
{
	for (int i = 0; i < count; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		need(fd >= 0, path);
		close(fd);
	}
}

static void status(const char *path, int count)
{
	struct stat found;

	for (int i = 0; i < count; i++)
		need(!stat(path, &found), path);
}

static void read_a_byte(const char *path, int count)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char byte;

	for (int i = 0; i < count; i++)
		need(pread(fd, &byte, 1, 0) == 1, path);
	close(fd);
}

static void create_unlink(int count)
{
	for (int i = 0; i < count; i++) {
		int fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		need(fd >= 0, made);
		close(fd);
		need(!unlink(made), "unlink");
	}
}

/* Under a name that nothing has had before. */
static void create_unlink_new(int count)
{
	char path[300];

	for (int i = 0; i < count; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/new%d%06d", folder, getpid(), i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		need(fd >= 0, path);
		close(fd);
		need(!unlink(path), "unlink");
	}
}

static void rename_back(int count)
{
	for (int i = 0; i < count; i++) {
		need(!rename(one, other), "rename");
		need(!rename(other, one), "rename back");
	}
}

static void execute(int count)
{
	char *arguments[] = { nothing, NULL }, *environment[] = { NULL };

	for (int i = 0; i < count; i++) {
		int ended;
		pid_t pid = vfork();

		if (!pid) {
			execve(nothing, arguments, environment);
			_exit(1);
		}
		need(pid > 0 && waitpid(pid, &ended, 0) == pid && !ended, nothing);
	}
}

static void connect_udp(int count)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < count; i++)
		need(!connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
	close(fd);
}

static void refused(void)
{
	int fd = open(forbidden, O_RDONLY);

	if (fd >= 0 || (errno != EPERM && errno != EACCES)) {
		fprintf(stderr, "%s can be read: nothing is enforced\n", forbidden);
		exit(1);
	}
}

static void run(const char *kind, int count)
{
	if (!strcmp(kind, "open-2"))
		open_close(near, count);
	else if (!strcmp(kind, "open-10"))
		open_close(deep, count);
	else if (!strcmp(kind, "stat-2"))
		status(near, count);
	else if (!strcmp(kind, "stat-10"))
		status(deep, count);
	else if (!strcmp(kind, "read"))
		read_a_byte(near, count);
	else if (!strcmp(kind, "create+unlink"))
		create_unlink(count);
	else if (!strcmp(kind, "create+unlink-new"))
		create_unlink_new(count);
	else if (!strcmp(kind, "rename"))
		rename_back(count);
	else if (!strcmp(kind, "exec"))
		execute(count);
	else if (!strcmp(kind, "connect"))
		connect_udp(count);
	else if (!strcmp(kind, "refused"))
		refused();
	else
		need(0, kind);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 0;
	folder = argv[1];
	snprintf(near, sizeof(near), "%s/file", argv[1]);
	snprintf(deep, sizeof(deep), "%s" DEEP, argv[1]);
	snprintf(made, sizeof(made), "%s/made", argv[1]);
	snprintf(one, sizeof(one), "%s/one", argv[1]);
	snprintf(other, sizeof(other), "%s/other", argv[1]);
	snprintf(nothing, sizeof(nothing), "%s/nothing", argv[1]);
	snprintf(forbidden, sizeof(forbidden), "%s/forbidden", argv[1]);
	for (int i = 2; i < argc; i++) {
		char *colon = strchr(argv[i], ':');
		int count = colon ? atoi(colon + 1) : 1;
		long begin;

		if (colon)
			*colon = 0;
		begin = now();
		run(argv[i], count);
		printf("%s %ld\n", argv[i], (now() - begin) / count);
	}
	return 0;
}
