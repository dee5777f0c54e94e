/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Workers under policy: each asks for the same few things over and over, and counts what came of it. Which policy holds
 * at a moment they don't know; so they count as wrong only what no policy of the test says.
 *
 * endurance ROLE SLOT: descriptor 3 is the file that the counts are in. endurance child: see child().
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 16
#define HOME "/run/endure/"

struct wrong {
	unsigned long long when;	/* nanoseconds of the monotonic clock */
	long long error;		/* what came of it: 0, or an errno */
	char what[48];
};

struct counts {
	unsigned long long done, first, second, wrongs;	/* first, second: of what the two policies differ in */
	struct wrong wrong[MOST];
};

static struct counts *counts;

static void wrong(const char *what, int error)
{
	struct wrong *place = &counts->wrong[counts->wrongs++ % MOST];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	place->when = now.tv_sec * 1000000000ull + now.tv_nsec;
	place->error = error;
	strncpy(place->what, what, sizeof(place->what) - 1);
}

/* What came of something: it has to be wanted (0, or an errno). */
static void expect(const char *what, int outcome, int wanted)
{
	int error = outcome < 0 ? errno : 0;

	counts->done++;
	if (error != wanted)
		wrong(what, error);
}

static void either(const char *what, int outcome)
{
	int error = outcome < 0 ? errno : 0;

	counts->done++;
	if (!error)
		counts->first++;
	else if (error == EPERM)
		counts->second++;
	else
		wrong(what, error);
}

static int touch(const char *name, int flags)
{
	int fd = open(name, flags, 0600), error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return fd;
}

static void files(unsigned long turn)
{
	char name[128];

	expect("literal", touch(HOME "data/always", O_RDONLY), 0);
	expect("other", touch(HOME "data/never", O_RDONLY), EPERM);
	snprintf(name, sizeof(name), HOME "data/p-%lu.txt", turn % 20);
	expect("pattern", touch(name, O_RDONLY), 0);
	snprintf(name, sizeof(name), HOME "data/q-%lu.txt", turn % 20);
	expect("other pattern", touch(name, O_RDONLY), EPERM);
	either("first's", touch(HOME "data/first", O_RDONLY));
	either("second's", touch(HOME "data/second", O_RDONLY));
	snprintf(name, sizeof(name), HOME "data/%c-%lu.dat", turn & 1 ? 'a' : 'b', turn / 2 % 20);
	either("pattern of one", touch(name, O_RDONLY));
	/* One policy lets it be read, the other lets it be written: no moment lets both. */
	expect("torn", touch(HOME "data/torn", O_RDWR), EPERM);
	/* One has it among the domain's own entries, the other in a group. */
	expect("moved", touch(HOME "data/moved", O_RDWR), 0);
	expect("halved", touch(HOME "data/halved", O_RDWR), 0);
	expect("condition", touch(HOME "data/condition", O_RDONLY), 0);
	expect("other condition", touch(HOME "data/condition", O_WRONLY), EPERM);
}

static void changes(unsigned long turn)
{
	char one[128], two[128];

	snprintf(one, sizeof(one), HOME "out/one-%d-%lu", getpid(), turn % 8);
	snprintf(two, sizeof(two), HOME "out/two-%d-%lu", getpid(), turn % 8);
	expect("create", touch(one, O_WRONLY | O_CREAT | O_TRUNC), 0);
	expect("rename", rename(one, two), 0);
	expect("rename away", rename(two, HOME "data/mine"), EPERM);
	expect("create elsewhere", touch(HOME "data/new", O_WRONLY | O_CREAT), EPERM);
	expect("link", link(two, HOME "data/mine"), EPERM);
	expect("mkdir", mkdir(HOME "out/d", 0700), EPERM);
	expect("unlink", unlink(two), 0);
	expect("unlink other", unlink(HOME "data/always"), EPERM);
	expect("change mode", chmod(HOME "data/always", 0777), EPERM);
	expect("truncate", truncate(HOME "data/always", 0), EPERM);
}

static int connects(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), outcome, error;

	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	outcome = connect(fd, (struct sockaddr *)&address, sizeof(address));
	error = errno;
	close(fd);
	errno = error;
	return outcome;
}

static void sockets(unsigned long turn)
{
	expect("connect", connects(9), ECONNREFUSED);
	expect("connect elsewhere", connects(10), EPERM);
	expect("connect in range", connects(2000 + turn % 100), ECONNREFUSED);
}

/* In a domain below the worker's. Says by its end what it found. */
static int child(void)
{
	int fd = open(HOME "data/always", O_RDONLY);

	if (fd < 0)
		return 10 + errno % 100;
	close(fd);
	if (open(HOME "data/never", O_RDONLY) >= 0 || errno != EPERM)
		return 2;
	return open(HOME "data/p-1.txt", O_RDONLY) >= 0 || errno != EPERM ? 3 : 0;
}

static void execute(const char *what, const char *name, int wanted)
{
	char *words[] = { (char *)name, "child", NULL }, *none[] = { NULL };
	int status, pid = vfork();
	char text[48];

	if (!pid) {
		execve(name, words, none);
		_exit(errno == EPERM ? 1 : 100 + errno);
	}
	if (pid < 0) {
		wrong("fork", errno);
		return;
	}
	waitpid(pid, &status, 0);
	counts->done++;
	if (WIFEXITED(status) && WEXITSTATUS(status) == wanted)
		return;
	snprintf(text, sizeof(text), "%s: status %x", what, status);
	wrong(text, WEXITSTATUS(status));
}

static void executions(unsigned long turn)
{
	char name[128];

	execute("execute", HOME "bin/known", 0);
	execute("execute other", HOME "bin/never", 1);
	/* Most often somebody has been there already; each is new once. */
	snprintf(name, sizeof(name), HOME "bin/n-%lu", turn / 4 % 400);
	execute("execute new", name, 0);
}

static void learning(unsigned long turn)
{
	char name[128];

	snprintf(name, sizeof(name), HOME "out/learned-%lu", turn / 4 % 3000);
	expect("learn", touch(name, O_WRONLY | O_CREAT), 0);
	expect("learn to read", touch(HOME "data/never", O_RDONLY), 0);
	expect("learn to unlink", unlink(name), 0);
}

int main(int count, char **words)
{
	void (*role)(unsigned long) = NULL;

	if (count == 2 && !strcmp(words[1], "child"))
		return child();
	if (count != 3)
		return 1;
	counts = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
	if (counts == MAP_FAILED)
		return 1;
	counts += atoi(words[2]);
	if (!strcmp(words[1], "files"))
		role = files;
	else if (!strcmp(words[1], "changes"))
		role = changes;
	else if (!strcmp(words[1], "sockets"))
		role = sockets;
	else if (!strcmp(words[1], "executions"))
		role = executions;
	else if (!strcmp(words[1], "learning"))
		role = learning;
	for (unsigned long turn = 0; role; turn++)
		role(turn);
	return 1;
}
