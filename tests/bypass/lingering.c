/* A connection that nobody reads from, and that its owner closes while a call on it is looked at: whoever is left alone
   with it waits for as long as its owner said (SO_LINGER). Ends with 42 when it took us seconds to go on, more often than
   a look at a descriptor that is closed at this very moment explains. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int client;
static volatile int go;

static void *close_after(void *turns) {
    while (!go)
        __sync_synchronize();
    for (volatile long i = 0; i < (long)turns; i++)
        ;
    close(client);
    return NULL;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* The other end of the new connection, into which nothing more fits. */
static int connect_and_fill(int server, struct sockaddr_in *to) {
    static char data[65536];
    struct linger seconds = {1, 5};
    client = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &seconds, sizeof seconds);
    if (connect(client, (void *)to, sizeof *to))
        return -1;
    int other = accept(server, NULL, NULL);
    fcntl(client, F_SETFL, O_NONBLOCK);
    while (write(client, data, sizeof data) > 0)
        ;
    return other;
}

#define SELDOM 2

int main(void) {
    int waits = 0;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, (void *)&here, sizeof here) || listen(server, 8) || getsockname(server, (void *)&here, &size))
        return 1;
    for (long i = 0; i < 300; i++) {
        struct iovec data = {"x", 1};
        struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
        struct linger none = {1, 0};
        pthread_t thread;
        int other = connect_and_fill(server, &here);
        if (other < 0)
            return 1;
        go = 0;
        pthread_create(&thread, NULL, close_after, (void *)(i * 1000));
        double before = now();
        go = 1;
        sendmsg(client, &message, MSG_NOSIGNAL);
        close(open("/etc/hostname", O_RDONLY));
        if (now() - before > 2 && ++waits > SELDOM)
            return 42;
        setsockopt(other, SOL_SOCKET, SO_LINGER, &none, sizeof none);
        close(other);
        pthread_join(thread, NULL);
    }
    return 0;
}
