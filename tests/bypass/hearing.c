/* Ways to hear strangers on datagram and raw sockets of the Internet without asking who has sent: 127.0.0.3 may be
   heard, 127.0.0.2 may not. */
#include "attack.h"
#include <linux/filter.h>
#include <sys/sendfile.h>

#define STRANGER "127.0.0.2"
#define FRIEND "127.0.0.3"
#define EXPERIMENT 253

static struct sockaddr_in host(const char *name, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, name, &address.sin_addr);
    return address;
}

static int port_of(int sock) {
    struct sockaddr_in6 address;
    socklen_t size = sizeof address;
    return getsockname(sock, (void *)&address, &size) ? -1 : ntohs(address.sin6_port);
}

static int bound(const char *name) {
    struct sockaddr_in own = host(name, 0);
    int sock = socket(AF_INET, SOCK_DGRAM, 0);
    return sock >= 0 && !bind(sock, (void *)&own, sizeof own) ? sock : -1;
}

/* Whether the server at FRIEND hears a friend, and a stranger says something to it meanwhile. */
static int said_to(int server, int port) {
    struct sockaddr_in to = host(FRIEND, port);
    int stranger = bound(STRANGER);
    return stranger >= 0 && sendto(stranger, "stranger", 8, 0, (void *)&to, sizeof to) == 8;
}

static int server_told(void) {
    int server = bound(FRIEND);
    return server >= 0 && said_to(server, port_of(server)) && !fcntl(server, F_SETFL, O_NONBLOCK) ? server : -1;
}

static int heard_by_read(int server) {
    char data[16] = "";
    for (int i = 0; i < 4; i++)
        if (read(server, data, 15) == 8 && !strcmp(data, "stranger"))
            return 1;
    return 0;
}

static int received_by_read(void) { return heard_by_read(server_told()); }

static int received_by_readv(void) {
    char data[16] = "";
    struct iovec vectors[] = {{data, 4}, {data + 4, 11}};
    return readv(server_told(), vectors, 2) == 8 && !strcmp(data, "stranger");
}

static int received_by_recv(void) {
    char data[16] = "";
    return recv(server_told(), data, 15, 0) == 8 && !strcmp(data, "stranger");
}

static int received_by_splice(void) {
    char data[16] = "";
    int ends[2];
    if (pipe(ends))
        return -1;
    splice(server_told(), NULL, ends[1], NULL, 15, SPLICE_F_NONBLOCK);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return read(ends[0], data, 15) == 8 && !strcmp(data, "stranger");
}

static int received_by_duplicate(void) { return heard_by_read(dup(server_told())); }

/* Neither bind nor connect nor a destination: write(2) gives it a port, and then fails. */
static int received_without_bind(void) {
    int server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    write(server, "", 0);
    return port_of(server) > 0 && said_to(server, port_of(server)) && heard_by_read(server);
}

static int received_on_ipv6(void) {
    int server = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (server < 0)
        return -1;
    write(server, "", 0);
    return port_of(server) > 0 && said_to(server, port_of(server)) && heard_by_read(server);
}

static int filtered(int sock, int option) {
    struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFF);
    struct sock_fprog program = {1, &all};
    return setsockopt(sock, SOL_SOCKET, option, &program, sizeof program);
}

static int told_by_filter(int (*prepare)(int)) {
    int server = bound(FRIEND);
    if (server < 0 || prepare(server) || !said_to(server, port_of(server)))
        return 0;
    fcntl(server, F_SETFL, O_NONBLOCK);
    return heard_by_read(server);
}

static int own_filter(int sock) { return filtered(sock, SO_ATTACH_FILTER); }
static int own_filter_and_none(int sock) {
    return filtered(sock, SO_ATTACH_FILTER) || filtered(sock, SO_DETACH_FILTER);
}
static int own_filter_twice(int sock) { return filtered(sock, SO_ATTACH_FILTER) || filtered(sock, SO_ATTACH_FILTER); }
static int no_filter(int sock) {
    filtered(sock, SO_DETACH_FILTER);
    return 0;
}
static int same_number(int sock) {
    /* What looks like a filter of the supervisor's own. */
    struct sock_filter forged[] = {{0, 0, 0, 0x53454B49}, {0, 0, 0, 2}, {6, 0, 0, 0xFFFFFFFF}};
    struct sock_fprog program = {3, forged};
    return setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) || own_filter(sock);
}

