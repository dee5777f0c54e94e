/* Ways to have a signal sent to a program of another domain: heir, to which policy lets nobody send any. */
#include "attack.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP 4
#endif
#define SELF_THREAD (-10000) /* PIDFD_SELF_THREAD */

static int told[2];   /* what heir says */
static int ends[2];   /* what is to send a signal when the second is written to */
static pid_t leader;  /* of a group that others may join */

static void become(const char *how, pid_t group) {
    char number[16];
    snprintf(number, sizeof number, "%d", group);
    char *arguments[] = {"heir", (char *)how, number, NULL};
    dup2(told[1], 50);
    execve(at("heir"), arguments, arguments + 3);
    _exit(1);
}

static char heard(void) {
    char word = 0;
    return read(told[0], &word, 1) == 1 ? word : 0;
}

/* Whether a process that has made itself ready so, and become heir, was hit by what is done then. */
static int hit(int (*ready)(void), const char *how, void (*then)(void)) {
    if (pipe2(told, O_CLOEXEC) || pipe2(ends, O_CLOEXEC))
        return -1;
    pid_t child = fork();
    if (!child) {
        int possible = ready();
        if (!possible)
            _exit(2);
        become(how, leader);
    }
    close(told[1]);
    char word = heard();
    if (word == 's') {
        then();
        word = heard();
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        return word != 'e';
    }
    int status;
    close(ends[1]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 2 ? -1 : 0;
}

static void write_to_it(void) { (void)!write(ends[1], "x", 1); }

static int sends(int fd, int number) {
    return !fcntl(fd, F_SETSIG, number) && !fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC);
}

static int own_pipe(void) { return !fcntl(ends[0], F_SETOWN, getpid()) && sends(ends[0], 0); }
static int owner_of_a_pipe(void) { return hit(own_pipe, "", write_to_it); }

static int own_killing_pipe(void) { return !fcntl(ends[0], F_SETOWN, getpid()) && sends(ends[0], SIGKILL); }
static int owner_with_a_signal(void) { return hit(own_killing_pipe, "", write_to_it); }

static int own_thread(void) {
    struct { int type, pid; } owner = {0, syscall(SYS_gettid)};
    return !fcntl(ends[0], F_SETOWN_EX, &owner) && sends(ends[0], 0);
}
static int owner_by_thread(void) { return hit(own_thread, "", write_to_it); }

/* The signal is another one only once it has become heir: that is asked for as any other. */
static void write_to_it_killing(void) {
    fcntl(ends[0], F_SETSIG, SIGKILL);
    write_to_it();
}
static int own_harmless_pipe(void) { return !fcntl(ends[0], F_SETOWN, getpid()) && sends(ends[0], SIGCHLD); }
static int owner_with_a_later_signal(void) { return hit(own_harmless_pipe, "", write_to_it_killing); }

/* Somebody else of its domain has made it the owner. */
static int owned_by_child(void) {
    pid_t self = getpid(), child = fork();
    int status;
    if (!child)
        _exit(!(!fcntl(ends[0], F_SETOWN, self) && sends(ends[0], 0)));
    waitpid(child, &status, 0);
    return !status;
}
static int owner_by_another(void) { return hit(owned_by_child, "", write_to_it); }

/* Nobody has the descriptor any more but a message that is under way. */
static int channel[2];
static int own_in_flight(void) {
    char control[CMSG_SPACE(2 * sizeof(int))] = "", byte = 'x';
    struct iovec vector = {&byte, 1};
    struct msghdr head = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fresh[2];
    if (pipe2(fresh, O_CLOEXEC) || fcntl(fresh[0], F_SETOWN, getpid()) || !sends(fresh[0], 0))
        return 0;
    struct cmsghdr *part = CMSG_FIRSTHDR(&head);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof fresh);
    memcpy(CMSG_DATA(part), fresh, sizeof fresh);
    return sendmsg(channel[0], &head, 0) == 1;
}
static void write_to_what_comes(void) {
    char control[CMSG_SPACE(2 * sizeof(int))], byte;
    struct iovec vector = {&byte, 1};
    struct msghdr head = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int came[2];
    if (recvmsg(channel[1], &head, 0) != 1)
        return;
    memcpy(came, CMSG_DATA(CMSG_FIRSTHDR(&head)), sizeof came);
    (void)!write(came[1], "x", 1);
}
static int owner_in_flight(void) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
        return -1;
    return hit(own_in_flight, "", write_to_what_comes);
}

