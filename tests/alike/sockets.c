/* Sockets: UNIX ones by path and abstract name, and those of the loopback device. */
#include "alike.h"

static socklen_t some_address(struct sockaddr_storage *address) {
    memset(address, 0, sizeof *address);
    struct sockaddr_un *local = (void *)address;
    struct sockaddr_in *inet = (void *)address;
    struct sockaddr_in6 *wide = (void *)address;
    switch (chance(12)) {
    case 0: case 1: case 2: case 3: case 4: {
        const char *path = some_path();
        if (path < (const char *)4096 || strlen(path) > 107) path = "sock";
        local->sun_family = AF_UNIX;
        strcpy(local->sun_path, path);
        say(" unix:%s", path);
        return percent(90) ? offsetof(struct sockaddr_un, sun_path) + strlen(path) + chance(2) : sizeof *local;
    }
    case 5: case 6:
        local->sun_family = AF_UNIX;
        snprintf(local->sun_path + 1, 20, "alike%u", chance(2));
        say(" abstract:%s", local->sun_path + 1);
        return offsetof(struct sockaddr_un, sun_path) + 7;
    case 7: say(" unnamed"); local->sun_family = AF_UNIX; return 2;
    case 8: case 9: case 10:
        inet->sin_family = ONE_OF(AF_INET, AF_INET, AF_INET, AF_INET, AF_UNSPEC);
        inet->sin_port = htons(20000 + chance(3));
        inet->sin_addr.s_addr = htonl(ONE_OF(0x7f000001, 0x7f000001, 0x7f000001, 0, 0xc0000201, 0x7f000002));
        say(" inet:%d:%x:%d", inet->sin_family, ntohl(inet->sin_addr.s_addr), ntohs(inet->sin_port));
        return percent(95) ? sizeof *inet : chance(20);
    default:
        wide->sin6_family = AF_INET6;
        wide->sin6_port = htons(20000 + chance(3));
        wide->sin6_addr = in6addr_loopback;
        say(" inet6:%d", ntohs(wide->sin6_port));
        return percent(90) ? sizeof *wide : 20;
    }
}

static void show_address(const struct sockaddr_storage *address, socklen_t length) {
    const struct sockaddr_un *local = (const void *)address;
    const struct sockaddr_in *inet = (const void *)address;
    say(" len=%u", length);
    if (length < 2) return;
    if (address->ss_family == AF_UNIX && length > 2) {
        unsigned size = length - 2;
        /* The kernel chooses names of five hexadecimal digits. */
        say(" unix:%u:%.*s", local->sun_path[0] == 0, local->sun_path[0] || size > 6 ? (int)size : 0, local->sun_path + !local->sun_path[0]);
    } else if (address->ss_family == AF_INET || address->ss_family == AF_INET6)
        say(" port %d", ntohs(inet->sin_port) / 3 == 6667 ? ntohs(inet->sin_port) - 20000 : 9);
    else say(" family %d", address->ss_family);
}

static void named(int fd) {
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    int ours = percent(50);
    long done = ours ? result("getsockname", getsockname(fd, (void *)&address, &length)) : result("getpeername", getpeername(fd, (void *)&address, &length));
    if (!done) show_address(&address, length);
}

static void options(int fd) {
    int value = 0;
    socklen_t length = sizeof value;
    int option = ONE_OF(SO_TYPE, SO_ERROR, SO_ACCEPTCONN, SO_PASSCRED, SO_REUSEADDR);
    if (percent(40)) {
        int on = 1;
        result("setsockopt", setsockopt(fd, SOL_SOCKET, ONE_OF(SO_REUSEADDR, SO_PASSCRED, SO_KEEPALIVE), &on, sizeof on));
    } else if (!result("getsockopt", getsockopt(fd, SOL_SOCKET, option, &value, &length))) say(" %d=%d", option, value);
}

static void sending(int fd) {
    struct sockaddr_storage address;
    char text[20];
    snprintf(text, sizeof text, "<%u>", chance(1000));
    int to = percent(60), flags = ONE_OF(0, 0, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_NOSIGNAL);
    socklen_t length = to ? some_address(&address) : 0;
    if (percent(50)) {
        result("sendto", sendto(fd, text, strlen(text), flags, to ? (void *)&address : NULL, length));
        return;
    }
    struct iovec piece = {text, strlen(text)};
    struct mmsghdr both[2] = {{.msg_hdr = {.msg_name = to ? &address : NULL, .msg_namelen = length, .msg_iov = &piece, .msg_iovlen = 1}}};
    both[1] = both[0];
    char room[CMSG_SPACE(sizeof(int))] = {0};
    if (percent(40)) {
        struct msghdr *message = &both[0].msg_hdr;
        message->msg_control = room;
        message->msg_controllen = sizeof room;
        struct cmsghdr *item = CMSG_FIRSTHDR(message);
        *item = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        int passed = percent(90) ? open("/dev/null", O_RDONLY) : 99;
        memcpy(CMSG_DATA(item), &passed, sizeof passed);
        result("sendmsg", sendmsg(fd, message, flags));
        if (passed != 99) close(passed);
    } else if (percent(50)) result("sendmsg", sendmsg(fd, &both[0].msg_hdr, flags));
    else result("sendmmsg", sendmmsg(fd, both, 2, flags));
}

