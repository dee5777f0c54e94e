/* What one system call costs its caller: calls FOLDER KIND:COUNT...
 * prints "KIND nanoseconds-per-operation" a line. What has to be made first isn't counted. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

static const char *self;

static long open_close(int count)
{
	long begin = now();

	for (int i = 0; i < count; i++) {
		int fd = open("file", O_RDONLY | O_CLOEXEC);

		need(fd >= 0, "open");
		close(fd);
	}
	return now() - begin;
}

static long stat_file(int count)
{
	struct stat status;
	long begin = now();

	for (int i = 0; i < count; i++)
		need(!stat("file", &status), "stat");
	return now() - begin;
}

static long unlink_file(int count)
{
	char name[32];
	long taken = 0;

	for (int done = 0; done < count; done += 100) {
		for (int i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "unlinked%c%c", 'a' + i / 10, 'a' + i % 10);
			int fd = open(name, O_WRONLY | O_CREAT, 0600);

			need(fd >= 0, "create");
			close(fd);
		}
		long begin = now();

		for (int i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "unlinked%c%c", 'a' + i / 10, 'a' + i % 10);
			need(!unlink(name), "unlink");
		}
		taken += now() - begin;
	}
	return taken;
}

/* A statically linked program that ends at once: no library is looked for. */
static long execute(int count)
{
	char *arguments[] = { (char *)self, NULL }, *environment[] = { NULL };
	long begin = now();

	for (int i = 0; i < count; i++) {
		int status;
		pid_t pid;

		need(!posix_spawn(&pid, self, NULL, NULL, arguments, environment), "spawn");
		need(waitpid(pid, &status, 0) == pid && !status, "spawned program");
	}
	return now() - begin;
}

/* A socket that listens on a port of 127.0.0.1, which address tells. */
static int listening(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	need(!bind(listener, (struct sockaddr *)address, size), "bind");
	need(!listen(listener, 16), "listen");
	need(!getsockname(listener, (struct sockaddr *)address, &size), "getsockname");
	return listener;
}

/* Connections are made and accepted; one of both is counted. Their ends leave nothing that waits. */
static long meet(int accepting, int count)
{
	struct linger reset = { 1, 0 };
	struct sockaddr_in address;
	int listener = listening(&address);
	long taken = 0;

	for (int i = 0; i < count; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0), connection;
		long begin = now(), connected;

		need(!connect(client, (struct sockaddr *)&address, sizeof(address)), "connect");
		connected = now();
		setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (!accepting)
			taken += connected - begin;
		begin = now();
		connection = accept(listener, NULL, NULL);
		need(connection >= 0, "accept");
		if (accepting)
			taken += now() - begin;
		close(connection);
		close(client);
	}
	close(listener);
	return taken;
}

static long connect_tcp(int count)
{
	return meet(0, count);
}

static long accept_tcp(int count)
{
	return meet(1, count);
}

static long receive(int family, int type, int by_message, int count)
{
	char byte = 'x', name[128];
	struct iovec vector = { &byte, 1 };
	struct msghdr head = { .msg_iov = &vector, .msg_iovlen = 1 };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int ends[2];
	long taken = 0;

	if (family == AF_UNIX) {
		need(!socketpair(family, type, 0, ends), "socketpair");
	} else {
		ends[0] = ends[1] = socket(family, type, 0);
		need(!bind(ends[0], (struct sockaddr *)&address, size), "bind");
		need(!getsockname(ends[0], (struct sockaddr *)&address, &size), "getsockname");
		need(!connect(ends[0], (struct sockaddr *)&address, size), "connect");
	}
	for (int i = 0; i < count; i++) {
		need(send(ends[0], &byte, 1, 0) == 1, "send");
		long begin = now();

		size = sizeof(name);
		if (by_message)
			need(recvmsg(ends[1], &head, 0) == 1, "recvmsg");
		else
			need(recvfrom(ends[1], &byte, 1, 0, type == SOCK_DGRAM ? (void *)name : NULL, &size) == 1, "recvfrom");
		taken += now() - begin;
	}
	close(ends[0]);
	if (family == AF_UNIX)
		close(ends[1]);
	return taken;
}

static long recv_stream(int count)
{
	return receive(AF_UNIX, SOCK_STREAM, 0, count);
}

static long recvmsg_stream(int count)
{
	return receive(AF_UNIX, SOCK_STREAM, 1, count);
}

static long recvfrom_udp(int count)
{
	return receive(AF_INET, SOCK_DGRAM, 0, count);
}

static long recvmsg_udp(int count)
{
	return receive(AF_INET, SOCK_DGRAM, 1, count);
}

static const struct {
	const char *name;
	long (*run)(int count);
} kinds[] = {
	{ "open+close", open_close }, { "stat", stat_file }, { "unlink", unlink_file },
	{ "exec", execute }, { "connect", connect_tcp },
	{ "accept", accept_tcp }, { "recv-stream", recv_stream }, { "recvmsg-stream", recvmsg_stream },
	{ "recvfrom-udp", recvfrom_udp }, { "recvmsg-udp", recvmsg_udp },
};

int main(int argc, char **argv)
{
	if (argc < 2)
		return 0;
	self = realpath(argv[0], NULL);
	need(!chdir(argv[1]), argv[1]);
	for (int i = 2; i < argc; i++) {
		char *colon = strchr(argv[i], ':');
		int count = colon ? atoi(colon + 1) : 0;

		if (colon)
			*colon = 0;
		for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			if (count > 0 && !strcmp(kinds[k].name, argv[i])) {
				kinds[k].run(count / 10 + 1);
				printf("%s %.1f\n", argv[i], (double)kinds[k].run(count) / count);
			}
	}
	return 0;
}