/* By ioctl(2), of a socket. */
static int own_socket(void) {
    int self = getpid();
    return !ioctl(channel[0], FIOSETOWN, &self) && sends(channel[0], 0);
}
static void write_to_socket(void) { (void)!write(channel[1], "x", 1); }
static int owner_of_a_socket(void) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
        return -1;
    return hit(own_socket, "", write_to_socket);
}

/* The whole group, in which it is; or which it has left, and comes back to. */
static int own_group(void) {
    return !setpgid(0, 0) && !fcntl(ends[0], F_SETOWN, -getpid()) && sends(ends[0], 0);
}
static int owner_by_group(void) { return hit(own_group, "", write_to_it); }

static int own_group_left(void) { return own_group() && !setpgid(0, getpgid(getppid())); }
static int owner_by_group_left(void) { return hit(own_group_left, "session", write_to_it); }

/* One that it joins when it has become heir. */
static int nothing(void) { return 1; }
static int group_owner_of_pipe(void) { return !fcntl(ends[0], F_SETOWN, -leader) && sends(ends[0], SIGUSR1); }
static int owner_by_group_joined(void) {
    signal(SIGUSR1, SIG_IGN);
    leader = fork();
    if (!leader) {
        pause();
        _exit(0);
    }
    setpgid(leader, leader);
    int won = hit(group_owner_of_pipe, "group", write_to_it);
    kill(leader, SIGKILL);
    return won;
}

/* Who gets a lease, or wants to hear of a directory, is made the owner as well. */
static int leased(void) {
    int fd = open(at("allowed/plain"), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fcntl(fd, F_SETSIG, SIGKILL) || fcntl(fd, F_SETLEASE, F_RDLCK))
        return 0;
    return dup(fd) >= 0; /* without O_CLOEXEC: it is still there */
}
static void write_to_leased(void) { close(open(at("allowed/plain"), O_WRONLY | O_NONBLOCK)); }
static int owner_by_lease(void) { return hit(leased, "", write_to_leased); }

static int notified(void) {
    int fd = dup(open(at("allowed"), O_RDONLY | O_DIRECTORY));
    return fd >= 0 && !fcntl(fd, F_SETSIG, SIGKILL) && !fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
}
static void make_something(void) {
    unlink(at("allowed/made"));
    make(at("allowed/made"));
}
static int owner_by_notice(void) { return hit(notified, "", make_something); }

/* So is who asks for signals of a terminal, or its foreground group. */
static int master = -1, slave = -1;
static int terminal(void) {
    master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master))
        return 0;
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    return slave >= 0;
}
static int own_terminal(void) { return sends(master, 0); }
static void write_to_slave(void) { (void)!write(slave, "x\n", 2); }
static int owner_of_a_terminal(void) { return terminal() ? hit(own_terminal, "", write_to_slave) : -1; }

static int own_terminal_by_ioctl(void) {
    int yes = 1;
    return !ioctl(master, FIOASYNC, &yes);
}
static int owner_of_a_terminal_by_ioctl(void) {
    return terminal() ? hit(own_terminal_by_ioctl, "", write_to_slave) : -1;
}

static int own_terminal_as_a_group(void) {
    return setsid() > 0 && !ioctl(slave, TIOCSCTTY, 0) && sends(slave, 0) && !close(master);
}
static void write_to_master(void) { (void)!write(master, "x\n", 2); }
static int owner_by_foreground_group(void) { return terminal() ? hit(own_terminal_as_a_group, "", write_to_master) : -1; }

/* It has asked to be killed when its parent ends. */
static int dies_with_its_parent(void) {
    pid_t child = fork();
    if (!child)
        return !prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    char byte;
    close(told[1]);
    close(ends[1]);
    (void)!read(ends[0], &byte, 1);
    _exit(1);
}
static int died_with_its_parent(void) { return hit(dies_with_its_parent, "", write_to_it); }