static void receiving(int fd) {
    struct sockaddr_storage address = {0};
    socklen_t length = percent(80) ? sizeof address : chance(20);
    char text[40], room[100];
    int flags = ONE_OF(MSG_DONTWAIT, MSG_DONTWAIT, MSG_DONTWAIT, MSG_PEEK | MSG_DONTWAIT, MSG_TRUNC | MSG_DONTWAIT, 0);
    size_t size = percent(80) ? sizeof text : chance(4);
    if (percent(50)) {
        int ask = percent(70);
        long got = result("recvfrom", recvfrom(fd, text, size, flags, ask ? (void *)&address : NULL, ask ? &length : NULL));
        if (got > 0) say(" '%.*s'", got > (long)size ? (int)size : (int)got, text);
        if (got >= 0 && ask) show_address(&address, length);
        return;
    }
    struct iovec piece = {text, size};
    struct msghdr message = {.msg_name = &address, .msg_namelen = length, .msg_iov = &piece, .msg_iovlen = 1, .msg_control = room, .msg_controllen = percent(80) ? sizeof room : chance(20)};
    long got = result("recvmsg", recvmsg(fd, &message, flags | (percent(30) ? MSG_CMSG_CLOEXEC : 0)));
    if (got < 0) return;
    say(" '%.*s' flags=%x", got > (long)size ? (int)size : (int)got, text, message.msg_flags);
    show_address(&address, message.msg_namelen);
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
        int passed;
        memcpy(&passed, CMSG_DATA(item), sizeof passed);
        say(" control %d", item->cmsg_type);
        if (item->cmsg_type != SCM_RIGHTS) continue;
        say(" fd %d %d", passed, fcntl(passed, F_GETFD));
        close(passed);
    }
}

void socket_step(void) {
    struct sockaddr_storage address;
    int fd = some_fd(), ends[2];
    socklen_t length = sizeof address;
    int kind = ONE_OF(SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_DGRAM, SOCK_SEQPACKET);
    /* Others of the internet families are SCTP's, which are refused: docs/bypasses.md. */
    int family = kind == SOCK_SEQPACKET ? AF_UNIX : ONE_OF(AF_UNIX, AF_UNIX, AF_INET, AF_INET, AF_INET6);
    switch (chance(16)) {
    case 0: case 1: case 2:
        say(" %d %d", family, kind);
        long made = result("socket", socket(family, kind | ONE_OF(SOCK_NONBLOCK, SOCK_NONBLOCK, 0, SOCK_NONBLOCK | SOCK_CLOEXEC), 0));
        if (made >= BEHIND) close(made);
        break;
    case 3: result("socketpair", socketpair(AF_UNIX, kind | SOCK_NONBLOCK, 0, ends)); break;
    case 4: case 5: length = some_address(&address); say(" %d", fd); result("bind", bind(fd, (void *)&address, length)); break;
    case 6: say(" %d", fd); result("listen", listen(fd, chance(3))); break;
    case 7: case 8: length = some_address(&address); say(" %d", fd); result("connect", connect(fd, (void *)&address, length)); break;
    case 9: case 10: {
        int ask = percent(50);
        say(" %d", fd);
        long got = result("accept4", accept4(fd, ask ? (void *)&address : NULL, ask ? &length : NULL, ONE_OF(0, SOCK_NONBLOCK, SOCK_CLOEXEC, 1)));
        if (got >= 0) {
            say(" fl=%o fd=%d", fcntl(got, F_GETFL), fcntl(got, F_GETFD));
            if (ask) show_address(&address, length);
            if (got >= BEHIND) close(got);
        }
        break;
    }
    case 11: say(" %d", fd); named(fd); break;
    case 12: say(" %d", fd); options(fd); break;
    case 13: say(" %d", fd); result("shutdown", shutdown(fd, chance(4))); break;
    case 14: say(" %d", fd); sending(fd); break;
    default: say(" %d", fd); receiving(fd);
    }
}
