/* What a program can do that nobody checks, and Landlock holds all the same: everything here is forbidden by policy. */
#include "attack.h"
#include <dirent.h>
#include <sys/sysmacros.h>

#define FORBIDDEN(name) at("forbidden/" name)

static int opened(void) { return is_secret(open(FORBIDDEN("secret"), O_RDONLY)); }

/* What was refused once must not have been remembered as granted. */
static int opened_again(void) {
    opened();
    return opened();
}

static int opened_through_a_link(void) {
    return !symlink(FORBIDDEN("secret"), at("allowed/link")) && is_secret(open(at("allowed/link"), O_RDONLY));
}

static int written(void) {
    int fd = open(FORBIDDEN("written"), O_WRONLY);
    return fd >= 0 && write(fd, "mine", 4) == 4;
}

static int appended(void) { return open(FORBIDDEN("written"), O_WRONLY | O_APPEND) >= 0; }

static int emptied(void) { return open(FORBIDDEN("emptied"), O_RDWR | O_TRUNC) >= 0; }

static int emptied_for_reading(void) { return open(at("readable/file"), O_RDONLY | O_TRUNC) >= 0; }

static int truncated(void) { return !truncate(FORBIDDEN("truncated"), 0); }

static int listed(void) { return opendir(at("forbidden")) != NULL; }

static int made(void) { return open(FORBIDDEN("made"), O_CREAT | O_WRONLY, 0600) >= 0; }

static int made_nameless(void) { return open(at("forbidden"), O_TMPFILE | O_WRONLY, 0600) >= 0; }

static int made_as_a_node(void) { return !mknod(FORBIDDEN("node"), S_IFREG | 0600, 0); }

static int made_a_device(void) { return !mknod(FORBIDDEN("device"), S_IFCHR | 0600, makedev(1, 3)); }

static int made_a_pipe(void) { return !mkfifo(FORBIDDEN("pipe"), 0600); }

static int made_a_folder(void) { return !mkdir(FORBIDDEN("folder"), 0700); }

static int made_a_link(void) { return !symlink("secret", FORBIDDEN("symlink")); }

static int made_a_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "socket");
    return !chdir(at("forbidden")) && !bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof address);
}

static int removed(void) { return !unlink(FORBIDDEN("removed")); }

static int removed_a_folder(void) { return !rmdir(FORBIDDEN("empty")); }

static int moved_out(void) { return !rename(FORBIDDEN("movable"), at("allowed/moved")); }

static int moved_in(void) {
    make(at("allowed/mine"));
    return !rename(at("allowed/mine"), FORBIDDEN("mine"));
}

static int moved_a_folder_out(void) { return !rename(FORBIDDEN("movable folder"), at("allowed/movable folder")); }

static int exchanged(void) {
    make(at("allowed/other"));
    return !syscall(SYS_renameat2, AT_FDCWD, at("allowed/other"), AT_FDCWD, FORBIDDEN("movable2"), 2);
}

static int linked(void) { return !link(FORBIDDEN("secret"), at("allowed/hard")); }

static int linked_into(void) {
    make(at("allowed/harder"));
    return !link(at("allowed/harder"), FORBIDDEN("harder"));
}

static int connected(void) {
    struct sockaddr_in address = local(forbidden_port);
    return !connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&address, sizeof address);
}

static int connected_without_waiting(void) {
    struct sockaddr_in address = local(forbidden_port);
    return !connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), (void *)&address, sizeof address) ||
           errno == EINPROGRESS;
}

static int bound(void) {
    struct sockaddr_in address = local(0);
    return !bind(socket(AF_INET, SOCK_STREAM, 0), (void *)&address, sizeof address);
}

static const attack table[] = {
    {"opened", opened},
    {"opened_again", opened_again},
    {"opened_through_a_link", opened_through_a_link},
    {"written", written},
    {"appended", appended},
    {"emptied", emptied},
    {"emptied_for_reading", emptied_for_reading},
    {"truncated", truncated},
    {"listed", listed},
    {"made", made},
    {"made_nameless", made_nameless},
    {"made_as_a_node", made_as_a_node},
    {"made_a_device", made_a_device},
    {"made_a_pipe", made_a_pipe},
    {"made_a_folder", made_a_folder},
    {"made_a_link", made_a_link},
    {"made_a_socket", made_a_socket},
    {"removed", removed},
    {"removed_a_folder", removed_a_folder},
    {"moved_out", moved_out},
    {"moved_in", moved_in},
    {"moved_a_folder_out", moved_a_folder_out},
    {"exchanged", exchanged},
    {"linked", linked},
    {"linked_into", linked_into},
    {"connected", connected},
    {"connected_without_waiting", connected_without_waiting},
    {"bound", bound},
    {NULL, NULL},
};

int main(int argc, char **argv) { return run_attacks(table, argc, argv); }