/* One's own group by a number that is no descriptor's. */
static void signal_own_group(void) {
    signal(SIGTERM, SIG_IGN);
    syscall(SYS_pidfd_send_signal, SELF_THREAD, SIGTERM, NULL, PIDFD_SIGNAL_PROCESS_GROUP);
}
static int own_group_without_a_descriptor(void) {
    if (syscall(SYS_pidfd_send_signal, SELF_THREAD, 0, NULL, PIDFD_SIGNAL_PROCESS_GROUP) && errno != EPERM && errno != ESRCH)
        return -1;
    setpgid(0, 0);
    return hit(nothing, "", signal_own_group);
}

/* Looked at while it may be signalled, sent when it is heir. The information that goes with the signal is in a page that
   isn't there, while somebody else holds the whole address space: so a call can be made to last. */
static char *page;
static volatile int over;
static char *large;
static void *hold(void *none) {
    while (!over) {
        memset(large, 1, 1 << 24);
        pid_t child = fork();
        if (!child)
            _exit(0);
        waitpid(child, NULL, 0);
    }
    return NULL;
}

static int raced(int (*reach)(pid_t, siginfo_t *)) {
    pthread_t thread;
    int won = 0, honest = 0, tell[2];
    int fd = open(at("allowed/information"), O_CREAT | O_TRUNC | O_RDWR, 0600);
    siginfo_t said = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    if (write(fd, &said, sizeof said) != sizeof said)
        return -1;
    page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    large = mmap(NULL, 1 << 24, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(large, 1 << 24, MADV_NOHUGEPAGE);
    signal(SIGUSR1, SIG_IGN);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    for (int i = 0; i < tries && !won; i++) {
        if (pipe2(told, O_CLOEXEC) || pipe2(tell, O_CLOEXEC))
            return -1;
        pid_t child = fork();
        if (!child) {
            sigprocmask(SIG_BLOCK, &blocked, NULL);
            (void)!write(tell[1], "x", 1);
            become("shortly", 0);
        }
        close(told[1]);
        close(tell[1]);
        char byte;
        (void)!read(tell[0], &byte, 1);
        for (struct timespec now = {0, i * 977 % 400000}; now.tv_nsec > 60000; now.tv_nsec = 0)
            nanosleep(&now, NULL);
        if (i == 0) {
            over = 0;
            pthread_create(&thread, NULL, hold, NULL);
        }
        for (int k = 0; k < 100 && !won; k++) {
            siginfo_t *information = (void *)page;
            madvise(page, 4096, MADV_DONTNEED);
            if (reach(child, information) && errno == EPERM)
                break;
        }
        for (char word; (word = heard());)
            won |= word == 'g', honest += word == 's';
        waitpid(child, NULL, 0);
        close(told[0]);
        close(tell[0]);
    }
    over = 1;
    pthread_join(thread, NULL);
    return won || honest ? won : -1;
}

static int queues(pid_t pid, siginfo_t *information) {
    return syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, information);
}
static int kills(pid_t pid, siginfo_t *none) { return kill(pid, SIGUSR1); }
static int queued_while_it_becomes(void) { return raced(queues); }
static int killed_while_it_becomes(void) { return raced(kills); }

static const attack table[] = {
    {"owner_of_a_pipe", owner_of_a_pipe},
    {"owner_with_a_signal", owner_with_a_signal},
    {"owner_with_a_later_signal", owner_with_a_later_signal},
    {"owner_by_thread", owner_by_thread},
    {"owner_by_another", owner_by_another},
    {"owner_in_flight", owner_in_flight},
    {"owner_of_a_socket", owner_of_a_socket},
    {"owner_by_group", owner_by_group},
    {"owner_by_group_left", owner_by_group_left},
    {"owner_by_group_joined", owner_by_group_joined},
    {"owner_by_lease", owner_by_lease},
    {"owner_by_notice", owner_by_notice},
    {"owner_of_a_terminal", owner_of_a_terminal},
    {"owner_of_a_terminal_by_ioctl", owner_of_a_terminal_by_ioctl},
    {"owner_by_foreground_group", owner_by_foreground_group},
    {"died_with_its_parent", died_with_its_parent},
    {"own_group_without_a_descriptor", own_group_without_a_descriptor},
    {"queued_while_it_becomes", queued_while_it_becomes},
    {"killed_while_it_becomes", killed_while_it_becomes},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