static int received_through_own_filter(void) { return told_by_filter(own_filter); }
static int received_through_second_filter(void) { return told_by_filter(own_filter_twice); }
static int received_without_filter(void) { return told_by_filter(no_filter); }
static int received_after_own_filter(void) { return told_by_filter(own_filter_and_none); }
static int received_through_forged_filter(void) { return told_by_filter(same_number); }

/* Another thread puts the socket in the place of one whose filter nobody cares about. */
static int place, other, stop;
static void *swap(void *server) {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        dup2(*(int *)server, place);
        dup2(other, place);
    }
    return NULL;
}

static int received_by_swapped_filter(void) {
    struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFF);
    struct sock_fprog program = {1, &all};
    pthread_t thread;
    int server = bound(FRIEND);
    other = socket(AF_UNIX, SOCK_DGRAM, 0);
    place = dup(other);
    if (server < 0 || pthread_create(&thread, NULL, swap, &server))
        return -1;
    for (int i = 0; i < tries / 4; i++)
        setsockopt(place, SOL_SOCKET, i & 1 ? SO_DETACH_FILTER : SO_ATTACH_FILTER, &program, sizeof program);
    stop = 1;
    pthread_join(thread, NULL);
    fcntl(server, F_SETFL, O_NONBLOCK);
    return said_to(server, port_of(server)) && heard_by_read(server);
}

/* Another thread puts a socket of datagrams where recvmsg(2) was allowed on one of a stream. */
static int received_by_swapped_socket(void) {
    char data[16] = "";
    struct iovec vector = {data, 15};
    struct msghdr head = {.msg_iov = &vector, .msg_iovlen = 1};
    int pair[2], found = 0, server = bound(FRIEND);
    pthread_t thread;
    if (server < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
        return -1;
    other = pair[0];
    place = dup(other);
    if (pthread_create(&thread, NULL, swap, &server))
        return -1;
    for (time_t end = time(NULL) + 2; !found && time(NULL) < end;)
        found = said_to(server, port_of(server)) && recvmsg(place, &head, MSG_DONTWAIT) == 8 &&
                !strcmp(data, "stranger");
    stop = 1;
    pthread_join(thread, NULL);
    return found;
}

static int received_by_a_child(void) {
    int server = server_told(), status;
    pid_t child = fork();
    if (!child)
        _exit(heard_by_read(server));
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status);
}

static int received_raw(void) {
    char data[64] = "";
    struct sockaddr_in own = host(STRANGER, 0), to = host(FRIEND, 0);
    int server = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, EXPERIMENT), stranger = socket(AF_INET, SOCK_RAW, EXPERIMENT);
    if (server < 0 || stranger < 0)
        return -1;
    if (bind(stranger, (void *)&own, sizeof own) || sendto(stranger, "stranger", 8, 0, (void *)&to, sizeof to) != 8)
        return 0;
    return read(server, data, 63) > 27 && !memcmp(data + 20, "stranger", 8);
}

static const attack table[] = {
    {"received_by_read", received_by_read},
    {"received_by_readv", received_by_readv},
    {"received_by_recv", received_by_recv},
    {"received_by_splice", received_by_splice},
    {"received_by_duplicate", received_by_duplicate},
    {"received_by_a_child", received_by_a_child},
    {"received_without_bind", received_without_bind},
    {"received_on_ipv6", received_on_ipv6},
    {"received_through_own_filter", received_through_own_filter},
    {"received_through_second_filter", received_through_second_filter},
    {"received_without_filter", received_without_filter},
    {"received_after_own_filter", received_after_own_filter},
    {"received_through_forged_filter", received_through_forged_filter},
    {"received_by_swapped_filter", received_by_swapped_filter},
    {"received_by_swapped_socket", received_by_swapped_socket},
    {"received_raw", received_raw},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
